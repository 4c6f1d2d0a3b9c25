package storetest_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// span is what Paid is asked for.
type span struct {
	from, to time.Time
	after    string
	limit    int
}

// has reports whether an order is to be on the page, behind says whether its
// number comes after the cursor.
func (s span) has(o orderstore.Order, behind bool) bool {
	return o.PaidAt.Before(s.to) && (o.PaidAt.After(s.from) || o.PaidAt.Equal(s.from) && behind)
}

func (s span) page(o orderstore.Order) bool { return s.has(o, o.OutTradeNo > s.after) }

func paidLies() []lie {
	const all = 1000
	// paid changes all that was ever paid, in the right order, into a page.
	paid := func(change func(list []orderstore.Order, s span) []orderstore.Order) func(*liar) {
		return func(l *liar) {
			l.paid = func(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
				list, err := l.honest.Paid(ctx, time.Time{}, epochs(200), "", all)
				return change(list, span{from, to, after, limit}), err
			}
		}
	}
	keep := func(list []orderstore.Order, limit int, keep func(orderstore.Order) bool) []orderstore.Order {
		list = slices.DeleteFunc(list, func(o orderstore.Order) bool { return !keep(o) })
		return list[:min(limit, len(list))]
	}
	sorted := func(compare func(a, b orderstore.Order) int) func(*liar) {
		return paid(func(list []orderstore.Order, s span) []orderstore.Order {
			slices.SortStableFunc(list, compare)
			return keep(list, s.limit, s.page)
		})
	}
	const pages = "Paid/PagesLoseAndRepeatNothing"
	return []lie{
		{"Paid takes the end in", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			return keep(list, s.limit, func(o orderstore.Order) bool { return s.page(o) || o.PaidAt.Equal(s.to) })
		}), []string{"Paid/WithinTheSpan"}},
		{"Paid leaves the beginning out", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			return keep(list, s.limit, func(o orderstore.Order) bool { return s.page(o) && !o.PaidAt.Equal(s.from) })
		}), []string{"Paid/WithinTheSpan", "Paid/FirstPaidFirst", pages}},
		{"to Paid the beginning of time is NULL", func(l *liar) {
			l.paid = func(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
				if from.IsZero() {
					return nil, nil
				}
				return l.honest.Paid(ctx, from, to, after, limit)
			}
		}, []string{"Paid/WithinTheSpan", "Paid/OnlyWhatIsPaid"}},
		{"Paid ignores the cursor", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			return keep(list, s.limit, func(o orderstore.Order) bool { return s.has(o, true) })
		}), []string{pages}},
		{"Paid goes on after the moment of the cursor", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			return keep(list, s.limit, func(o orderstore.Order) bool { return s.has(o, s.after == "") })
		}), []string{pages}},
		{"Paid begins at the cursor", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			return keep(list, s.limit, func(o orderstore.Order) bool { return s.has(o, o.OutTradeNo >= s.after) })
		}), []string{pages}},
		{"Paid has a cursor of numbers alone", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			return keep(list, s.limit, func(o orderstore.Order) bool { return s.has(o, true) && o.OutTradeNo > s.after })
		}), []string{pages}},
		{"Paid compares its cursor without case", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			folded := func(o orderstore.Order) string { return strings.ToLower(o.OutTradeNo) }
			slices.SortStableFunc(list, func(a, b orderstore.Order) int {
				if c := a.PaidAt.Compare(b.PaidAt); c != 0 {
					return c
				}
				return strings.Compare(folded(a), folded(b))
			})
			return keep(list, s.limit, func(o orderstore.Order) bool { return s.has(o, folded(o) > strings.ToLower(s.after)) })
		}), []string{pages}},
		{"Paid sorts by another order than its cursor", sorted(func(a, b orderstore.Order) int {
			if c := a.PaidAt.Compare(b.PaidAt); c != 0 {
				return c
			}
			return strings.Compare(b.OutTradeNo, a.OutTradeNo)
		}), []string{pages}},
		{"Paid returns the newest first", sorted(func(a, b orderstore.Order) int { return b.PaidAt.Compare(a.PaidAt) }),
			[]string{"Paid/FirstPaidFirst", pages}},
		{"Paid sorts by number", sorted(func(a, b orderstore.Order) int { return strings.Compare(a.OutTradeNo, b.OutTradeNo) }),
			[]string{"Paid/FirstPaidFirst", pages}},
		{"Paid sorts by creation", sorted(func(a, b orderstore.Order) int { return a.CreatedAt.Compare(b.CreatedAt) }),
			[]string{"Paid/FirstPaidFirst"}},
		{"Paid ignores the limit", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			return keep(list, all, s.page)
		}), []string{"Paid/AtMostLimit"}},
		{"Paid takes limit 0 for none", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			if s.limit == 0 {
				s.limit = all
			}
			return keep(list, s.limit, s.page)
		}), []string{"Paid/AtMostLimit"}},
		{"Paid cuts first and filters then", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			list = keep(list, s.limit, func(orderstore.Order) bool { return true })
			return keep(list, s.limit, s.page)
		}), []string{"Paid/AtMostLimit", pages}},
		{"Paid leaves out what was refunded", paid(func(list []orderstore.Order, s span) []orderstore.Order {
			return keep(list, s.limit, func(o orderstore.Order) bool { return s.page(o) && o.Refunded == 0 })
		}), []string{"Paid/OnlyWhatIsPaid"}},
		{"Paid returns what was never paid", paidUnset, []string{"Paid/OnlyWhatIsPaid", "Paid/VisibleAtOnce"}},
		{"Paid lags one answer behind", func(l *liar) {
			var last []orderstore.Order
			l.onPaid(func(list []orderstore.Order) []orderstore.Order {
				last, list = list, last
				return list
			})
		}, []string{"Paid/VisibleAtOnce", "Paid/WithinTheSpan"}},
		{"Paid forgets who pays", func(l *liar) {
			l.onPaid(each(func(o *orderstore.Order) { o.OpenID = "" }))
		}, []string{"Paid/ReturnsWholeOrders"}},
	}
}

// epochs is a time far away.
func epochs(years int) time.Time { return time.Date(2026+years, 1, 1, 0, 0, 0, 0, time.UTC) }

// paidUnset takes the zero time for a time long ago.
func paidUnset(l *liar) {
	var unset []orderstore.Order
	l.onWrite(func(o *orderstore.Order) {
		if o.PaidAt.IsZero() {
			unset = append(unset, *o)
		}
	})
	l.onPaid(func(list []orderstore.Order) []orderstore.Order { return append(slices.Clone(unset), list...) })
}
