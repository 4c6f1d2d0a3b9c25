package storetest

import (
	"context"
	"fmt"

	"github.com/wxpaykit/wxpay/orderstore"
)

func saveCases() []Case {
	return []Case{
		{"Save/ReplacesEveryField", saveEveryField},
		{"Save/CanEmptyAField", saveEmpty},
		{"Save/CountsTheVersion", saveVersion},
		{"Save/OldVersionIsErrConflict", saveOld},
		{"Save/FutureVersionIsErrConflict", saveFuture},
		{"Save/MissingOrderIsErrConflict", saveMissing},
		{"Save/LeavesOtherOrdersAlone", saveOthers},
		{"Save/FailsWhole", saveFails},
		{"Save/RefusalsHoldNothing", saveRefusals},
	}
}

func saveEveryField(ctx context.Context, s orderstore.Store) error {
	const number = "tzxz_replaced"
	before, err := filled(number, 1)
	if err != nil {
		return err
	}
	after, err := filled(number, 2)
	if err != nil {
		return err
	}
	if err := create(ctx, s, before); err != nil {
		return err
	}
	after.Version = 1
	if err := must("Save", s.Save(ctx, after)); err != nil {
		return err
	}
	return holds(ctx, s, after.Saved())
}

// What became empty or zero is written as well. Libraries that write only
// what is set would leave a paid order due for ever.
func saveEmpty(ctx context.Context, s orderstore.Store) error {
	full, err := filled("tzxz_emptied", 1)
	if err != nil {
		return err
	}
	if err := create(ctx, s, full); err != nil {
		return err
	}
	empty := orderstore.Order{
		OutTradeNo: full.OutTradeNo, Version: 1, UserID: full.UserID, Total: full.Total,
		Currency: full.Currency, Product: full.Product, MchID: full.MchID, AppID: full.AppID,
	}
	if err := must("Save", s.Save(ctx, empty)); err != nil {
		return err
	}
	return holds(ctx, s, empty.Saved())
}

func saveVersion(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_counted")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	for range 5 {
		o = o.Saved()
		if err := must("Save", s.Save(ctx, o)); err != nil {
			return err
		}
		if err := holds(ctx, s, o.Saved()); err != nil {
			return err
		}
	}
	return nil
}

func saveOld(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_old_version")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	won, lost := o.Saved(), o.Saved()
	won.PayStatus, won.Events = orderstore.Paid, []orderstore.Event{noted("won")}
	lost.PayStatus, lost.Events = orderstore.Closed, []orderstore.Event{noted("lost")}
	if err := must("Save", s.Save(ctx, won)); err != nil {
		return err
	}
	for range 2 {
		if err := refused("Save of an old version", s.Save(ctx, lost), orderstore.ErrConflict); err != nil {
			return err
		}
	}
	if err := holds(ctx, s, won.Saved()); err != nil {
		return err
	}
	return history(ctx, s, o.OutTradeNo, won.Events...)
}

func saveFuture(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_future_version")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	for _, version := range []int64{0, 2, 1 << 40} {
		wrong := o
		wrong.Version, wrong.Total = version, 1
		wrong.Events = []orderstore.Event{noted("lost")}
		if err := refused("Save of a version that never was", s.Save(ctx, wrong), orderstore.ErrConflict); err != nil {
			return err
		}
	}
	if err := holds(ctx, s, o.Saved()); err != nil {
		return err
	}
	return history(ctx, s, o.OutTradeNo)
}

func saveMissing(ctx context.Context, s orderstore.Store) error {
	for _, version := range []int64{0, 1, 2} {
		o := plain("tzxz_missing")
		o.Version, o.Events = version, []orderstore.Event{noted("lost")}
		if err := refused("Save of a missing order", s.Save(ctx, o), orderstore.ErrConflict); err != nil {
			return err
		}
	}
	_, err := s.Get(ctx, "tzxz_missing")
	return refused("Get of an order that was only saved", err, orderstore.ErrNotFound)
}

func saveOthers(ctx context.Context, s orderstore.Store) error {
	mine, other := plain("tzxz_mine"), plain("tzxz_other")
	if err := create(ctx, s, mine, other); err != nil {
		return err
	}
	mine = mine.Saved()
	mine.PayStatus, mine.TransactionID = orderstore.Paid, "4200000001"
	if err := must("Save", s.Save(ctx, mine)); err != nil {
		return err
	}
	if err := holds(ctx, s, mine.Saved()); err != nil {
		return err
	}
	return holds(ctx, s, other.Saved())
}

// A write of which one event cannot be written changes nothing.
func saveFails(ctx context.Context, s orderstore.Store) error {
	o := plain("tzxz_fails")
	o.Events = []orderstore.Event{noted("created")}
	if err := create(ctx, s, o); err != nil {
		return err
	}
	want := len(o.Events)
	for _, note := range oddNotes() {
		next := o.Saved()
		next.PayStatus, next.Events = orderstore.Paid, []orderstore.Event{noted("one"), noted(note), noted("three")}
		switch err := s.Save(ctx, next); {
		case isAnswer(err):
			return fmt.Errorf("Save with an odd note: %w", err)
		case err == nil:
			o, want = next, want+len(next.Events)
		}
		if err := holds(ctx, s, o.Saved()); err != nil {
			return err
		}
		if err := eventCount(ctx, s, o.OutTradeNo, want); err != nil {
			return err
		}
	}
	return must("Save after an error", s.Save(ctx, o.Saved()))
}

// What is refused leaves nothing open: no transaction, no connection. There
// are more refusals here than a database has connections.
func saveRefusals(ctx context.Context, s orderstore.Store) error {
	const refusals = 300
	o := plain("tzxz_refusals")
	if err := create(ctx, s, o); err != nil {
		return err
	}
	for range refusals {
		if err := refused("Save of an old version", s.Save(ctx, o), orderstore.ErrConflict); err != nil {
			return err
		}
		if err := refused("Create of a taken number", s.Create(ctx, o), orderstore.ErrExists); err != nil {
			return err
		}
		_, err := s.Get(ctx, "tzxz_unknown")
		if err := refused("Get of an unknown number", err, orderstore.ErrNotFound); err != nil {
			return err
		}
	}
	if err := must("Save after many refusals", s.Save(ctx, o.Saved())); err != nil {
		return err
	}
	return holds(ctx, s, o.Saved().Saved())
}
