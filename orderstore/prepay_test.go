package orderstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func TestPayable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order orderstore.Order
		at    time.Time
		want  error
	}{
		"unpaid":              {newOrder(), noon, nil},
		"in the last moment":  {newOrder(), newOrder().ExpiresAt.Add(-1), nil},
		"when time is over":   {newOrder(), newOrder().ExpiresAt, orderstore.ErrExpired},
		"paid":                {paidOrder(t), noon, orderstore.ErrPaid},
		"paid, time is over":  {paidOrder(t), noon.Add(time.Hour), orderstore.ErrPaid},
		"closed":              {closedOrder(t), noon, orderstore.ErrClosed},
		"closed and too late": {closedOrder(t), noon.Add(time.Hour), orderstore.ErrClosed},
	} {
		if err := c.order.Payable(c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: Payable is %v, want %v", name, err, c.want)
		}
	}
}

func TestPrepaid(t *testing.T) {
	t.Parallel()
	credential := orderstore.Credential{PrepayID: "wx201410272009395522657a640800"}
	o, err := newOrder().Prepaid(credential, later)
	if err != nil {
		t.Fatal(err)
	}
	want := newOrder()
	want.Credential, want.PrepaidAt, want.UpdatedAt = credential, later, later
	want.Events = []orderstore.Event{{At: later, Kind: orderstore.EventPrepaid, Source: orderstore.FromPrepay}}
	wantOrder(t, o, want)

	// The answer to an order that was paid or closed meanwhile sends nobody.
	for want, o := range map[error]orderstore.Order{orderstore.ErrPaid: paidOrder(t), orderstore.ErrClosed: closedOrder(t)} {
		got, err := o.Prepaid(credential, later)
		if !errors.Is(err, want) {
			t.Errorf("Prepaid: %v, want %v", err, want)
		}
		wantOrder(t, got, o)
	}
}

func TestPrepayFailed(t *testing.T) {
	t.Parallel()
	for _, o := range []orderstore.Order{newOrder(), paidOrder(t), closedOrder(t)} {
		want := o
		want.UpdatedAt, want.OnItsWayUntil = later, later.Add(time.Minute) // after an unclear answer
		want.Events = []orderstore.Event{{
			At: later, Kind: orderstore.EventPrepayFailed, Source: orderstore.FromPrepay, Note: "timeout"}}
		wantOrder(t, o.PrepayFailed("timeout", true, later), want)
		want.OnItsWayUntil = time.Time{} // after a clear refusal
		wantOrder(t, o.PrepayFailed("timeout", false, later), want)
	}
}

// One at a time asks WeChat for a credential: until it is there, or refused,
// or whoever asked must be dead.
func TestBeginPlacing(t *testing.T) {
	t.Parallel()
	const lease = 15 * time.Second
	claimed, err := newOrder().BeginPlacing(noon, lease)
	if err != nil || !claimed.Changed(newOrder()) {
		t.Fatal(err)
	}
	if !claimed.PlacingUntil.Equal(noon.Add(lease)) || !claimed.OnItsWayUntil.Equal(noon.Add(lease+time.Minute)) {
		t.Errorf("claimed until %v, on its way until %v", claimed.PlacingUntil, claimed.OnItsWayUntil)
	}
	if _, err := claimed.BeginPlacing(noon.Add(lease-time.Microsecond), lease); !errors.Is(err, orderstore.ErrNotDue) {
		t.Errorf("claimed twice: %v", err)
	}
	prepaid, err := claimed.Prepaid(orderstore.Credential{CodeURL: "weixin://1"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]orderstore.Order{
		"dead":    claimed,
		"prepaid": prepaid,
		"refused": claimed.PrepayFailed("no", false, noon),
		"unclear": claimed.PrepayFailed("timeout", true, noon),
	} {
		now := noon
		if name == "dead" {
			now = noon.Add(lease)
		}
		if _, err := o.BeginPlacing(now, lease); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for want, o := range map[error]orderstore.Order{orderstore.ErrPaid: paidOrder(t), orderstore.ErrClosed: closedOrder(t)} {
		if _, err := o.BeginPlacing(later, lease); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestCredentialFresh(t *testing.T) {
	t.Parallel()
	const margin = 30 * time.Second
	for product, life := range map[orderstore.Product]time.Duration{
		orderstore.App: 2 * time.Hour, orderstore.JSAPI: 2 * time.Hour, orderstore.MiniProgram: 2 * time.Hour,
		orderstore.Native: 2 * time.Hour, orderstore.H5: 5 * time.Minute,
	} {
		o := newOrder()
		o.Product = product
		if o.CredentialFresh(noon) || !o.CredentialUntil().IsZero() {
			t.Errorf("%s: a credential is fresh that never came", product)
		}
		o, err := o.Prepaid(orderstore.Credential{H5URL: "https://wx.tenpay.com/"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.CredentialUntil(); !got.Equal(noon.Add(life - margin)) {
			t.Errorf("%s: until %v", product, got)
		}
		for after, want := range map[time.Duration]bool{0: true, life - margin - 1: true, life - margin: false, life: false} {
			if got := o.CredentialFresh(noon.Add(after)); got != want {
				t.Errorf("%s: after %v, fresh is %v, want %v", product, after, got, want)
			}
		}
	}
}

func TestCredentialIsZero(t *testing.T) {
	t.Parallel()
	for c, want := range map[orderstore.Credential]bool{
		{}: true, {PrepayID: "x"}: false, {CodeURL: "x"}: false, {H5URL: "x"}: false,
	} {
		if got := c.IsZero(); got != want {
			t.Errorf("%+v: IsZero is %v", c, got)
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	o := newOrder()
	o.NextActionAt, o.TradeState = later, orderstore.TradeNotPay
	want := o
	want.PayStatus, want.TradeState, want.ClosedAt, want.UpdatedAt = orderstore.Closed, orderstore.TradeClosed, later, later
	want.NextActionAt = time.Time{}
	want.Events = []orderstore.Event{{At: later, Kind: orderstore.EventClosed, Source: orderstore.FromClose, Note: "by the customer"}}
	got, err := o.Close(orderstore.FromClose, "by the customer", later)
	if err != nil {
		t.Errorf("Close: %v", err)
	}
	wantOrder(t, got, want)

	again, err := closedOrder(t).Close(orderstore.FromClose, "again", later)
	if err != nil {
		t.Errorf("Close of a closed order: %v", err)
	}
	wantOrder(t, again, closedOrder(t))

	paid, err := paidOrder(t).Close(orderstore.FromClose, "", later)
	if !errors.Is(err, orderstore.ErrPaid) {
		t.Errorf("Close of a paid order: %v, want ErrPaid", err)
	}
	wantOrder(t, paid, paidOrder(t))
}
