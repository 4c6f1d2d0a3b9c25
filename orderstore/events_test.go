package orderstore_test

import (
	"slices"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Transitions of one order in two directions do not see each other's events.
func TestTransitionsNeverShareEvents(t *testing.T) {
	t.Parallel()
	for name, branch := range map[string]func(o orderstore.Order, note string) orderstore.Order{
		"PrepayFailed": func(o orderstore.Order, note string) orderstore.Order { return o.PrepayFailed(note, true, later) },
		"Close": func(o orderstore.Order, note string) orderstore.Order {
			next, _ := o.Close(orderstore.FromClose, note, later)
			return next
		},
		"Apply": func(o orderstore.Order, note string) orderstore.Order {
			p := paymentOf(o)
			p.ID = note
			next, _, _ := o.Apply(p, later)
			return next
		},
		"Mismatch": func(o orderstore.Order, note string) orderstore.Order {
			p := paymentOf(o)
			p.ID, p.MchID = note, "1900000002"
			next, _, _ := o.Apply(p, later)
			return next
		},
		"Prepaid": func(o orderstore.Order, note string) orderstore.Order {
			next, _ := o.Prepaid(orderstore.Credential{PrepayID: note}, later)
			next.Events[len(next.Events)-1].Note = note
			return next
		},
	} {
		base := newOrder()
		base.Events = append(make([]orderstore.Event, 0, 8), orderstore.Event{Kind: orderstore.EventCreated})
		left := branch(base, "left")
		kept := slices.Clone(left.Events)
		if branch(base, "right"); !slices.Equal(left.Events, kept) {
			t.Errorf("%s: the events of one order were overwritten through another: %+v", name, left.Events)
		}
		if len(base.Events) != 1 || base.Events[:2][1] != (orderstore.Event{}) {
			t.Errorf("%s: wrote into the memory of the order it was called on", name)
		}
	}
}
