package wxsim

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"time"
)

// retries are WeChat's pauses between the sends of one notification that is
// not accepted: the first at once, then at most fifteen more (§7.7).
var retries = [...]time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second,
	3 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, 30 * time.Minute, 30 * time.Minute, 60 * time.Minute,
	3 * time.Hour, 3 * time.Hour, 3 * time.Hour, 6 * time.Hour, 6 * time.Hour,
}

// delivery is one notification on its way to being accepted, or a deed that
// waits for its time. While flying it belongs to the goroutine that sends or
// does it, otherwise to Sim.mu.
type delivery struct {
	id          string
	eventType   string
	outTradeNo  string
	outRefundNo string // of a refund's notification
	notifyURL   string
	plaintext   map[string]any
	v2          *NotificationV2 // in place of plaintext, when it goes out as XML
	created     time.Time
	attempts    int       // sends made
	due         time.Time // business time of the next send
	at          time.Time // business time of the send under way
	postponed   bool      // this send has been delayed or held back already
	index       int       // in the schedule, -1 when not there

	// deed, when not nil, is done in place of a send. It is called without mu
	// and returns when what it brought about has been sent, too.
	deed func(ctx context.Context, at time.Time)
}

// newDelivery makes the notification of a paid order. The caller holds mu.
func (s *Sim) newDelivery(o *order) *delivery {
	d := &delivery{
		id:         uuid(s.keys.letters(fmt.Sprint("notification ", o.TransactionID), lowerHex, 32)),
		eventType:  EventTransactionSuccess,
		outTradeNo: o.OutTradeNo,
		notifyURL:  o.NotifyURL,
		plaintext:  o.transactionAs(stateSuccess),
		created:    o.PaidAt,
		due:        o.PaidAt,
		index:      -1,
	}
	if o.API == apiV2 {
		d.v2 = s.paymentV2(o)
	}
	return d
}

// api is empty for a notification of API v3.
func (d *delivery) api() string {
	if d.v2 != nil {
		return apiV2
	}
	return ""
}

// plan puts a deed on the schedule. The caller holds mu.
func (s *Sim) plan(due time.Time, deed func(ctx context.Context, at time.Time)) {
	heap.Push(&s.queue, &delivery{due: due, deed: deed})
	s.stir()
}

// schedule is a heap of deliveries that wait, earliest due first.
type schedule []*delivery

func (q schedule) Len() int           { return len(q) }
func (q schedule) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q schedule) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is for package heap.
func (q *schedule) Push(x any) {
	if d, ok := x.(*delivery); ok {
		d.index = len(*q)
		*q = append(*q, d)
	}
}

// Pop is for package heap.
func (q *schedule) Pop() any {
	last := len(*q) - 1
	d := (*q)[last]
	(*q)[last] = nil
	*q, d.index = (*q)[:last], -1
	return d
}

// departures is what take found.
type departures struct {
	batch   []*delivery     // now flying
	next    time.Time       // when the next one is due; zero when none waits
	oldest  uint64          // the longest flying send; 0 when none flies
	newest  uint64          // the latest send that took off
	changed <-chan struct{} // closes when any of it changes
}

// take removes the deliveries that are due first and not after until, moves
// the business clock to them and lets them fly. A send that was already late
// counts as made at from.
func (s *Sim) take(from, until time.Time) departures {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := departures{changed: s.changed}
	for _, started := range s.flying {
		if found.oldest == 0 || started < found.oldest {
			found.oldest = started
		}
	}
	for len(s.queue) > 0 {
		found.next = s.queue[0].due
		if found.next.After(until) || len(found.batch) > 0 && found.next.After(found.batch[0].at) {
			break
		}
		d := s.queue[0]
		heap.Remove(&s.queue, 0)
		at := d.due
		if at.Before(from) {
			at = from
		}
		s.clock.moveTo(at)
		s.takeOff(d, at)
		found.batch = append(found.batch, d)
	}
	found.newest = s.takeOffs
	return found
}

// takeOff hands a delivery over to the goroutine that sends it. The caller
// holds mu.
func (s *Sim) takeOff(d *delivery, at time.Time) {
	s.takeOffs++
	s.flying[d] = s.takeOffs
	s.held = slices.DeleteFunc(s.held, func(h *delivery) bool { return h == d })
	d.at = at
}

// touchDown ends a send: the delivery is done, or waits for its next time. The
// caller holds mu.
func (s *Sim) touchDown(d *delivery, again bool) {
	delete(s.flying, d)
	if again {
		heap.Push(&s.queue, d)
	}
	s.stir()
}

// stir wakes whoever waits for the queue or the sends. The caller holds mu.
func (s *Sim) stir() {
	close(s.changed)
	s.changed = make(chan struct{})
}
