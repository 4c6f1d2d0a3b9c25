package wxpay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/orderstore"
)

// storePatience is what a store may take to answer before it is slow, and not
// ready to take notifications, which WeChat Pay gives 5 s.
const storePatience = time.Second

// checkStore is about the store. It only reads: nothing is left behind.
func (k *Kit) checkStore(ctx context.Context) []checkup.Finding {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout/2)
	defer cancel()
	start := time.Now()
	if err := within(ctx, k.askStore); err != nil {
		return []checkup.Finding{checkup.Found("store-broken", err.Error())}
	}
	found := []checkup.Finding{checkup.Found("store-answers", "")}
	if took := time.Since(start); took > storePatience {
		found[0] = checkup.Found("store-slow", took.Round(time.Millisecond).String())
	}
	found = append(found, k.checkDurability(ctx))
	return append(found, k.checkBinding(ctx)...)
}

// errGhost is a store that finds what was never created.
var errGhost = errors.New("store: it has an order that nobody made")

// askStore looks for an order that does not exist, and for work.
func (k *Kit) askStore(ctx context.Context) error {
	switch _, err := k.opt.Store.Get(ctx, "wxpay-self-check"); {
	case err == nil:
		return errGhost
	case !errors.Is(err, orderstore.ErrNotFound):
		return err
	}
	_, err := k.opt.Store.Due(ctx, k.opt.Now(), 1)
	return err
}

// checker is what the stores of this module have, and any other may: it
// reports what would keep the store from being safe, and changes nothing.
type checker interface {
	Check(ctx context.Context) error
}

func (k *Kit) checkDurability(ctx context.Context) checkup.Finding {
	store, ok := k.opt.Store.(checker)
	if !ok {
		return checkup.Found("store-unchecked", fmt.Sprintf("%T", k.opt.Store))
	}
	if err := within(ctx, store.Check); err != nil {
		return checkup.Found("store-unsafe", err.Error())
	}
	return checkup.Found("store-safe", "")
}

// How far back, and at how many orders, it is looked for proof of an appid.
const (
	boundWithin = 30 * 24 * time.Hour
	boundLook   = 256
)

// checkBinding says which appids are bound to the merchant number. WeChat Pay
// has no question for it but a prepay; an order that was paid is proof.
func (k *Kit) checkBinding(ctx context.Context) (found []checkup.Finding) {
	proved := make(map[string]bool)
	now := k.opt.Now()
	err := within(ctx, func(ctx context.Context) error {
		paid, err := k.opt.Store.Paid(ctx, now.Add(-boundWithin), now, "", boundLook)
		for _, o := range paid {
			proved[o.AppID] = true
		}
		return err
	})
	if err != nil {
		return []checkup.Finding{checkup.Found("store-broken", err.Error())}
	}
	seen := make(map[string]bool)
	for _, product := range orderstore.Products() {
		id, ok := k.acct.appIDs[product]
		if !ok || seen[id] {
			continue
		}
		seen[id] = true
		if proved[id] {
			found = append(found, checkup.Found("appid-bound", id))
		} else {
			found = append(found, checkup.Found("appid-unchecked", id))
		}
	}
	return found
}
