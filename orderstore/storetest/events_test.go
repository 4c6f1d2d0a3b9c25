package storetest_test

import (
	"context"
	"slices"
	"sync"

	"github.com/wxpaykit/wxpay/orderstore"
)

func eventLies() []lie {
	return []lie{
		{"events come newest first", func(l *liar) {
			l.onEvents(func(list []orderstore.Event) []orderstore.Event {
				slices.Reverse(list)
				return list
			})
		}, []string{"Events/OldestFirst"}},
		{"events are sorted by time", func(l *liar) {
			l.onEvents(func(list []orderstore.Event) []orderstore.Event {
				slices.SortStableFunc(list, func(a, b orderstore.Event) int { return a.At.Compare(b.At) })
				return list
			})
		}, []string{"Events/OldestFirst"}},
		{"events of a write come backwards", func(l *liar) {
			l.onWrite(func(o *orderstore.Order) {
				o.Events = slices.Clone(o.Events)
				slices.Reverse(o.Events)
			})
		}, []string{"Events/OldestFirst"}},
		{"Save replaces the history", apart(func(t *eventTable) { t.replace = true }), []string{"Events/OldestFirst", "Events/StayWithTheirOrder"}},
		{"events are written whatever the order says", apart(func(*eventTable) {}),
			[]string{"Create/TakenNumberIsErrExists", "Save/OldVersionIsErrConflict", "Save/FutureVersionIsErrConflict", "Race/OneCreateWins"}},
		{"the store keeps the caller's events", apart(func(t *eventTable) { t.share = true }), []string{"Events/OwnTheirMemory"}},
		{"the store hands out its own events", apart(func(t *eventTable) { t.give = true }), []string{"Events/OwnTheirMemory"}},
		{"events belong to nobody", apart(func(t *eventTable) {
			t.key = func(string) string { return "" }
		}), []string{"Events/StayWithTheirOrder", "Get/ComparesNumbersByCase"}},
		{"Get brings the events", func(l *liar) {
			l.onRead(func(o *orderstore.Order) { o.Events, _ = l.honest.Events(context.Background(), o.OutTradeNo) })
		}, []string{"Events/AreNoPartOfAnOrder"}},
		{"events forget the key that signed", func(l *liar) {
			l.onEvents(each(func(e *orderstore.Event) { e.Serial = "" }))
		}, []string{"Events/KeepEveryField"}},
		{"Save loses the events", func(l *liar) {
			l.save = func(ctx context.Context, o orderstore.Order) error {
				o.Events = nil
				return l.honest.Save(ctx, o)
			}
		}, []string{"Events/OldestFirst", "Events/Large", "Race/NoLostUpdate"}},
		{"notes are cut", func(l *liar) {
			l.onEvents(each(func(e *orderstore.Event) { e.Note = e.Note[:min(len(e.Note), 255)] }))
		}, []string{"Events/Large"}},
		{"history is cut", func(l *liar) {
			l.onEvents(func(list []orderstore.Event) []orderstore.Event { return list[:min(len(list), 100)] })
		}, []string{"Events/Large"}},
	}
}

// eventTable keeps events beside the orders, in no transaction with them.
type eventTable struct {
	mu                   sync.Mutex
	lists                map[string][][]orderstore.Event // one for each write
	key                  func(number string) string
	replace, share, give bool
}

// apart tells the lie that the events are in such a table.
func apart(set func(*eventTable)) func(*liar) {
	return func(l *liar) {
		t := &eventTable{
			lists: make(map[string][][]orderstore.Event),
			key:   func(number string) string { return number },
		}
		set(t)
		t.serve(l)
	}
}

func (t *eventTable) serve(l *liar) {
	l.onWrite(func(o *orderstore.Order) { t.add(t.key(o.OutTradeNo), o.Events) })
	l.events = func(_ context.Context, number string) ([]orderstore.Event, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		all := slices.Concat(t.lists[t.key(number)]...)
		if t.give {
			t.lists[t.key(number)] = [][]orderstore.Event{all}
		}
		return all, nil
	}
}

func (t *eventTable) add(key string, list []orderstore.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.share {
		list = slices.Clone(list)
	}
	if t.replace {
		t.lists[key] = nil
	}
	t.lists[key] = append(t.lists[key], list)
}
