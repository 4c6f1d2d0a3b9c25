package ledger

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// page is how many orders are read at a time.
const page = 200

// missing looks for what the store has of that day and the bill lacks.
func (c *comparison) missing(ctx context.Context) error {
	to := c.from.AddDate(0, 0, 1)
	for from, after := c.from, ""; ; {
		orders, err := c.cfg.Store.Paid(ctx, from, to, after, page)
		if err != nil || len(orders) == 0 {
			return err
		}
		for _, o := range orders {
			if o.MchID == c.cfg.MchID {
				c.missed(o, to)
			}
			from, after = o.PaidAt, o.OutTradeNo
		}
	}
}

// missed reports what the bill lacks of the order. Its refunds are looked for
// only if they were accepted on the day of the payment: the store knows when
// it heard of that, WeChat puts it under the day when it happened, and between
// a payment and the news of its refund on one day lies no midnight.
func (c *comparison) missed(o orderstore.Order, to time.Time) {
	const there = "not in the bill"
	if !c.seen.has(payments, o.OutTradeNo, o.TransactionID) {
		d := Difference{Kind: MissingInBill, OutTradeNo: o.OutTradeNo, TransactionID: o.TransactionID, Here: orderHere(o), There: there}
		if o.PaidAt.Sub(c.from) < time.Minute || to.Sub(o.PaidAt) <= time.Minute {
			d.Remedy = midnightRemedy
		}
		c.found(d)
	}
	for _, r := range o.Refunds {
		if r.AcceptedAt.Before(c.from) || !r.AcceptedAt.Before(to) || c.seen.has(refunds, o.OutTradeNo, r.OutRefundNo) {
			continue
		}
		c.found(Difference{
			Kind: RefundMissingInBill, OutTradeNo: o.OutTradeNo, OutRefundNo: r.OutRefundNo, TransactionID: o.TransactionID,
			Here: refundText(r.Amount, string(r.Status)), There: there,
		})
	}
}

// seen is a set of payments and refunds, small enough for a bill of a million
// rows. Cut to 128 bits SHA-256 does not collide, by chance or by somebody's
// choice of numbers.
type seen map[[16]byte]struct{}

// What seen tells apart.
const (
	payments = "payment"
	refunds  = "refund"
)

func (s seen) add(what, outTradeNo, id string) { s[mark(what, outTradeNo, id)] = struct{}{} }

func (s seen) has(what, outTradeNo, id string) bool {
	_, ok := s[mark(what, outTradeNo, id)]
	return ok
}

func mark(what, outTradeNo, id string) [16]byte {
	sum := sha256.Sum256([]byte(what + "\x00" + outTradeNo + "\x00" + id))
	return [16]byte(sum[:16])
}
