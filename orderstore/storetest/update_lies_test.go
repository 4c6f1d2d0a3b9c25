package storetest_test

import (
	"context"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// updating makes the liar an [orderstore.Updater], whose way is the honest
// store's with a change of its own.
func updating(lie func(l *liar, number string, change orderstore.Change) (orderstore.Order, error)) func(*liar) {
	return func(l *liar) {
		l.update = func(_ context.Context, number string, change orderstore.Change) (orderstore.Order, error) {
			return lie(l, number, change)
		}
	}
}

func (l *liar) Updater() (orderstore.Store, func(context.Context, string, orderstore.Change) (orderstore.Order, error)) {
	if l.update == nil {
		return nil, nil
	}
	return l, l.update
}

func updateLies() []lie {
	ctx := context.Background()
	return []lie{
		{"Update forgets what was bought", updating(func(l *liar, number string, change orderstore.Change) (orderstore.Order, error) {
			return orderstore.Update(ctx, l.honest, number, func(o orderstore.Order) (orderstore.Order, bool) {
				next, save := change(o)
				next.Attach = o.Attach
				return next, save
			})
		}), []string{"Update/ReplacesEveryField", "Update/ReplacesAnyOneField"}},
		{"Update drops events", updating(func(l *liar, number string, change orderstore.Change) (orderstore.Order, error) {
			return orderstore.Update(ctx, l.honest, number, func(o orderstore.Order) (orderstore.Order, bool) {
				next, save := change(o)
				next.Events = nil
				return next, save
			})
		}), []string{"Update/AppendsEvents", "Race/NoLostUpdate"}},
		{"Update saves without being told", updating(func(l *liar, number string, change orderstore.Change) (orderstore.Order, error) {
			return orderstore.Update(ctx, l.honest, number, func(o orderstore.Order) (orderstore.Order, bool) {
				next, _ := change(o)
				return next, true
			})
		}), []string{"Update/SavesNothingUnlessTold"}},
		{"Update makes up what is missing", updating(func(l *liar, number string, change orderstore.Change) (orderstore.Order, error) {
			next, _ := change(orderstore.Order{OutTradeNo: number})
			return next, nil
		}), []string{"Update/MissingOrderIsErrNotFound"}},
		{"Update loses to others", updating(func(l *liar, number string, change orderstore.Change) (orderstore.Order, error) {
			o, err := l.honest.Get(ctx, number)
			if err != nil {
				return o, err
			}
			time.Sleep(time.Millisecond) // the others read meanwhile
			next, _ := change(o)
			return next.Saved(), l.overwrite(ctx, next)
		}), []string{"Race/NoLostUpdate"}},
		{"Update hides that its change panicked", updating(func(l *liar, number string, change orderstore.Change) (o orderstore.Order, err error) {
			defer func() { _ = recover() }()
			return orderstore.Update(ctx, l.honest, number, change)
		}), []string{"Update/OwnWaySurvivesItsChange"}},
	}
}
