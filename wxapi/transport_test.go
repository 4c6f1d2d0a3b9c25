package wxapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// deadPort is an address nobody listens on.
func deadPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestBackupHost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		steps []step
		want  want
		at    []bool // whether each request that arrived was at the backup
	}{
		{"reset", []step{reset, reply(200, notPaid)}, want{}, []bool{false, true}},
		{"502", []step{unsigned(502, ""), reply(200, notPaid)}, want{}, []bool{false, true}},
		{"503", []step{unsigned(503, ""), reply(200, notPaid)}, want{}, []bool{false, true}},
		{"500 stays", []step{refuse(500, "SYSTEM_ERROR"), reply(200, notPaid)}, want{}, []bool{false, false}},
		{"429 stays", []step{refuse(429, "X"), reply(200, notPaid)}, want{}, []bool{false, false}},
		{"not verified stays", []step{forged, reply(200, notPaid)}, want{}, []bool{false, false}},
		{"both reset, then back", []step{reset, reset, reply(200, notPaid)}, want{}, []bool{false, true, false}},
		{"reset, 500 stays there", []step{reset, refuse(500, "SYSTEM_ERROR"), reply(200, notPaid)}, want{}, []bool{false, true, true}},
		{"all reset", again(reset), want{is: wxapi.ErrUnknown}, []bool{false, true, false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, tt.steps...)
			_, err := w.client(t, w.withBackup).Query(t.Context(), testNo)
			tt.want.check(t, err)
			w.checkHits(t, verbs()[1], len(tt.at))
			for i, h := range w.hits {
				if h.backup != tt.at[i] {
					t.Errorf("try %d at the backup host: %t", i+1, h.backup)
				}
			}
		})
	}
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	dead := deadPort(t)
	toDead := func(cfg *wxapi.Config) { cfg.BaseURL = dead }
	for _, v := range verbs() {
		t.Run(v.name+" unreachable", func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t)
			err := v.call(t.Context(), w.client(t, toDead))
			want{is: wxapi.ErrUnreachable}.check(t, err)
			if len(w.calls) != 3 || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%d tries, err: %v", len(w.calls), err)
			}
		})
		t.Run(v.name+" main dead, backup well", func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, v.ok)
			must(t, v.call(t.Context(), w.client(t, toDead, w.withBackup)))
			if len(w.calls) != 2 || len(w.hits) != 1 || !w.hits[0].backup {
				t.Errorf("calls: %+v", w.calls)
			}
		})
		t.Run(v.name+" main dead, backup resets", func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, reset)
			want{is: wxapi.ErrUnknown}.check(t, v.call(t.Context(), w.client(t, toDead, w.withBackup)))
		})
		t.Run(v.name+" main dead, backup refuses", func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, refuse(403, "NO_AUTH"))
			want{status: 403, code: "NO_AUTH"}.check(t, v.call(t.Context(), w.client(t, toDead, w.withBackup)))
		})
	}
}

