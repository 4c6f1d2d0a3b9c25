package orderstore_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// noon is when the tests' orders are created.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// newOrder returns an unpaid order that expires half an hour after noon.
func newOrder() orderstore.Order {
	return orderstore.Order{
		OutTradeNo: "tzxz_3cca32f4bb_1", Version: 1, UserID: "3cca32f4bb", GoodsID: "vip-month",
		Description: "1个月会员", Total: 100, Currency: orderstore.CNY, Product: orderstore.JSAPI,
		MchID: "1900000001", AppID: "wxd678efh567hg6787", OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		PrepayRequest: `{"mchid":"1900000001"}`, ExpiresAt: noon.Add(30 * time.Minute),
		CreatedAt: noon, UpdatedAt: noon,
	}
}

// paymentOf returns the notification that pays the order.
func paymentOf(o orderstore.Order) orderstore.Payment {
	return orderstore.Payment{
		Source: orderstore.FromNotification, ID: "EV-1", Serial: "5157F09E",
		OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID,
		TradeState: orderstore.TradeSuccess, TransactionID: "4200000001",
		Total: o.Total, PayerTotal: o.Total - 10, Currency: o.Currency, PaidAt: noon.Add(time.Minute),
	}
}

// paidOrder returns an order that was paid a minute after noon, as read from a
// store.
func paidOrder(t testing.TB) orderstore.Order {
	t.Helper()
	o, outcome, err := newOrder().Apply(paymentOf(newOrder()), noon.Add(time.Minute))
	if err != nil || outcome != orderstore.BecamePaid {
		t.Fatalf("Apply: %v, %v", outcome, err)
	}
	return o.Saved()
}

// closedOrder returns an order that was closed an hour after noon, as read
// from a store.
func closedOrder(t testing.TB) orderstore.Order {
	t.Helper()
	o, err := newOrder().Close(orderstore.FromClose, "", noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return o.Saved()
}

// wantOrder compares whole orders, so that nothing else changed either.
func wantOrder(t testing.TB, got, want orderstore.Order) {
	t.Helper()
	if len(got.Events) == 0 && len(want.Events) == 0 {
		got.Events, want.Events = nil, nil
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the order is\n%+v\nwant\n%+v", got, want)
	}
}

func TestValidNumber(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]bool{
		"":                                  false,
		"12345":                             false,
		"123456":                            true,
		"12345678901234567890123456789012":  true,
		"123456789012345678901234567890123": false,
		"tzxz_3cca32f4bb_1623846752103":     true,
		"azAZ09_-|*":                        true,
		"||||||":                            true,
		"******":                            true,
		"with space":                        false,
		" 123456":                           false,
		"123456\n":                          false,
		"12345\x00":                         false,
		"at@sign":                           false, // allowed in out_refund_no only
		"slash/es":                          false,
		"dot.dot":                           false,
		"per%cent":                          false,
		"订单订单":                              false,
		"１２３４５６":                            false, // full-width digits
		"12345é":                            false,
	} {
		if got := orderstore.ValidNumber(number); got != want {
			t.Errorf("ValidNumber(%q) is %v, want %v", number, got, want)
		}
	}
	for c := range 256 {
		number := "12345" + string([]byte{byte(c)})
		want := strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-|*", rune(c)) && c < 128
		if got := orderstore.ValidNumber(number); got != want {
			t.Errorf("ValidNumber(%q) is %v, want %v", number, got, want)
		}
	}
}

// Each row makes one thing wrong with a good order.
func TestValidate(t *testing.T) {
	t.Parallel()
	if err := newOrder().Validate(); err != nil {
		t.Fatalf("a good order: %v", err)
	}
	for name, c := range map[string]struct {
		spoil func(*orderstore.Order)
		says  string
	}{
		"number":       {func(o *orderstore.Order) { o.OutTradeNo = "short" }, `out_trade_no "short"`},
		"user":         {func(o *orderstore.Order) { o.UserID = "" }, "user_id"},
		"nothing":      {func(o *orderstore.Order) { o.Total = 0 }, "total is 0"},
		"negative":     {func(o *orderstore.Order) { o.Total = -1 }, "total is -1"},
		"currency":     {func(o *orderstore.Order) { o.Currency = "USD" }, `currency is "USD"`},
		"no currency":  {func(o *orderstore.Order) { o.Currency = "" }, `currency is ""`},
		"product":      {func(o *orderstore.Order) { o.Product = "micropay" }, `product "micropay"`},
		"product case": {func(o *orderstore.Order) { o.Product = "JSAPI" }, `product "JSAPI"`},
		"merchant":     {func(o *orderstore.Order) { o.MchID = "" }, "mchid"},
		"application":  {func(o *orderstore.Order) { o.AppID = "" }, "appid"},
	} {
		o := newOrder()
		c.spoil(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more is wrong than that: %v", name, err)
		}
	}
	if lines := strings.Split(orderstore.Order{}.Validate().Error(), "\n"); len(lines) != 6 {
		t.Errorf("an empty order has %d faults, want all 6 at once: %q", len(lines), lines)
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	o := newOrder()
	for at, want := range map[time.Duration]bool{0: false, 30*time.Minute - 1: false, 30 * time.Minute: true, time.Hour: true} {
		if got := o.Expired(noon.Add(at)); got != want {
			t.Errorf("Expired after %v is %v, want %v", at, got, want)
		}
	}
	o.ExpiresAt = time.Time{}
	if o.Expired(noon.AddDate(100, 0, 0)) {
		t.Error("an order without an end expired")
	}
}

func TestSaved(t *testing.T) {
	t.Parallel()
	o := newOrder()
	o.Events = []orderstore.Event{{Kind: orderstore.EventCreated}}
	want := newOrder()
	want.Version = 2
	wantOrder(t, o.Saved(), want)
	if len(o.Events) != 1 || o.Version != 1 {
		t.Error("Saved changed the order it was called on")
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	before := newOrder()
	if before.Changed(before) {
		t.Error("an order differs from itself")
	}
	for name, change := range map[string]func(*orderstore.Order){
		"event":       func(o *orderstore.Order) { o.Events = []orderstore.Event{{}} },
		"trade state": func(o *orderstore.Order) { o.TradeState = orderstore.TradeNotPay },
		"update":      func(o *orderstore.Order) { o.UpdatedAt = noon.Add(1) },
	} {
		after := newOrder()
		change(&after)
		if !after.Changed(before) {
			t.Errorf("%s: there is nothing to save", name)
		}
	}
}
