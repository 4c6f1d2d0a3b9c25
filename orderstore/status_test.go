package orderstore_test

import (
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

func TestStatusAndProduct(t *testing.T) {
	t.Parallel()
	for status, want := range map[orderstore.PayStatus]string{
		orderstore.Unpaid: "已下单,未支付", orderstore.Paid: "支付成功", orderstore.Closed: "订单已关闭", 3: "未知状态", -1: "未知状态",
	} {
		if got := status.String(); got != want {
			t.Errorf("PayStatus(%d) prints %q, want %q", int(status), got, want)
		}
	}
	products := orderstore.Products()
	if len(products) != 5 {
		t.Errorf("there are %d products, want 5", len(products))
	}
	for _, p := range products {
		if !p.Valid() {
			t.Errorf("product %q is not valid", p)
		}
	}
	products[0] = "changed by the caller"
	if !orderstore.Products()[0].Valid() {
		t.Error("the list of products is shared")
	}
	if orderstore.Product("").Valid() {
		t.Error("no product is a product")
	}
}
