package wxpay

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/internal/flight"
	"github.com/wxpaykit/wxpay/orderstore"
)

// live is what the streams of a kit share.
type live struct {
	bell    flight.Bell
	closing chan struct{}
	close   func()
	tick    time.Duration // how often an unpaid order is looked at
	beat    time.Duration // how often a stream that is silent says that it lives
	life    time.Duration // after which the browser connects again
}

// newLive: another process may have stored what WeChat said, so a stream looks
// more often than WeChat is asked. Proxies cut connections that are silent for a
// minute.
func newLive(o Options) live {
	closing := make(chan struct{})
	return live{
		closing: closing, close: sync.OnceFunc(func() { close(closing) }),
		tick: min(o.AskInterval, 2*time.Second), beat: 15 * time.Second, life: 5 * time.Minute,
	}
}

// CloseStreams ends the live streams, and from then on each after its first
// event; browsers come back to whichever process answers. An
// [http.Server.Shutdown] waits for streams that are open, so tell the server:
//
//	server.RegisterOnShutdown(pay.CloseStreams)
//
// The end of [Kit.Run] does the same.
func (k *Kit) CloseStreams() { k.live.close() }

// OrderLive streams what becomes of an order as server-sent events: GET
// /orders/{out_trade_no}/live. An event "order" with the data of
// [Kit.OrderStatus] comes at once and at each change, until the order is paid or
// closed, or some minutes have passed. However many streams there are, WeChat
// is asked about an order once in Options.AskInterval.
//
// Where a middleware in front keeps events from getting through, the answer is
// 501, and the front end asks for the order from time to time instead.
func (k *Kit) OrderLive() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var s *stream
		k.endpoint("live", func(w http.ResponseWriter, r *http.Request) (answer, error) {
			rings, stop := k.listen(r)
			o, byLink, err := k.namedOrder(r, k.readableOrder)
			if err != nil {
				stop()
				return answer{}, err
			}
			s = &stream{k: k, w: w, out: http.NewResponseController(w), byLink: byLink, rings: rings, stop: stop, order: o}
			return answer{order: o.OutTradeNo, written: true}, s.open(r)
		}).ServeHTTP(w, r)
		if s == nil {
			return
		}
		defer s.stop()
		if s.opened {
			s.follow(r.Context())
		}
	})
}

// stream is one page that listens.
type stream struct {
	k      *Kit
	w      http.ResponseWriter
	out    *http.ResponseController
	byLink bool
	rings  <-chan struct{} // this process has just heard from WeChat
	stop   func()

	order  *Order
	last   []byte // what was sent
	opened bool   // and there is more to come
}

// writeWithin is how long a browser may take to receive an event.
const writeWithin = 10 * time.Second

// open sends the head and the first event. Deadlines of the app's server are
// for answers that end: each event gets a deadline of its own, where the writer
// has any.
func (s *stream) open(r *http.Request) error {
	var stale bool
	s.order, stale = s.k.refresh(r.Context(), s.order, s.rings)
	if !flushes(s.w) {
		return problemNoStream.because(nil)
	}
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no") // nginx
	if r.Method == http.MethodHead {
		return nil
	}
	s.w.WriteHeader(http.StatusOK) // before anything is flushed: wrappers decide about the body then
	s.opened = s.send(stale) && s.order.PayStatus == orderstore.Unpaid
	return nil
}

// flushes reports whether events get out one by one: the innermost writer that
// can be found must flush. Those around it may say so and panic, as echo's does.
func flushes(w http.ResponseWriter) bool {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = outer.Unwrap()
	}
	switch w.(type) {
	case http.Flusher, interface{ FlushError() error }:
		return true
	}
	return false
}

// send writes the order if it is not what was sent last, and reports whether
// the browser is still there.
func (s *stream) send(stale bool) bool {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s.k.shown(s.order, stale, s.byLink)) // plain structs
	if bytes.Equal(b.Bytes(), s.last) {
		return true
	}
	s.last = b.Bytes()
	return s.write("retry: 2000\nevent: order\ndata: " + b.String() + "\n") // JSON has no line break but its last
}

func (s *stream) write(text string) bool {
	_ = s.out.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return false
	}
	return s.out.Flush() == nil
}

// follow sends each change until there will be none, or nobody listens.
func (s *stream) follow(ctx context.Context) {
	live := &s.k.live
	tick, beat, life := time.NewTicker(live.tick), time.NewTicker(live.beat), time.NewTimer(live.life)
	defer tick.Stop()
	defer beat.Stop()
	defer life.Stop()
	for again := true; again; {
		var stale bool
		select {
		case <-ctx.Done():
			return
		case <-live.closing:
			return
		case <-life.C:
			return
		case <-beat.C:
			again = s.write(":\n\n")
			continue
		case <-s.rings:
			f := s.k.reread(ctx, s.order, false)
			s.order, stale = f.Order, f.stale
		case <-tick.C:
			f := s.k.reread(ctx, s.order, false)
			s.order, stale = s.k.refresh(ctx, f.Order, s.rings)
			stale = stale || f.stale
		}
		again = s.send(stale) && s.order.PayStatus == orderstore.Unpaid
	}
}
