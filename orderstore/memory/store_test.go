package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) orderstore.Store { return memory.New() })
}

func ExampleNew() {
	store, ctx := memory.New(), context.Background()
	err := store.Create(ctx, orderstore.Order{
		OutTradeNo: "tzxz_3cca32f4bb_1", UserID: "3cca32f4bb", Total: 100,
		CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
	})
	fmt.Println(err)

	o, err := store.Get(ctx, "tzxz_3cca32f4bb_1")
	fmt.Println(o.Version, o.Total, o.PayStatus, err)

	fmt.Println(store.Create(ctx, o))
	// Output:
	// <nil>
	// 1 1.00元 已下单,未支付 <nil>
	// orderstore: order number is taken
}
