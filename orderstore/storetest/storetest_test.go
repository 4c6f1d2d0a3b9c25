package storetest_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

func TestRunWithHonestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) orderstore.Store { return memory.New() })
}

// lie is a fault that a store could have, and the cases that must find it.
type lie struct {
	name   string
	tell   func(*liar)
	caught []string
}

func TestEveryLieIsCaught(t *testing.T) {
	t.Parallel()
	cases := make(map[string]storetest.Case)
	for _, c := range storetest.Cases() {
		cases[c.Name] = c
	}
	proved := make(map[string]bool)
	for _, lie := range lies() {
		for _, name := range lie.caught {
			proved[name] = true
		}
		t.Run(lie.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range lie.caught {
				c, ok := cases[name]
				if !ok {
					t.Fatalf("there is no case %q", name)
				}
				l := newLiar()
				lie.tell(l)
				if err := c.Run(t.Context(), l); err == nil {
					t.Errorf("%s was not caught by %s", lie.name, name)
				} else {
					t.Logf("%s: %v", name, err)
				}
			}
		})
	}
	for name := range cases {
		if !proved[name] {
			t.Errorf("no lie proves that case %s can fail", name)
		}
	}
}

func TestEveryForgottenFieldOfAnOrderIsCaught(t *testing.T) {
	t.Parallel()
	list := fields(reflect.TypeFor[orderstore.Order]())
	if len(list) < 30 {
		t.Fatalf("reflection found only %d fields", len(list))
	}
	for _, field := range list {
		if field.Name == "Events" {
			continue // TestEveryForgottenFieldOfAnEventIsCaught
		}
		forget := func(o *orderstore.Order) { reflect.ValueOf(o).Elem().FieldByIndex(field.Index).SetZero() }
		t.Run(field.Name, func(t *testing.T) {
			t.Parallel()
			mustFail(t, "Create/KeepsEveryField", func(l *liar) { l.onRead(forget) })
			mustFail(t, "Due/ReturnsWholeOrders", func(l *liar) { l.onDue(each(forget)) })
			mustFail(t, "Find/ReturnsWholeOrders", func(l *liar) { l.onFind(each(forget)) })
			mustFail(t, "Paid/ReturnsWholeOrders", func(l *liar) { l.onPaid(each(forget)) })
			if field.Name == "OutTradeNo" || field.Name == "Version" {
				return // they are not written by Save, but looked for
			}
			mustFail(t, "Save/ReplacesEveryField", func(l *liar) {
				l.save = func(ctx context.Context, o orderstore.Order) error {
					forget(&o)
					return l.honest.Save(ctx, o)
				}
			})
		})
	}
}

func TestEveryForgottenFieldOfAnEventIsCaught(t *testing.T) {
	t.Parallel()
	for _, field := range fields(reflect.TypeFor[orderstore.Event]()) {
		mustFail(t, "Events/KeepEveryField", func(l *liar) {
			l.onEvents(each(func(e *orderstore.Event) {
				reflect.ValueOf(e).Elem().FieldByIndex(field.Index).SetZero()
			}))
		})
	}
}

func TestEveryForgottenFieldOfARefundIsCaught(t *testing.T) {
	t.Parallel()
	for _, field := range fields(reflect.TypeFor[orderstore.Refund]()) {
		forget := func(o *orderstore.Order) {
			for i := range o.Refunds {
				reflect.ValueOf(&o.Refunds[i]).Elem().FieldByIndex(field.Index).SetZero()
			}
		}
		mustFail(t, "Create/KeepsEveryField", func(l *liar) { l.onRead(forget) })
		mustFail(t, "Save/ReplacesEveryField", func(l *liar) {
			l.save = func(ctx context.Context, o orderstore.Order) error {
				o.Refunds = slices.Clone(o.Refunds)
				forget(&o)
				return l.honest.Save(ctx, o)
			}
		})
	}
}

func mustFail(t *testing.T, name string, tell func(*liar)) {
	t.Helper()
	l := newLiar()
	tell(l)
	for _, c := range storetest.Cases() {
		if c.Name == name {
			if err := c.Run(t.Context(), l); err == nil {
				t.Errorf("%s did not fail", name)
			}
			return
		}
	}
	t.Fatalf("there is no case %q", name)
}

func fields(t reflect.Type) []reflect.StructField {
	var list []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous {
			list = append(list, f)
		}
	}
	return list
}

// A team's test of its own store.
func ExampleRun() {
	test := func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) orderstore.Store {
			return memory.New() // yours: empty, cleaned up with t.Cleanup
		})
	}
	_ = test
}

func ExampleCases() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, c := range storetest.Cases() {
		if err := c.Run(ctx, memory.New()); err != nil {
			fmt.Println(c.Name, err)
		}
	}
	// Output:
}
