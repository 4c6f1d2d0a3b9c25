package wxapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
)

// streaming is bubbled with bodies that take their time.
type streaming struct{ *wechat }

func (f streaming) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	from, to := io.Pipe()
	w := &pipeWriter{PipeWriter: to, header: http.Header{}, begun: make(chan int, 1)}
	s := f.next(f.arrived(r, strings.Contains(r.URL.Host, "api2")))
	go func() {
		s(w, r)
		w.WriteHeader(http.StatusOK)
		to.CloseWithError(ctx.Err()) // io.EOF if there is none
	}()
	context.AfterFunc(ctx, func() { to.CloseWithError(ctx.Err()) })
	select {
	case status := <-w.begun:
		return &http.Response{StatusCode: status, Header: w.header, Body: from, Request: r}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type pipeWriter struct {
	*io.PipeWriter
	header http.Header
	once   sync.Once
	begun  chan int
}

func (w *pipeWriter) Header() http.Header    { return w.header }
func (w *pipeWriter) WriteHeader(status int) { w.once.Do(func() { w.begun <- status }) }
func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.PipeWriter.Write(p)
}

// drip sends a file in pieces, and then falls silent if told so.
func drip(content string, pieces int, pause time.Duration, then step) step {
	return func(w http.ResponseWriter, r *http.Request) {
		size := (len(content) + pieces - 1) / pieces
		for piece := range slices.Chunk([]byte(content), size) {
			after(pause, func(w http.ResponseWriter, _ *http.Request) { w.Write(piece) })(w, r)
		}
		then(w, r)
	}
}

// TestTradeBillPatience: a download may take longer than a try or another call,
// but not fall silent for as long as a try.
func TestTradeBillPatience(t *testing.T) {
	t.Parallel()
	merchantKey()
	wechatKey()
	good := goodBill()
	const s = time.Second
	nothing := func(http.ResponseWriter, *http.Request) {}
	deadline := want{is: wxapi.ErrUnknown, also: context.DeadlineExceeded}
	const bill, get = "bill", billDownload
	for _, tt := range []struct {
		name     string
		files    []step
		timeout  time.Duration
		want     want
		ops      []string
		min, max time.Duration
	}{
		{"slow but steady", []step{drip(good, 20, 4900*time.Millisecond, nothing)}, 0, want{}, []string{bill, get}, 98 * s, 98 * s},
		{"long before it begins", []step{drip(good, 1, 4900*time.Millisecond, nothing)}, 0, want{}, []string{bill, get}, 4900 * time.Millisecond, 4900 * time.Millisecond},
		{"silent in the middle", []step{drip(good[:500], 2, s, hang), file(good)}, 0, want{}, []string{bill, get, get}, 7 * s, 7200 * time.Millisecond},
		{"silent at the end", []step{drip(good, 2, s, hang), file(good)}, 0, want{}, []string{bill, get, get}, 7 * s, 7200 * time.Millisecond},
		{"silent from the start", again(hang), 0, deadline, []string{bill, get, get, get}, 15 * s, 16 * s},
		{"a refusal that falls silent", []step{func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(400); hang(w, r) }, file(good)}, 0,
			want{}, []string{bill, get, get}, 5 * s, 5200 * time.Millisecond},
		{"all of it too slow", []step{drip(good, 100, 4*s, nothing)}, 0, deadline, []string{bill, get}, 300 * s, 300 * s},
		{"less patience, before the download", []step{hang}, 3 * s, deadline, []string{bill}, 3 * s, 3 * s},
		{"less patience", []step{drip(good, 20, 4*s, nothing)}, 30 * s, deadline, []string{bill, get}, 30 * s, 30 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				w := bubbled(t)
				w.steps = tt.files
				if len(tt.ops) > 1 {
					w.steps = append([]step{announced(t, "https://api.mch.weixin.qq.com"+billToken, sha1Of(good))}, tt.files...)
				}
				c := w.client(t, defaultSleep, func(cfg *wxapi.Config) { cfg.HTTPClient.Transport = streaming{w} })
				started := time.Now()
				got, err := c.TradeBill(t.Context(), billDay, wxapi.BillOptions{Dir: dir, Timeout: tt.timeout})
				took := time.Since(started)
				tt.want.check(t, err)
				w.checkBill(t, tt.ops...)
				if took < tt.min || took > tt.max {
					t.Errorf("it took %s, want %s to %s", took, tt.min, tt.max)
				}
				if err == nil {
					must(t, got.Close())
				}
			})
		})
	}
}

// TestTradeBillSilentSocket is the same with a real transport.
func TestTradeBillSilentSocket(t *testing.T) {
	t.Parallel()
	good := goodBill()
	flushed := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, good[:500])
		w.(http.Flusher).Flush()
		hang(w, r)
	}
	w := announces(t, sha1Of(good), flushed, hang, file(good))
	_, err := w.take(t, wxapi.BillOptions{}, func(cfg *wxapi.Config) { cfg.AttemptTimeout = 500 * time.Millisecond })
	must(t, err)
	w.checkBill(t, "bill", billDownload, billDownload, billDownload)
	for _, call := range w.calls[1:3] {
		if !errors.Is(call.Err, context.DeadlineExceeded) || errors.Is(call.Err, context.Canceled) {
			t.Errorf("observed %v", call.Err)
		}
	}
}

func TestTradeBillGivenUp(t *testing.T) {
	t.Parallel()
	t.Run("in the download", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		w := announces(t, sha1Of("x"), func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
		_, err := w.client(t).TradeBill(ctx, billDay, wxapi.BillOptions{Dir: t.TempDir()})
		want{is: wxapi.ErrUnknown, also: context.Canceled}.check(t, err)
		w.checkBill(t, "bill", billDownload)
	})
	t.Run("while it is checked", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		w := announces(t, sha1Of(goodBill()), file(goodBill()))
		_, err := w.client(t, func(cfg *wxapi.Config) {
			cfg.Now = func() time.Time {
				w.mu.Lock()
				defer w.mu.Unlock()
				if len(w.hits) == 2 {
					cancel()
				}
				return time.Now()
			}
		}).TradeBill(ctx, billDay, wxapi.BillOptions{Dir: t.TempDir()})
		want{is: wxapi.ErrUnknown, also: context.Canceled}.check(t, err)
		w.checkBill(t, "bill", billDownload)
	})
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := newWeChat(t)
		_, err := w.client(t).TradeBill(ctx, billDay, wxapi.BillOptions{Dir: t.TempDir()})
		want{is: context.Canceled}.check(t, err)
		w.checkNone(t)
	})
}
