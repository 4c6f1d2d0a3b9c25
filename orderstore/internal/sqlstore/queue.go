package sqlstore

import (
	"slices"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// maxAlone is how many orders may be under way before callers wait: as many go
// alone, and as quickly as if there were no groups.
const maxAlone = 16

// maxGroups is how many groups of a process are under way at once, when there
// are more orders than that: while one waits for its commit, others are
// written.
const maxGroups = 3

// maxGroup is how many orders share a transaction at most.
const maxGroup = 64

// patience is how long others wait for a group before they stop counting on
// it: one that waits for a lock, or for a server that says nothing, must not
// hold up orders that have nothing to do with it.
const patience = 250 * time.Millisecond

// After a group that came to nothing everybody goes alone for a while, which
// doubles with each: what it was may be there for long, such as a server that
// does not know the statements.
const minRest, maxRest = 10 * time.Millisecond, 10 * time.Second

// queue is where those meet who update orders. Some of them lead a group of
// which they are a member; the others wait until a leader takes them along, or
// until they lead themselves. An order is in one group at a time. The zero
// value is an empty queue.
type queue struct {
	mu      sync.Mutex
	waiting []*member       // the longest first
	busy    map[string]bool // the orders under way
	groups  int             // under way, with one member or more
	shared  int             // of them, those with more
	rest    time.Duration   // the last one; zero when the last group was written
	rested  time.Time       // until then nobody waits
}

// member is an update of an order that may share its transaction with others.
type member struct {
	number string
	change orderstore.Change
	turn   chan struct{} // has one when the member is to lead; is closed when it need not wait any more
	gone   bool          // its context is over; the queue's
	group  *group        // the queue's

	result // the leader's, until turn is closed
}

func newMember(number string, change orderstore.Change) *member {
	return &member{number: number, change: change, turn: make(chan struct{}, 1)}
}

// join makes m wait, unless it is better to go alone.
func (q *queue) join(m *member, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Before(q.rested) {
		return false
	}
	q.waiting = append(q.waiting, m)
	q.appoint()
	return true
}

// heard takes note of how a group's transaction ended.
func (q *queue) heard(err error, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		q.rest = 0
		return
	}
	q.rest = min(max(2*q.rest, minRest), maxRest)
	q.rested = now.Add(q.rest)
}

// leave ends the waiting of m. If it is in a group by then, the others go on;
// but when all have left, nobody needs the group's result.
func (q *queue) leave(m *member) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m.gone = true
	if i := slices.Index(q.waiting, m); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		close(m.turn)
	}
	if m.group != nil {
		m.group.left()
	}
}

// stays reports whether somebody still waits for the member's result.
func (q *queue) stays(m *member) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !m.gone
}

// appoint makes groups of those who wait, while there is room; the one that
// waits longest leads.
func (q *queue) appoint() {
	for q.room() {
		g := q.gather()
		if len(g.members) == 0 {
			return
		}
		q.groups++
		g.members[0].turn <- struct{}{}
	}
}

// room reports whether a leader may be appointed.
func (q *queue) room() bool {
	return q.groups < maxGroups || q.shared == 0 && q.groups < maxAlone
}

// gather makes a group of those who wait now and whose order nobody has.
func (q *queue) gather() *group {
	g := new(group)
	if q.busy == nil {
		q.busy = make(map[string]bool)
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(m *member) bool {
		if len(g.members) == maxGroup || q.busy[m.number] {
			return false
		}
		q.busy[m.number] = true
		m.group = g
		g.members = append(g.members, m)
		return true
	})
	if g.staying = len(g.members); g.staying > 1 {
		q.shared++
	}
	return g
}

// end makes room for the next group.
func (q *queue) end(g *group) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.groups--
	if len(g.members) > 1 {
		q.shared--
	}
	for _, m := range g.members {
		delete(q.busy, m.number)
	}
	q.appoint()
}

// watch has cancel called when nobody stays.
func (q *queue) watch(g *group, cancel func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if g.cancel = cancel; g.staying == 0 {
		cancel()
	}
}

// group is the members of a transaction.
type group struct {
	members []*member
	staying int    // whose context is not over; the queue's
	cancel  func() // nil for none; the queue's
}

// left is called for each member whose context ends, with the queue locked.
func (g *group) left() {
	if g.staying--; g.staying == 0 && g.cancel != nil {
		g.cancel()
	}
}
