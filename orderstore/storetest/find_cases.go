package storetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func findCases() []Case {
	return []Case{
		{"Find/NewestFirst", findOrder},
		{"Find/ExactRef", findExact},
		{"Find/EmptyRefFindsNothing", findEmpty},
		{"Find/ReturnsWholeOrders", findWhole},
	}
}

// attempt returns a plain order that pays for ref.
func attempt(number, ref string, created time.Time) orderstore.Order {
	o := plain(number)
	o.Ref, o.CreatedAt, o.UpdatedAt = ref, created, created
	return o
}

// finds reports an error unless exactly these numbers pay for ref, in this
// order.
func finds(ctx context.Context, s orderstore.Store, ref string, want ...string) error {
	got, err := s.Find(ctx, ref)
	if err != nil {
		return fmt.Errorf("Find(%q): %w", ref, err)
	}
	if !slices.Equal(numbers(got), want) {
		return fmt.Errorf("Find(%q) is %v, want %v", ref, numbers(got), want)
	}
	return nil
}

// Newest is by CreatedAt; being saved makes an order no newer.
func findOrder(ctx context.Context, s orderstore.Store) error {
	for _, i := range []int{2, 0, 3, 1} {
		o := attempt(fmt.Sprintf("tzxz_find_%d", 9-i), "ref-1", epoch.Add(time.Duration(i)*time.Microsecond))
		if err := create(ctx, s, o); err != nil {
			return err
		}
	}
	oldest := attempt("tzxz_find_9", "ref-1", epoch).Saved()
	oldest.UpdatedAt = epoch.Add(time.Hour)
	if err := must("Save", s.Save(ctx, oldest)); err != nil {
		return err
	}
	return finds(ctx, s, "ref-1", "tzxz_find_6", "tzxz_find_7", "tzxz_find_8", "tzxz_find_9")
}

func findExact(ctx context.Context, s orderstore.Store) error {
	err := create(ctx, s,
		attempt("tzxz_exact_1", "Order-1", epoch),
		attempt("tzxz_exact_2", "order-1", epoch),
		attempt("tzxz_exact_3", "order_1", epoch),
		attempt("tzxz_exact_4", "order-10", epoch),
		attempt("tzxz_exact_5", "订单-1", epoch),
		attempt("tzxz_exact_6", "order-1 ", epoch), // some databases ignore blanks at the end
		attempt("tzxz_exact_7", "órder-1", epoch),  // some ignore accents
		attempt("tzxz_exact_8", "ｏrder-1", epoch))  // some ignore the width of letters
	if err != nil {
		return err
	}
	for ref, want := range map[string][]string{
		"Order-1": {"tzxz_exact_1"}, "order-1": {"tzxz_exact_2"}, "order_1": {"tzxz_exact_3"},
		"订单-1": {"tzxz_exact_5"}, "order-1 ": {"tzxz_exact_6"}, "órder-1": {"tzxz_exact_7"}, "ｏrder-1": {"tzxz_exact_8"},
		"ORDER-1": nil, "order-": nil, "order%": nil, "tzxz_exact_1": nil,
	} {
		if err := finds(ctx, s, ref, want...); err != nil {
			return err
		}
	}
	return nil
}

// Orders of goods have no ref; they are no attempts of one another.
func findEmpty(ctx context.Context, s orderstore.Store) error {
	err := create(ctx, s, attempt("tzxz_no_ref_1", "", epoch), attempt("tzxz_no_ref_2", "", epoch),
		attempt("tzxz_ref", "ref-1", epoch))
	if err != nil {
		return err
	}
	return finds(ctx, s, "")
}

func findWhole(ctx context.Context, s orderstore.Store) error {
	o, err := filled("tzxz_find_whole", 1)
	if err != nil {
		return err
	}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	found, err := s.Find(ctx, o.Ref)
	if err != nil {
		return must("Find", err)
	}
	if err := must("Find", sameList(found, []orderstore.Order{o.Saved()})); err != nil {
		return err
	}
	return must("Save of an order as Find returned it", s.Save(ctx, found[0]))
}
