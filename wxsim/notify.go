package wxsim

import (
	"container/heap"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Sent is one send of a notification with the answer it got.
type Sent struct {
	ID          string    `json:"id"`            // the same for all sends of one notification
	API         string    `json:"api,omitempty"` // v2 when it was XML
	EventType   string    `json:"event_type"`
	OutTradeNo  string    `json:"out_trade_no"`
	OutRefundNo string    `json:"out_refund_no,omitempty"` // of a refund's notification
	Attempt     int       `json:"attempt"`                 // 1 to 16
	At          time.Time `json:"at"`                      // business time
	Status      int       `json:"status"`                  // 0 when there was no answer
	Body        string    `json:"body"`                    // of the answer, cut at 4 KiB
	Fault       string    `json:"fault,omitempty"`
	Error       string    `json:"error,omitempty"` // why there was no answer
	Accepted    bool      `json:"accepted"`        // 200 or 204 in time, by API v2 the exact XML, to a genuine notification
}

// patience is how long a receiver may take to answer.
const patience = 5 * time.Second

// maxAnswer is how much of a receiver's answer is kept.
const maxAnswer = 4 << 10

// notifyClient adapts the caller's client, or makes one: redirects are
// refused and nothing waits longer than WeChat does.
func notifyClient(given *http.Client) *http.Client {
	client := http.Client{Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConnsPerHost: 32,
		MaxConnsPerHost:     128,
		IdleConnTimeout:     30 * time.Second,
	}}
	if given != nil {
		client = *given
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// Notifications returns every send so far, in the order the answers came.
func (s *Sim) Notifications() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Sent{}, s.sent...)
}

// deliver makes one send of a flying delivery, as the faults want it, and lets
// the delivery land. A deed is done instead.
func (s *Sim) deliver(ctx context.Context, d *delivery) {
	if d.deed != nil {
		d.deed(ctx, d.at)
		s.mu.Lock()
		s.touchDown(d, false)
		s.mu.Unlock()
		return
	}
	var f Fault
	if !d.postponed {
		f = s.drawFault("notify", d.api())
	}
	switch f.Fault {
	case "delay":
		s.postpone(d, f.Delay)
		return
	case "reorder":
		s.hold(d)
		return
	}
	accepted := s.attempt(ctx, d, f.Fault)
	released := s.release()
	again := !accepted && d.attempts <= len(retries)
	if again {
		d.due = d.at.Add(retries[d.attempts-1])
		d.postponed = false
	}
	s.mu.Lock()
	s.touchDown(d, again)
	s.mu.Unlock()
	for _, held := range released {
		s.deliver(ctx, held)
	}
}

// attempt makes one send and reports whether a genuine notification was
// accepted.
func (s *Sim) attempt(ctx context.Context, d *delivery, fault string) bool {
	d.attempts++
	switch fault {
	case "drop":
		s.record(d, Sent{Fault: fault, Error: "lost by the drop fault"})
		return false
	case "duplicate":
		return s.sendTwice(ctx, d)
	case "probe":
		s.send(ctx, d, fault)
		return s.send(ctx, d, "")
	}
	return s.send(ctx, d, fault)
}

// sendTwice delivers from two servers at once, as WeChat sometimes does.
func (s *Sim) sendTwice(ctx context.Context, d *delivery) bool {
	var (
		wg       sync.WaitGroup
		accepted [2]bool
	)
	for i := range accepted {
		wg.Go(func() { accepted[i] = s.send(ctx, d, "duplicate") })
	}
	wg.Wait()
	return accepted[0] || accepted[1]
}

// send builds, posts and records one notification, and reports whether it was
// accepted. A forged or altered one never counts as accepted, whatever the
// receiver says: the genuine one follows on the schedule.
func (s *Sim) send(ctx context.Context, d *delivery, fault string) bool {
	r, err := s.build(d, fault)
	if err != nil {
		s.record(d, Sent{Fault: fault, Error: err.Error()})
		return false
	}
	if fault == "probe" {
		r.Header.Set("Wechatpay-Signature", probePrefix+r.Header.Get("Wechatpay-Signature"))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	status, body, err := s.post(r.WithContext(ctx))
	got := Sent{Fault: fault, Status: status, Body: body}
	if err != nil {
		got.Error = err.Error()
	}
	got.Accepted = (fault == "" || fault == "duplicate") && d.acceptedBy(status, body)
	s.record(d, got)
	return got.Accepted
}

// build makes the request of one send, as a fault wants it.
func (s *Sim) build(d *delivery, fault string) (*http.Request, error) {
	if d.v2 != nil {
		n := d.v2.changed(nil)
		n.disfigure(fault, s.keys.letters("foreign apiv2 key", alnum, 32))
		return n.request(d.notifyURL)
	}
	return s.SignNotification(d.plaintext, d.eventType, d.notifyURL, func(n *Notification) {
		n.ID, n.CreateTime = d.id, stamp(d.created)
		s.disfigure(n, fault)
	})
}

// acceptedBy reports whether an answer is a yes. To API v3 the status says so,
// to API v2 the body.
func (d *delivery) acceptedBy(status int, body string) bool {
	if d.v2 != nil {
		return status == http.StatusOK && body == v2Accepted
	}
	return status == http.StatusOK || status == http.StatusNoContent
}

// post sends and reads the answer to its end, all within the patience.
func (s *Sim) post(r *http.Request) (int, string, error) {
	resp, err := s.notify.Do(r)
	if err != nil {
		return 0, "", unwrapURL(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, string(body), err
	}
	return resp.StatusCode, string(body), nil
}

// unwrapURL leaves out the URL, which the record holds already.
func unwrapURL(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// record keeps a send.
func (s *Sim) record(d *delivery, got Sent) {
	got.ID, got.API, got.EventType = d.id, d.api(), d.eventType
	got.OutTradeNo, got.OutRefundNo = d.outTradeNo, d.outRefundNo
	got.Attempt, got.At = d.attempts, d.at.In(beijing)
	s.mu.Lock()
	s.sent = append(s.sent, got)
	s.mu.Unlock()
	s.log.Info("notification", "event_type", got.EventType, "order_no", got.OutTradeNo, "attempt", got.Attempt, "status", got.Status, "fault", got.Fault, "err", got.Error)
}

// postpone puts a send off in business time; the attempt is not used up.
func (s *Sim) postpone(d *delivery, by time.Duration) {
	d.due, d.postponed = d.at.Add(by), true
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touchDown(d, true)
}

// hold keeps a send back until another notification has overtaken it, or, when
// none comes, until the first retry would have been due.
func (s *Sim) hold(d *delivery) {
	d.due, d.postponed = d.at.Add(retries[0]), true
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, d)
	s.touchDown(d, true)
}

// release takes the held deliveries that still wait, to be sent now.
func (s *Sim) release() []*delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	released := slices.Clone(s.held)
	for _, d := range released {
		heap.Remove(&s.queue, d.index)
		s.takeOff(d, s.clock.now())
	}
	return released
}
