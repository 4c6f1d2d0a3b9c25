package wxapi_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// TestKeysAreFetched: who has no usable key downloads before the first call,
// and who meets an unknown one, once.
func TestKeysAreFetched(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		held     []string
		steps    []step
		certs    []step
		want     want
		hits     int
		serialIn string // Wechatpay-Serial of the first request
	}{
		{"no key", nil, []step{under(oldSerial, notPaid)}, []step{download(oldSerial)}, want{}, 1, oldSerial},
		{"only an expired one", []string{expired}, []step{under(oldSerial, notPaid)}, []step{download(oldSerial)}, want{}, 1, oldSerial},
		{"no key and none to get", nil, nil, []step{refuse(404, "RESOURCE_NOT_EXISTS")},
			want{is: wxapi.ErrPublicKeyMerchant, status: 404, code: "RESOURCE_NOT_EXISTS"}, 0, ""},
		{"no key and no answer: not sent, so not unknown", nil, nil, again(reset), want{is: wxapi.ErrUnreachable}, 0, ""},
		{"no key and no proof: not sent, so not unknown", nil, nil, again(unsigned(200, "{}")),
			want{is: wxapi.ErrUnreachable}, 0, ""},
		{"no key and refused", nil, nil, []step{refuse(401, "SIGN_ERROR")}, want{status: 401, code: "SIGN_ERROR"}, 0, ""},
		{"another APIv3 key", nil, nil, []step{list(wechatKey(), oldSerial, sealed("01234567890123456789012345678901", oldSerial, nil))},
			want{is: wxcrypto.ErrDecrypt}, 0, ""},
		{"rotated", []string{oldSerial}, []step{under(newSerial, notPaid)}, []step{download(oldSerial, newSerial)}, want{}, 1, oldSerial},
		{"unknown for good", []string{oldSerial}, again(under(newSerial, notPaid)), []step{download(oldSerial)},
			want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrUnknownSerial}, 3, oldSerial},
		{"unknown, and the download fails", []string{oldSerial}, again(under(newSerial, notPaid)), []step{refuse(401, "SIGN_ERROR")},
			want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrUnknownSerial}, 3, oldSerial},
		{"a bad signature asks for nothing", []string{oldSerial}, again(imitated), nil,
			want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrSignature}, 3, oldSerial},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, tt.steps...)
			w.certs = tt.certs
			total := len(tt.certs)
			var keys *wxcrypto.KeySet
			_, err := w.client(t, holding(t, &keys, tt.held...)).Query(t.Context(), testNo)
			tt.want.check(t, err)
			if len(w.hits) != tt.hits || len(w.certHits) != total {
				t.Fatalf("%d requests and %d for certificates, want %d and %d", len(w.hits), len(w.certHits), tt.hits, total)
			}
			if tt.hits > 0 && w.hits[0].header.Get("Wechatpay-Serial") != tt.serialIn {
				t.Errorf("Wechatpay-Serial is %q, want %q", w.hits[0].header.Get("Wechatpay-Serial"), tt.serialIn)
			}
			if leaks(err) {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

// TestRefreshShared: many callers, one request; then once a minute, however
// many ask.
func TestRefreshShared(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(t)
		w.certs = []step{after(time.Second, download(oldSerial)), download(newSerial), refuse(401, "SIGN_ERROR")}
		c := w.client(t, noKeys)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := c.RefreshCertificates(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		w.wantCerts(t, 1)
		time.Sleep(time.Minute - time.Second)
		must(t, c.RefreshCertificates(t.Context()))
		w.wantCerts(t, 1)
		time.Sleep(time.Second)
		must(t, c.RefreshCertificates(t.Context()))
		w.wantCerts(t, 2)
		time.Sleep(time.Minute)
		for range 3 {
			want{status: 401, code: "SIGN_ERROR"}.check(t, c.RefreshCertificates(t.Context()))
		}
		w.wantCerts(t, 3)
	})
}

// TestRefreshAfterFault: no answer at all counts for five seconds only, so that
// a blip at the start does not stop payments for a minute.
func TestRefreshAfterFault(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(t, under(oldSerial, notPaid))
		w.certs = append(again(refuse(500, "SYSTEM_ERROR")), download(oldSerial))
		c := w.client(t, noKeys)
		unreachable := want{is: wxapi.ErrUnreachable, status: 500, code: "SYSTEM_ERROR"}
		for range 3 {
			_, err := c.Query(t.Context(), testNo)
			unreachable.check(t, err)
		}
		w.wantCerts(t, 3)
		time.Sleep(5 * time.Second)
		_, err := c.Query(t.Context(), testNo)
		must(t, err)
		w.wantCerts(t, 4)
	})
}

