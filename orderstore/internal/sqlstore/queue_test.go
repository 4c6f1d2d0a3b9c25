package sqlstore

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// enter makes members of these numbers wait.
func enter(t *testing.T, q *queue, numbers ...string) []*member {
	t.Helper()
	members := make([]*member, len(numbers))
	for i, number := range numbers {
		members[i] = newMember(number, nil)
		if !q.join(members[i], now) {
			t.Fatalf("%s need not wait", number)
		}
	}
	return members
}

func numbered(prefix string, n int) []string {
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = fmt.Sprint(prefix, i)
	}
	return numbers
}

// leads reports whether m was told to lead.
func leads(m *member) bool {
	select {
	case _, ok := <-m.turn:
		return ok
	default:
		return false
	}
}

func numbersOf(g *group) string {
	var numbers []string
	for _, m := range g.members {
		numbers = append(numbers, m.number)
	}
	return fmt.Sprint(numbers)
}

// TestQueueAlone: as long as few orders are under way, nobody waits.
func TestQueueAlone(t *testing.T) {
	t.Parallel()
	var q queue
	for i, m := range enter(t, &q, numbered("n", maxAlone+1)...) {
		if got, want := leads(m), i < maxAlone; got != want {
			t.Errorf("member %d leads: %v", i, got)
		}
	}
}

// full returns a queue in which nobody leads any more, and those who do.
func full(t *testing.T) (*queue, []*member) {
	t.Helper()
	var q queue
	members := enter(t, &q, numbered("full", maxAlone)...)
	for _, m := range members {
		if !leads(m) || numbersOf(m.group) != fmt.Sprint([]string{m.number}) {
			t.Fatalf("%s waits", m.number)
		}
	}
	return &q, members
}

// TestQueueGathers: who waits is taken along, once, in the order of arrival,
// also when several places are free at once.
func TestQueueGathers(t *testing.T) {
	t.Parallel()
	q, first := full(t)
	members := enter(t, q, "a", "b", "a", "full1", "c", "full0")
	q.end(first[0].group)
	q.end(first[2].group)
	for i, m := range members {
		if got, want := leads(m), i == 0; got != want {
			t.Errorf("%s leads: %v", m.number, got)
		}
	}
	if got := numbersOf(members[0].group); got != "[a b c full0]" {
		t.Errorf("the group is %s", got)
	}
	if len(q.waiting) != 2 || q.waiting[0] != members[2] || q.waiting[1] != members[3] {
		t.Errorf("%d wait, want the second of a, and the order that is under way", len(q.waiting))
	}
}

// TestQueueRoom: beside a group of several, two more are under way at most,
// with one member or more; and an order is in one of them.
func TestQueueRoom(t *testing.T) {
	t.Parallel()
	q, first := full(t)
	shared := enter(t, q, "a", "b")[0]
	q.end(first[0].group)
	late := enter(t, q, "b", "d")
	for i, m := range first[1:] {
		q.end(m.group)
		underway := maxAlone - 1 - i
		if got, want := leads(late[1]), underway < maxGroups; got != want {
			t.Fatalf("beside %d groups, one of them of several, one leads: %v", underway, got)
		} else if got {
			break
		}
	}
	if leads(late[0]) {
		t.Error("the order is in two groups")
	}
	if q.end(shared.group); !leads(late[0]) {
		t.Error("the order is free, and nobody leads")
	}
}

func TestQueueGroupIsBounded(t *testing.T) {
	t.Parallel()
	q, first := full(t)
	members := enter(t, q, numbered("n", maxGroup+1)...)
	q.end(first[0].group)
	if g := members[0].group; len(g.members) != maxGroup || len(q.waiting) != 1 {
		t.Errorf("%d are in a group and %d wait, want %d and 1", len(g.members), len(q.waiting), maxGroup)
	}
}

// TestQueueLeave: who leaves waits no more; a group ends when all have left.
func TestQueueLeave(t *testing.T) {
	t.Parallel()
	q, first := full(t)
	members := enter(t, q, "a", "b", "c")
	q.leave(members[1])
	if _, ok := <-members[1].turn; ok || len(q.waiting) != 2 {
		t.Errorf("the one that left waits, with %d", len(q.waiting))
	}
	q.end(first[0].group)
	q.leave(members[0])
	g, ended := members[2].group, 0
	q.watch(g, func() { ended++ })
	if numbersOf(g) != "[a c]" || ended != 0 || q.stays(members[0]) || !q.stays(members[2]) {
		t.Errorf("the group is %s, ended %d times", numbersOf(g), ended)
	}
	if q.leave(members[2]); ended != 1 {
		t.Error("all have left, and the group goes on")
	}
	if q.watch(g, func() { ended++ }); ended != 2 {
		t.Error("all had left, and the group begins")
	}
}

// TestQueueRests: a group that came to nothing has others go alone, for longer
// each time, until one is written.
func TestQueueRests(t *testing.T) {
	t.Parallel()
	var q queue
	joins := func(after time.Duration) bool { return q.join(newMember("n", nil), now.Add(after)) }
	broken := errors.New("syntax error")
	for _, rest := range []time.Duration{minRest, 2 * minRest, 4 * minRest} {
		q.heard(broken, now)
		if joins(rest-1) || !joins(rest) {
			t.Errorf("want a rest of %v", rest)
		}
	}
	for range 20 {
		q.heard(broken, now)
	}
	if joins(maxRest-1) || !joins(maxRest) {
		t.Errorf("want a rest of %v", maxRest)
	}
	q.heard(nil, now)
	q.heard(broken, now)
	if joins(minRest-1) || !joins(minRest) {
		t.Errorf("want a rest of %v after a group that was written", minRest)
	}
}

// TestQueuePatience: whoever takes long does not keep others from going.
func TestQueuePatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s Store
		for _, m := range enter(t, &s.queue, numbered("slow", maxAlone)...) {
			leads(m)
			defer s.lead(m)()
		}
		late := enter(t, &s.queue, "slow0")[0]
		time.Sleep(patience - time.Nanosecond)
		if synctest.Wait(); leads(late) {
			t.Error("there is room before patience is over")
		}
		time.Sleep(time.Nanosecond)
		if synctest.Wait(); !leads(late) {
			t.Error("there is no room when patience is over")
		}
	})
}
