package orderstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// spacing is how far apart WeChat is sent two refunds of one order.
const spacing = time.Minute + time.Second

// refundOf returns a refund as the kit begins one.
func refundOf(number string, amount orderstore.Fen) orderstore.Refund {
	return orderstore.Refund{
		OutRefundNo: number, Amount: amount, Reason: "不想要了", AskedBy: "admin",
		Request: fmt.Sprintf(`{"out_refund_no":%q,"amount":{"refund":%d}}`, number, amount),
	}
}

// refunding returns the order with one more refund begun, as read from a store.
func refunding(t testing.TB, o orderstore.Order, r orderstore.Refund, now time.Time) orderstore.Order {
	t.Helper()
	o, err := o.BeginRefund(r, now)
	if err != nil {
		t.Fatalf("BeginRefund: %v", err)
	}
	return o.Saved()
}

// withRefund returns the order with its first refund as change makes it.
func withRefund(o orderstore.Order, change func(*orderstore.Refund)) orderstore.Order {
	o.Refunds = slices.Clone(o.Refunds)
	change(&o.Refunds[0])
	return o
}

// refused returns a paid order whose refund refund_1 of 60 fen WeChat refused.
func refused(t testing.TB) orderstore.Order {
	t.Helper()
	o, claim := applying(t, refunding(t, paidOrder(t), refundOf("refund_1", 60), noon.Add(time.Minute)), noon.Add(time.Minute))
	o, outcome := o.RefundNotTaken(claim, "USER_ACCOUNT_ABNORMAL", orderstore.RefundNever, noon.Add(time.Minute))
	if outcome != orderstore.RefundWasRefused {
		t.Fatalf("RefundNotTaken: %v", outcome)
	}
	return o.Saved()
}

// asked is the event of a refund that begins.
func asked(note string) []orderstore.Event {
	return []orderstore.Event{{At: later, Kind: orderstore.EventRefundAsked, Note: note}}
}

func TestBeginRefund(t *testing.T) {
	t.Parallel()
	o := paidOrder(t)
	done := begin(t, o, later).HandedOver(later).Saved()
	for name, before := range map[string]orderstore.Order{"to be handed over": o, "handed over": done} {
		want := before
		r := refundOf("refund_1", 60)
		r.Status, r.CreatedAt, r.NextActionAt = orderstore.RefundApplying, later, later
		want.Refunds, want.RefundStatus, want.UpdatedAt = orderstore.Refunds{r}, orderstore.RefundApplying, later
		want.Events = asked("refund refund_1 of 0.60元: admin")
		want.NextActionAt = later // of the refund; the hand-over is due before
		if before.ToHandOver() {
			want.NextActionAt = noon.Add(time.Minute)
		}
		got, err := before.BeginRefund(refundOf("refund_1", 60), later)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantOrder(t, got, want)
	}
}

// What is not asked for by anybody has no name in the history.
func TestBeginRefundOfNobody(t *testing.T) {
	t.Parallel()
	o, err := paidOrder(t).BeginRefund(orderstore.Refund{OutRefundNo: "r", Amount: 1}, later)
	if err != nil || len(o.Events) != 1 || o.Events[0].Note != "refund r of 0.01元" {
		t.Errorf("%v, %+v", err, o.Events)
	}
}