// TestStrangeTransport: an injected transport that does not tell how far it
// came counts as having sent, unless its error is about dialling.
func TestStrangeTransport(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, tt := range []struct {
		name string
		err  error
		want want
	}{
		{"anything", errors.New("boom"), want{is: wxapi.ErrUnknown}},
		{"read", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, want{is: wxapi.ErrUnknown}},
		{"dial", dial, want{is: wxapi.ErrUnreachable}},
		{"dial, wrapped", fmt.Errorf("proxy: %w", dial), want{is: wxapi.ErrUnreachable}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t)
			c := w.client(t, func(cfg *wxapi.Config) { cfg.HTTPClient = &http.Client{Transport: failing{tt.err}} })
			_, err := c.Query(t.Context(), testNo)
			tt.want.check(t, err)
			if !errors.Is(err, tt.err) || leaks(err) {
				t.Errorf("err: %v", err)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// TestNoHandshake: a connection that was never ready carried nothing, whatever
// the reason. The transport's trace says so.
func TestNoHandshake(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*wxapi.Config){
		"dialling takes too long": func(cfg *wxapi.Config) {
			cfg.AttemptTimeout = 20 * time.Millisecond
			cfg.HTTPClient = &http.Client{Transport: &http.Transport{
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() },
			}}
		},
		"no TLS": func(cfg *wxapi.Config) { cfg.BaseURL = "https" + strings.TrimPrefix(cfg.BaseURL, "http") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t)
			w.main.Config.ErrorLog = log.New(io.Discard, "", 0)
			err := w.client(t, edit).Close(t.Context(), testNo)
			expected := want{is: wxapi.ErrUnreachable}
			if errors.Is(err, context.DeadlineExceeded) {
				expected.also = context.DeadlineExceeded
			}
			expected.check(t, err)
			if len(w.calls) != 3 || leaks(err) {
				t.Errorf("%d tries, err: %v", len(w.calls), err)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWeChat(t, reply(200, prepaid), reply(200, notPaid))
	c := w.client(t)
	_, err := c.Prepay(t.Context(), wxapi.JSAPI, []byte(prepayBody))
	must(t, err)
	_, err = c.Query(t.Context(), testNo)
	must(t, err)
	for i, contentType := range []string{"application/json", ""} {
		h := w.hits[i].header
		for name, want := range map[string]string{
			"Accept": "application/json", "Content-Type": contentType, "Wechatpay-Serial": testPublicKeyID,
		} {
			if got := h.Get(name); got != want {
				t.Errorf("request %d: %s is %q, want %q", i+1, name, got, want)
			}
		}
		if !strings.HasPrefix(h.Get("User-Agent"), "wxpay-go/") {
			t.Errorf("request %d: User-Agent is %q", i+1, h.Get("User-Agent"))
		}
	}
}

// TestDefaultClient exercises the client's own transport, and that the
// caller's http.Client stays as it is.
func TestDefaultClient(t *testing.T) {
	t.Parallel()
	w := newWeChat(t, reply(200, notPaid), reply(200, notPaid))
	c := w.client(t, func(cfg *wxapi.Config) { cfg.HTTPClient = nil })
	_, err := c.Query(t.Context(), testNo)
	must(t, err)
	given := &http.Client{Transport: &http.Transport{}}
	_, err = w.client(t, func(cfg *wxapi.Config) { cfg.HTTPClient = given }).Query(t.Context(), testNo)
	must(t, err)
	if given.CheckRedirect != nil {
		t.Error("the caller's http.Client was written to")
	}
}

// TestObserve: what a log and metrics get of each try.
func TestObserve(t *testing.T) {
	t.Parallel()
	w := newWeChat(t, refuse(500, "SYSTEM_ERROR"), reset, forged)
	_, err := w.client(t, w.withBackup).Query(t.Context(), testNo)
	want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrSignature}.check(t, err)
	for i, want := range []wxapi.Call{
		{Op: wxapi.OpQuery, Attempt: 1, Status: 500, Code: "SYSTEM_ERROR", RequestID: "08F78BDABF-0"},
		{Op: wxapi.OpQuery, Attempt: 2},
		{Op: wxapi.OpQuery, Attempt: 3, Status: 200, Backup: true},
	} {
		got := w.calls[i]
		if got.Err == nil || got.Duration <= 0 || got.Host == "" {
			t.Errorf("try %d: %+v", i+1, got)
		}
		if got.Date.IsZero() != (want.Status == 0) {
			t.Errorf("try %d: Date %v", i+1, got.Date)
		}
		got.Err, got.Duration, got.Host, got.Date, got.Skew = nil, 0, "", time.Time{}, 0
		if got != want {
			t.Errorf("try %d: %+v, want %+v", i+1, got, want)
		}
	}
}

// TestClockOfAnAnswer: a Date names a second that has begun, so half of one is
// added to it.
func TestClockOfAnAnswer(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, date string
		want       time.Time
		skew       time.Duration
	}{
		{"the same second", "Sat, 28 Nov 2026 12:00:00 GMT", noon, -500 * time.Millisecond},
		{"WeChat is behind", "Sat, 28 Nov 2026 11:59:30 GMT", noon.Add(-30 * time.Second), 29500 * time.Millisecond},
		{"WeChat is ahead", "Sat, 28 Nov 2026 12:05:00 GMT", noon.Add(5 * time.Minute), -5*time.Minute - 500*time.Millisecond},
		{"not a date", "soon", time.Time{}, 0},
		{"none", "", time.Time{}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := bubbled(t, func(h http.ResponseWriter, r *http.Request) {
				if test.date != "" {
					h.Header().Set("Date", test.date)
				}
				refuse(http.StatusNotFound, "ORDER_NOT_EXIST")(h, r)
			})
			_, err := w.client(t, func(cfg *wxapi.Config) { cfg.Now = func() time.Time { return noon } }).Query(t.Context(), testNo)
			if !wxapi.IsCode(err, "ORDER_NOT_EXIST") {
				t.Fatal(err)
			}
			if got := w.calls[0]; !got.Date.Equal(test.want) || got.Skew != test.skew {
				t.Errorf("Date %v, Skew %v", got.Date, got.Skew)
			}
		})
	}
}