// TestRefreshLeaderLeaves: that one caller gives up is no answer to the others.
func TestRefreshLeaderLeaves(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(t)
		w.certs = []step{hang, download(oldSerial)}
		c := w.client(t, noKeys)
		first, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			want{is: wxapi.ErrUnknown, also: context.Canceled}.check(t, c.RefreshCertificates(first))
		})
		synctest.Wait()
		wg.Go(func() { want{}.check(t, c.RefreshCertificates(t.Context())) })
		impatient, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		wg.Go(func() { want{is: context.DeadlineExceeded}.check(t, c.RefreshCertificates(impatient)) })
		time.Sleep(2 * time.Second)
		cancel()
		wg.Wait()
		w.wantCerts(t, 2)
	})
}

// TestRenewal: certificates are downloaded again every twelve hours, at the
// next call; a failure is not the call's.
func TestRenewal(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	synctest.Test(t, func(t *testing.T) {
		ok := under(oldSerial, notPaid)
		w := bubbled(t, ok, ok, ok, ok, ok, ok)
		w.certs = []step{hang, hang, download(oldSerial, newSerial)}
		var keys *wxcrypto.KeySet
		c := w.client(t, holding(t, &keys, oldSerial))
		for _, turn := range []struct {
			sleep, takes time.Duration
			certs        int // downloads so far
		}{
			{12*time.Hour - time.Second, 0, 0},
			{time.Second, 5 * time.Second, 1}, // one that hangs costs one try's time,
			{time.Second, 0, 1},               // once a minute
			{time.Minute, 5 * time.Second, 2},
			{time.Minute, 0, 3},
			{12*time.Hour - time.Second, 0, 3},
		} {
			time.Sleep(turn.sleep)
			started := time.Now()
			_, err := c.Query(t.Context(), testNo)
			must(t, err)
			if took := time.Since(started); took != turn.takes {
				t.Errorf("took %s, want %s", took, turn.takes)
			}
			w.wantCerts(t, turn.certs)
		}
		if got := serialsOf(keys); !slices.Equal(got, []string{newSerial, oldSerial}) {
			t.Errorf("holds %v", got)
		}
	})
}

// TestNoRenewal: a merchant with the public key alone has nothing to renew.
func TestNoRenewal(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(t, reply(200, notPaid))
		c := w.client(t)
		time.Sleep(24 * time.Hour)
		_, err := c.Query(t.Context(), testNo)
		must(t, err)
		w.wantCerts(t, 0)
	})
}

func (f *wechat) wantCerts(t *testing.T, n int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.certHits) != n {
		t.Errorf("%d requests for certificates, want %d", len(f.certHits), n)
	}
}

// TestRenewalWaitsForNobody: a call that has its answer is not held up by a
// download that somebody else waits for.
func TestRenewalWaitsForNobody(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	synctest.Test(t, func(t *testing.T) {
		w := bubbled(t, under(oldSerial, notPaid))
		w.certs = []step{after(time.Second, download(oldSerial))}
		var keys *wxcrypto.KeySet
		c := w.client(t, holding(t, &keys, oldSerial))
		time.Sleep(13 * time.Hour)
		var wg sync.WaitGroup
		wg.Go(func() { must(t, c.RefreshCertificates(t.Context())) })
		synctest.Wait()
		started := time.Now()
		_, err := c.Query(t.Context(), testNo)
		must(t, err)
		if took := time.Since(started); took != 0 {
			t.Errorf("waited %s", took)
		}
		wg.Wait()
		w.wantCerts(t, 1)
	})
}

// TestClockPutBack: a clock that was ahead does not stop downloads.
func TestClockPutBack(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		ahead.Store(int64(4 * time.Minute))
		w := bubbled(t)
		w.certs = []step{download(oldSerial), download(oldSerial)}
		c := w.client(t, noKeys, func(cfg *wxapi.Config) {
			cfg.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		})
		must(t, c.RefreshCertificates(t.Context()))
		ahead.Store(0)
		must(t, c.RefreshCertificates(t.Context()))
		w.wantCerts(t, 2)
	})
}