func TestBeginRefundIsRefused(t *testing.T) {
	t.Parallel()
	part := refunding(t, paidOrder(t), refundOf("refund_1", 60), later)
	full := paidOrder(t)
	full.Total = 1000
	for i := range 50 {
		full = refunding(t, full, refundOf(fmt.Sprint("refund_", i), 1), later)
	}
	year := noon.Add(time.Minute + 365*24*time.Hour)
	for name, c := range map[string]struct {
		order orderstore.Order
		r     orderstore.Refund
		now   time.Time
		want  error
	}{
		"unpaid":                        {newOrder(), refundOf("refund_1", 60), later, orderstore.ErrNotPaid},
		"closed":                        {closedOrder(t), refundOf("refund_1", 60), later, orderstore.ErrNotPaid},
		"no number":                     {paidOrder(t), refundOf("", 60), later, orderstore.ErrRefundNumber},
		"a number WeChat does not take": {paidOrder(t), refundOf("refund 1", 60), later, orderstore.ErrRefundNumber},
		"nothing":                       {paidOrder(t), refundOf("refund_1", 0), later, orderstore.ErrRefundAmount},
		"less than nothing":             {paidOrder(t), refundOf("refund_1", -1), later, orderstore.ErrRefundAmount},
		"more than all":                 {paidOrder(t), refundOf("refund_1", 101), later, orderstore.ErrRefundTooMuch},
		"far more than all":             {paidOrder(t), refundOf("refund_1", 1<<63-1), later, orderstore.ErrRefundTooMuch},
		"more than the rest":            {part, refundOf("refund_2", 41), later, orderstore.ErrRefundTooMuch},
		"the 51st":                      {full, refundOf("refund_51", 1), later, orderstore.ErrTooManyRefunds},
		"a year and a moment":           {paidOrder(t), refundOf("refund_1", 60), year.Add(1), orderstore.ErrRefundTooLate},
		"same number, less":             {part, refundOf("refund_1", 59), later, orderstore.ErrRefundReused},
		"same number, more":             {part, refundOf("refund_1", 61), later, orderstore.ErrRefundReused},
		"same number, nothing":          {part, refundOf("refund_1", 0), later, orderstore.ErrRefundReused},
		"refused number, other amount":  {refused(t), refundOf("refund_1", 61), later, orderstore.ErrRefundReused},
		"refused number, a year later":  {refused(t), refundOf("refund_1", 60), year.Add(1), orderstore.ErrRefundTooLate},
		"refused number, money is gone": {refunding(t, refused(t), refundOf("refund_2", 41), later), refundOf("refund_1", 60), later, orderstore.ErrRefundTooMuch},
	} {
		got, err := c.order.BeginRefund(c.r, c.now)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		wantOrder(t, got, c.order)
	}
	for name, c := range map[string]struct {
		order orderstore.Order
		r     orderstore.Refund
		now   time.Time
	}{
		"exactly all":                {paidOrder(t), refundOf("refund_1", 100), later},
		"exactly the rest":           {part, refundOf("refund_2", 40), later},
		"the last fen":               {paidOrder(t), refundOf("refund_1", 1), later},
		"a year":                     {paidOrder(t), refundOf("refund_1", 60), year},
		"the other case":             {part, refundOf("REFUND_1", 40), later},
		"the money of a refused one": {refused(t), refundOf("refund_2", 100), later},
	} {
		got, err := c.order.BeginRefund(c.r, c.now)
		if _, known := got.Refund(c.r.OutRefundNo); err != nil || !known || !got.Changed(c.order) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One number is one refund, whatever became of it: only a refused one begins
// again. It keeps what was frozen with it.
func TestBeginRefundAgain(t *testing.T) {
	t.Parallel()
	other := refundOf("refund_1", 60)
	other.Reason, other.AskedBy, other.Request = "another reason", "another", "{}"
	for _, status := range []orderstore.RefundStatus{
		orderstore.RefundApplying, orderstore.RefundProcessing, orderstore.RefundSuccess,
		orderstore.RefundClosed, orderstore.RefundAbnormal,
	} {
		o := withRefund(refunding(t, paidOrder(t), refundOf("refund_1", 60), later), func(r *orderstore.Refund) { r.Status = status })
		got, err := o.BeginRefund(other, later.AddDate(9, 0, 0))
		if err != nil {
			t.Errorf("%s: %v", status, err)
		}
		wantOrder(t, got, o)
	}

	o := refused(t)
	want := withRefund(o, func(r *orderstore.Refund) {
		r.Status, r.Problem, r.Tries, r.NextActionAt = orderstore.RefundApplying, "", 0, later
	})
	want.RefundStatus, want.UpdatedAt = orderstore.RefundApplying, later
	want.Events = asked("refund refund_1 of 0.60元: admin")
	got, err := o.BeginRefund(other, later)
	if err != nil {
		t.Error(err)
	}
	wantOrder(t, got, want)
	if r, _ := got.Refund("refund_1"); r.Claims != 1 || r.CreatedAt.IsZero() || r.Request != refundOf("refund_1", 60).Request {
		t.Errorf("begun again: %+v", r)
	}
}

// A refused one of fifty begins again: it is no 51st.
func TestBeginRefundAgainOfFifty(t *testing.T) {
	t.Parallel()
	o := refused(t)
	o.Total = 1000
	for i := range 49 {
		o = refunding(t, o, refundOf(fmt.Sprint("refund_more_", i), 1), later)
	}
	if _, err := o.BeginRefund(refundOf("refund_1", 60), later); err != nil {
		t.Error(err)
	}
}

func TestValidRefundNumber(t *testing.T) {
	t.Parallel()
	const all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-|*@"
	for number, want := range map[string]bool{
		"": false, "r": true, all[:64]: true, all[3:]: true, all[2:]: false,
		strings.Repeat("@", 64): true, strings.Repeat("@", 65): false,
		"a b": false, "a\n": false, "a/b": false, "退款": false, "a.b": false,
	} {
		if got := orderstore.ValidRefundNumber(number); got != want {
			t.Errorf("ValidRefundNumber(%q) is %v, want %v", number, got, want)
		}
	}
	for c := range 256 {
		number := string([]byte{byte(c)})
		if got, want := orderstore.ValidRefundNumber(number), strings.Contains(all, number); got != want {
			t.Errorf("ValidRefundNumber(%q) is %v, want %v", number, got, want)
		}
	}
}

func TestRefundable(t *testing.T) {
	t.Parallel()
	for status, want := range map[orderstore.RefundStatus]orderstore.Fen{
		orderstore.RefundApplying: 40, orderstore.RefundProcessing: 40, orderstore.RefundSuccess: 40,
		orderstore.RefundAbnormal: 40, orderstore.RefundClosed: 100, orderstore.RefundRefused: 100,
		"SHINY_NEW": 40, // money that may be on its way
	} {
		o := withRefund(refunding(t, paidOrder(t), refundOf("refund_1", 60), later), func(r *orderstore.Refund) { r.Status = status })
		if got := o.Refundable(); got != want {
			t.Errorf("with 60 fen %s, %d are refundable, want %d", status, got, want)
		}
		for _, unpaid := range []orderstore.PayStatus{orderstore.Unpaid, orderstore.Closed} {
			o.PayStatus = unpaid
			if got := o.Refundable(); got != 0 {
				t.Errorf("%v: %d are refundable", unpaid, got)
			}
		}
	}
}

func TestRefundStatus(t *testing.T) {
	t.Parallel()
	for status, c := range map[orderstore.RefundStatus]struct {
		text  string
		final bool
	}{
		orderstore.RefundApplying:   {"退款申请中", false},
		orderstore.RefundProcessing: {"退款处理中", false},
		orderstore.RefundAbnormal:   {"退款异常", false},
		orderstore.RefundSuccess:    {"退款成功", true},
		orderstore.RefundClosed:     {"退款关闭", true},
		orderstore.RefundRefused:    {"退款被拒绝", true},
		"SHINY_NEW":                 {"未知状态", false},
	} {
		if status.String() != c.text || status.Final() != c.final {
			t.Errorf("%q: %s, final %v", string(status), status, status.Final())
		}
	}
}
