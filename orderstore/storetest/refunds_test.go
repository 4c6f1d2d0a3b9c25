package storetest_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func refundLies() []lie {
	// refunds changes the refunds of every order on its way in.
	refunds := func(change func(orderstore.Refunds) orderstore.Refunds) func(*liar) {
		return func(l *liar) {
			l.onWrite(func(o *orderstore.Order) { o.Refunds = change(slices.Clone(o.Refunds)) })
		}
	}
	eachRefund := func(change func(*orderstore.Refund)) func(*liar) {
		return refunds(func(list orderstore.Refunds) orderstore.Refunds { return each(change)(list) })
	}
	return []lie{
		{"of the refunds only the first is kept", refunds(func(list orderstore.Refunds) orderstore.Refunds {
			return list[:min(1, len(list))]
		}), []string{"Refunds/ComeAndGo", "Refunds/Fifty", "Create/KeepsEveryField"}},
		{"refunds are sorted", refunds(func(list orderstore.Refunds) orderstore.Refunds {
			slices.SortFunc(list, func(a, b orderstore.Refund) int { return strings.Compare(a.OutRefundNo, b.OutRefundNo) })
			return list
		}), []string{"Refunds/ComeAndGo"}},
		{"a refund is written once", keepOld, []string{"Refunds/ComeAndGo"}},
		{"of two refunds with one number one is kept", refunds(func(list orderstore.Refunds) orderstore.Refunds {
			return slices.CompactFunc(list, func(a, b orderstore.Refund) bool { return strings.EqualFold(a.OutRefundNo, b.OutRefundNo) })
		}), []string{"Refunds/Text"}},
		{"the text of refunds is three-byte UTF-8", eachRefund(func(r *orderstore.Refund) {
			r.Reason = strings.Map(func(c rune) rune { return min(c, 0xFFFD) }, r.Reason)
		}), []string{"Refunds/Text", "Refunds/Fifty"}},
		{"the text of refunds is unescaped twice", eachRefund(func(r *orderstore.Refund) {
			r.Problem = strings.ReplaceAll(r.Problem, `\\`, `\`)
		}), []string{"Refunds/Text"}},
		{"a refund's request is written anew", eachRefund(func(r *orderstore.Refund) {
			r.Request = strings.ReplaceAll(r.Request, "&", `\u0026`)
		}), []string{"Refunds/Text"}},
		{"a refund's money is a float", eachRefund(func(r *orderstore.Refund) {
			if r.Amount < math.MaxInt64 {
				r.Amount = orderstore.Fen(float64(r.Amount))
			}
		}), []string{"Refunds/Money"}},
		{"a refund's money has 32 bits", eachRefund(func(r *orderstore.Refund) { r.Amount = orderstore.Fen(int32(r.Amount)) }),
			[]string{"Refunds/Money"}},
		{"times of refunds keep milliseconds", eachRefund(func(r *orderstore.Refund) {
			r.NextActionAt = r.NextActionAt.Truncate(time.Millisecond)
		}), []string{"Refunds/Microseconds", "Create/KeepsEveryField"}},
		{"times of refunds are rounded", eachRefund(func(r *orderstore.Refund) {
			r.AppliedAt = r.AppliedAt.Round(time.Microsecond)
		}), []string{"Refunds/Microseconds"}},
		{"times of refunds come back in another zone", func(l *liar) {
			l.onRead(func(o *orderstore.Order) {
				for i := range o.Refunds {
					o.Refunds[i].RefundedAt = o.Refunds[i].RefundedAt.In(time.FixedZone("", 8*60*60))
				}
			})
		}, []string{"Refunds/Microseconds"}},
		{"refunds are cut at 64 KiB", refunds(func(list orderstore.Refunds) orderstore.Refunds {
			for text, err := list.Value(); err == nil && len(text.(string)) > 1<<16-1; text, err = list.Value() {
				list = list[:len(list)-1]
			}
			return list
		}), []string{"Refunds/Fifty"}},
		{"refunds are shared with who saved them", func(l *liar) {
			shared := make(map[string]orderstore.Refunds)
			l.onWrite(func(o *orderstore.Order) { shared[o.OutTradeNo] = o.Refunds })
			l.onRead(func(o *orderstore.Order) { o.Refunds = slices.Clone(shared[o.OutTradeNo]) })
		}, []string{"Refunds/AreTheStoresOwn"}},
		{"refunds are shared with who reads them", func(l *liar) {
			shared := make(map[string]orderstore.Refunds)
			l.onWrite(func(o *orderstore.Order) { shared[o.OutTradeNo] = slices.Clone(o.Refunds) })
			l.onPaid(each(func(o *orderstore.Order) { o.Refunds = shared[o.OutTradeNo] }))
			l.get = func(ctx context.Context, number string) (orderstore.Order, error) {
				o, err := l.honest.Get(ctx, number)
				o.Refunds = slices.Clone(shared[number])
				return o, err
			}
		}, []string{"Refunds/AreTheStoresOwn"}},
	}
}

// keepOld inserts what is new and never updates what is there.
func keepOld(l *liar) {
	l.save = func(ctx context.Context, o orderstore.Order) error {
		old, err := l.honest.Get(ctx, o.OutTradeNo)
		if err != nil {
			return orderstore.ErrConflict
		}
		o.Refunds = slices.Clone(o.Refunds)
		for i, r := range o.Refunds {
			if was, ok := old.Refund(r.OutRefundNo); ok {
				o.Refunds[i] = was
			}
		}
		return l.honest.Save(ctx, o)
	}
}
