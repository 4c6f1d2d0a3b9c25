package sqlite

import (
	"runtime"
	"slices"
	"sync"
)

// queue is where the writers of a store meet. One of them leads: it has the
// token, and with it the one connection that writes. The others wait until
// the leader takes them along, or until they lead themselves; the token goes
// to whoever waits longest for it.
type queue struct {
	lead    chan struct{} // has room for one: the leader's token
	mu      sync.Mutex
	waiting []*member // the longest first
}

// member is a write that shares its transaction with others.
type member struct {
	change change
	err    error      // what change returned; the leader's
	result chan error // has room for one: what the writer is told
}

func newMember(do change) *member {
	return &member{change: do, result: make(chan error, 1)}
}

func newQueue() queue { return queue{lead: make(chan struct{}, 1)} }

// release gives the leader's token to the next one.
func (q *queue) release() { <-q.lead }

// join makes m wait.
func (q *queue) join(m *member) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, m)
}

// leave reports whether m still waited, and ends that. Otherwise a leader has
// taken it along, and its result is there or will be.
func (q *queue) leave(m *member) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, m)
	if i < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	return true
}

// all returns those who wait now; they go on waiting.
func (q *queue) all() []*member {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.waiting)
}

// refuse gives err to those of members who still wait.
func (q *queue) refuse(members []*member, err error) {
	for _, m := range members {
		if q.leave(m) {
			m.result <- err
		}
	}
}

// take ends the waiting of the one that waits longest; nil when nobody does.
func (q *queue) take() *member {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return nil
	}
	m := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	return m
}

// next is take, with a second look. Those who were just told the result of
// their last write are about to join again, but on one core nobody can while
// the leader runs, and if the disk is quick, nobody while it commits: each
// would commit for itself. So the leader lets the others run once, which takes
// no time when there are none.
func (q *queue) next() *member {
	if m := q.take(); m != nil {
		return m
	}
	runtime.Gosched()
	return q.take()
}
