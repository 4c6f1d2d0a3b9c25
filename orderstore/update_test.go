package orderstore_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// stubborn is a store whose Save fails a number of times before it works.
type stubborn struct {
	*memory.Store
	fails int
	with  error
	saves int
	then  func() // is called after each failure
}

func (s *stubborn) Save(ctx context.Context, o orderstore.Order) error {
	s.saves++
	if s.saves <= s.fails {
		if s.then != nil {
			s.then()
		}
		return s.with
	}
	return s.Store.Save(ctx, o)
}

// Get is deaf to its context, so that Update must hear it.
func (s *stubborn) Get(ctx context.Context, number string) (orderstore.Order, error) {
	return s.Store.Get(context.WithoutCancel(ctx), number)
}

func newStubborn(t *testing.T, fails int, with error) *stubborn {
	t.Helper()
	s := &stubborn{Store: memory.New(), fails: fails, with: with}
	if err := s.Create(t.Context(), newOrder()); err != nil {
		t.Fatal(err)
	}
	return s
}

// decide counts how often it was asked.
func decide(calls *int, save bool) func(orderstore.Order) (orderstore.Order, bool) {
	return func(o orderstore.Order) (orderstore.Order, bool) {
		*calls++
		return o.PrepayFailed("timeout", true, later), save
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	s, calls := newStubborn(t, 0, nil), 0
	got, err := orderstore.Update(t.Context(), s, newOrder().OutTradeNo, decide(&calls, true))
	if err != nil || calls != 1 {
		t.Fatalf("Update: %v after %d calls", err, calls)
	}
	stored, err := s.Get(t.Context(), newOrder().OutTradeNo)
	if err != nil || stored.Version != 2 {
		t.Fatalf("Get: version %d, %v", stored.Version, err)
	}
	wantOrder(t, got, stored)
	if events, err := s.Events(t.Context(), stored.OutTradeNo); err != nil || len(events) != 1 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestUpdateThatSavesNothing(t *testing.T) {
	t.Parallel()
	s, calls := newStubborn(t, 0, nil), 0
	got, err := orderstore.Update(t.Context(), s, newOrder().OutTradeNo, decide(&calls, false))
	if err != nil || calls != 1 || s.saves != 0 {
		t.Errorf("Update: %v after %d calls and %d saves", err, calls, s.saves)
	}
	wantOrder(t, got, newOrder())
}

// Each conflict is decided anew, on the order as it is then.
func TestUpdateBeginsAgainAfterAConflict(t *testing.T) {
	t.Parallel()
	s, calls := newStubborn(t, 5, orderstore.ErrConflict), 0
	s.with = errors.Join(errors.New("version 1"), orderstore.ErrConflict) // wrapped, as stores may
	s.then = func() {
		o, err := s.Store.Get(t.Context(), newOrder().OutTradeNo)
		if err == nil {
			err = s.Store.Save(t.Context(), o)
		}
		if err != nil {
			t.Error(err)
		}
	}
	got, err := orderstore.Update(t.Context(), s, newOrder().OutTradeNo, decide(&calls, true))
	if err != nil || calls != 6 || got.Version != 7 || len(got.Events) != 0 {
		t.Errorf("Update: version %d, %v after %d calls, want version 7 after 6", got.Version, err, calls)
	}
}

func TestUpdateGivesUp(t *testing.T) {
	t.Parallel()
	s, calls := newStubborn(t, 1<<30, orderstore.ErrConflict), 0
	got, err := orderstore.Update(t.Context(), s, newOrder().OutTradeNo, decide(&calls, true))
	if !errors.Is(err, orderstore.ErrConflict) || calls != 1000 {
		t.Errorf("Update: %v after %d calls, want ErrConflict after 1000", err, calls)
	}
	wantOrder(t, got, orderstore.Order{})
}

func TestUpdateReturnsTheStoresErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	s, calls := newStubborn(t, 1, broken), 0
	if _, err := orderstore.Update(t.Context(), s, newOrder().OutTradeNo, decide(&calls, true)); !errors.Is(err, broken) || calls != 1 {
		t.Errorf("Update: %v after %d calls, want the store's error after 1", err, calls)
	}
	calls = 0
	if _, err := orderstore.Update(t.Context(), s, "tzxz_unknown", decide(&calls, true)); !errors.Is(err, orderstore.ErrNotFound) || calls != 0 {
		t.Errorf("Update of an unknown number: %v after %d calls, want ErrNotFound after 0", err, calls)
	}
}

func TestUpdateHearsItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, calls := newStubborn(t, 1<<30, orderstore.ErrConflict), 0
	s.then = cancel
	if _, err := orderstore.Update(ctx, s, newOrder().OutTradeNo, decide(&calls, true)); !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("Update: %v after %d calls, want context.Canceled after 1", err, calls)
	}
}

// quick is a store with a way of its own.
type quick struct {
	*memory.Store
	updates int
}

func (q *quick) Updater() (orderstore.Store, func(context.Context, string, orderstore.Change) (orderstore.Order, error)) {
	return q, func(ctx context.Context, number string, change orderstore.Change) (orderstore.Order, error) {
		q.updates++
		return orderstore.Update(ctx, q.Store, number, change)
	}
}

// around embeds a store, and does something of its own in Save.
type around struct {
	*quick
	saves int
}

func (a *around) Save(ctx context.Context, o orderstore.Order) error {
	a.saves++
	return a.quick.Save(ctx, o)
}

// TestUpdater: a store's own way is taken, but never past the Save of a type
// that embeds it.
func TestUpdater(t *testing.T) {
	t.Parallel()
	q, calls := &quick{Store: memory.New()}, 0
	if err := q.Create(t.Context(), newOrder()); err != nil {
		t.Fatal(err)
	}
	a := &around{quick: q}
	for i, s := range []orderstore.Store{q, a} {
		got, err := orderstore.Update(t.Context(), s, newOrder().OutTradeNo, decide(&calls, true))
		if want := int64(i + 2); err != nil || got.Version != want {
			t.Fatalf("Update: version %d, want %d, %v", got.Version, want, err)
		}
	}
	if q.updates != 1 || a.saves != 1 || calls != 2 {
		t.Errorf("%d ways of its own, %d saves of the type around it, %d calls; want 1, 1, 2", q.updates, a.saves, calls)
	}
}
