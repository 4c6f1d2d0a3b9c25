package wxapi_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
)

func TestCanceled(t *testing.T) {
	t.Parallel()
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := w.client(t).Query(ctx, testNo)
		want{is: context.Canceled}.check(t, err)
		w.checkNone(t)
	})
	t.Run("while WeChat Pay is at it", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		w := newWeChat(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
		err := w.client(t).Close(ctx, testNo)
		want{is: wxapi.ErrUnknown, also: context.Canceled}.check(t, err)
		w.checkHits(t, verbs()[2], 1)
	})
	t.Run("in the pause", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		w := newWeChat(t, refuse(500, "SYSTEM_ERROR"))
		err := w.client(t, func(cfg *wxapi.Config) {
			cfg.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
		}).Close(ctx, testNo)
		want{is: wxapi.ErrUnknown, also: context.Canceled, status: 500, code: "SYSTEM_ERROR"}.check(t, err)
	})
	t.Run("in the pause, nothing sent", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		dead := deadPort(t)
		w := newWeChat(t)
		err := w.client(t, func(cfg *wxapi.Config) {
			cfg.BaseURL = dead
			cfg.Sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }
		}).Close(ctx, testNo)
		want{is: context.Canceled}.check(t, err)
	})
	t.Run("while signing", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		w := newWeChat(t)
		err := w.client(t, func(cfg *wxapi.Config) {
			cfg.NewNonce = func() string { cancel(); return "nonce" }
		}).Close(ctx, testNo)
		want{is: context.Canceled}.check(t, err)
		if len(w.hits) != 0 {
			t.Errorf("%d requests arrived", len(w.hits))
		}
	})
	t.Run("too late to matter", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		w := newWeChat(t, refuse(403, "RULE_LIMIT"))
		err := w.client(t, func(cfg *wxapi.Config) { cfg.Observe = func(wxapi.Call) { cancel() } }).Close(ctx, testNo)
		want{status: 403, code: "RULE_LIMIT"}.check(t, err)
	})
}

func (f *wechat) checkNone(t *testing.T) {
	t.Helper()
	if len(f.hits)+len(f.certHits)+len(f.calls) != 0 {
		t.Errorf("%d requests arrived, want none", len(f.hits)+len(f.certHits))
	}
}

// defaultSleep takes the real pauses, which cost nothing in a bubble.
func defaultSleep(cfg *wxapi.Config) { cfg.Sleep = nil }

func TestTimeouts(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	deadline := want{is: wxapi.ErrUnknown, also: context.DeadlineExceeded}
	for _, tt := range []struct {
		name     string
		steps    []step
		patience time.Duration // of the caller; 0 for no end
		want     want
		hits     int
		min, max time.Duration
	}{
		{"slow first try, then ok", []step{hang, reply(200, notPaid)}, 0, want{}, 2, 5 * time.Second, 5200 * time.Millisecond},
		{"slow for ever ends with TotalTimeout", again(hang), 0, deadline, 3, 15 * time.Second, 15 * time.Second},
		{"the caller is less patient", again(hang), 7 * time.Second, deadline, 2, 7 * time.Second, 7 * time.Second},
		{"slow but in time", []step{after(4900*time.Millisecond, reply(200, notPaid))}, 0, want{}, 1, 4900 * time.Millisecond, 4900 * time.Millisecond},
		{"pauses", again(refuse(500, "X")), 0, want{is: wxapi.ErrUnknown, status: 500, code: "X"}, 3, 0, time.Second},
		{"Retry-After is granted", []step{later("2", 429), reply(200, notPaid)}, 0, want{}, 2, 2 * time.Second, 2 * time.Second},
		{"no time for the pause: says so at once", []step{later("2", 429)}, time.Second, want{status: 429, code: "X"}, 1, 0, 0},
		{"Retry-After is too long", []step{later("3", 429), reply(200, notPaid)}, 0, want{}, 2, 0, 200 * time.Millisecond},
		{"Retry-After is a date", []step{later("Wed, 21 Oct 2026 07:28:00 GMT", 503), reply(200, notPaid)}, 0, want{}, 2, 0, 200 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := bubbled(t, tt.steps...)
				ctx := t.Context()
				if tt.patience > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.patience)
					defer cancel()
				}
				c := w.client(t, defaultSleep)
				started := time.Now()
				_, err := c.Query(ctx, testNo)
				took := time.Since(started)
				tt.want.check(t, err)
				if len(w.hits) != tt.hits || took < tt.min || took > tt.max {
					t.Errorf("%d requests in %s, want %d in %s to %s", len(w.hits), took, tt.hits, tt.min, tt.max)
				}
				w.checkFresh(t)
			})
		})
	}
}

// checkFresh sees that every try is signed with its own time, and that a try
// that broke was followed by one at the default backup host.
func (f *wechat) checkFresh(t *testing.T) {
	t.Helper()
	for i, h := range f.hits {
		if want := fmt.Sprint(h.at.Unix()); h.timestamp != want {
			t.Errorf("try %d is signed at %s, sent at %s", i+1, h.timestamp, want)
		}
		host := "api.mch.weixin.qq.com"
		if h.backup {
			host = "api2.mch.weixin.qq.com"
		}
		if f.calls[i].Host != host {
			t.Errorf("try %d went to %s, want %s", i+1, f.calls[i].Host, host)
		}
	}
}

func after(d time.Duration, s step) step {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(d):
			s(w, r)
		case <-r.Context().Done():
		}
	}
}

func later(retryAfter string, status int) step {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		refuse(status, "X")(w, r)
	}
}
