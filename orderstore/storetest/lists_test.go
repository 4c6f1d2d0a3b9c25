package storetest_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

func dueLies() []lie {
	const all = 1000
	due := func(change func(list []orderstore.Order, now time.Time, limit int) []orderstore.Order) func(*liar) {
		return func(l *liar) {
			l.due = func(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
				list, err := l.honest.Due(ctx, now.AddDate(10, 0, 0), all)
				return change(list, now, limit), err
			}
		}
	}
	keep := func(list []orderstore.Order, limit int, keep func(orderstore.Order) bool) []orderstore.Order {
		list = slices.DeleteFunc(list, func(o orderstore.Order) bool { return !keep(o) })
		return list[:min(limit, len(list))]
	}
	return []lie{
		{"Due returns the newest first", due(func(list []orderstore.Order, now time.Time, limit int) []orderstore.Order {
			slices.Reverse(list)
			return keep(list, limit, func(o orderstore.Order) bool { return !o.NextActionAt.After(now) })
		}), []string{"Due/LongestFirst", "Due/StarvesNobody"}},
		{"Due sorts by number", due(func(list []orderstore.Order, now time.Time, limit int) []orderstore.Order {
			slices.SortFunc(list, func(a, b orderstore.Order) int { return strings.Compare(a.OutTradeNo, b.OutTradeNo) })
			return keep(list, limit, func(o orderstore.Order) bool { return !o.NextActionAt.After(now) })
		}), []string{"Due/LongestFirst", "Due/StarvesNobody"}},
		{"Due gives an order up after two claims", due(func(list []orderstore.Order, now time.Time, limit int) []orderstore.Order {
			return keep(list, limit, func(o orderstore.Order) bool { return !o.NextActionAt.After(now) && o.Version < 3 })
		}), []string{"Due/StarvesNobody"}},
		{"Due hands out each order once", func(l *liar) {
			handed := make(map[string]bool)
			l.onDue(func(list []orderstore.Order) []orderstore.Order {
				return slices.DeleteFunc(list, func(o orderstore.Order) bool {
					again := handed[o.OutTradeNo]
					handed[o.OutTradeNo] = true
					return again
				})
			})
		}, []string{"Due/ClaimsNothing"}},
		{"Due ignores the limit", due(func(list []orderstore.Order, now time.Time, _ int) []orderstore.Order {
			return keep(list, all, func(o orderstore.Order) bool { return !o.NextActionAt.After(now) })
		}), []string{"Due/AtMostLimit"}},
		{"Due cuts first and filters then", due(func(list []orderstore.Order, now time.Time, limit int) []orderstore.Order {
			slices.Reverse(list)
			list = keep(list, limit, func(orderstore.Order) bool { return true })
			slices.Reverse(list)
			return keep(list, limit, func(o orderstore.Order) bool { return !o.NextActionAt.After(now) })
		}), []string{"Due/AtMostLimit"}},
		{"Due returns future ones", due(func(list []orderstore.Order, _ time.Time, limit int) []orderstore.Order {
			return keep(list, limit, func(orderstore.Order) bool { return true })
		}), []string{"Due/OnlyWhatIsDue"}},
		{"Due returns what has nothing to do", dueUnset, []string{"Due/OnlyWhatIsDue", "Due/AtOnce"}},
		{"Due waits one microsecond more", due(func(list []orderstore.Order, now time.Time, limit int) []orderstore.Order {
			return keep(list, limit, func(o orderstore.Order) bool { return o.NextActionAt.Before(now.Truncate(time.Microsecond)) })
		}), []string{"Due/OnlyWhatIsDue", "Due/AtOnce"}},
		{"Due looks at paid orders only", due(func(list []orderstore.Order, now time.Time, limit int) []orderstore.Order {
			return keep(list, limit, func(o orderstore.Order) bool { return !o.NextActionAt.After(now) && o.ToHandOver() })
		}), []string{"Due/WhateverItsStatus"}},
	}
}

// dueUnset takes the zero time for a time long ago.
func dueUnset(l *liar) {
	var unset []orderstore.Order
	l.onWrite(func(o *orderstore.Order) {
		if o.NextActionAt.IsZero() {
			unset = append(unset, *o)
		}
	})
	l.onDue(func(list []orderstore.Order) []orderstore.Order { return append(unset, list...) })
}

func findLies() []lie {
	found := func(match func(o orderstore.Order, ref string) bool) func(*liar) {
		return func(l *liar) {
			var all []orderstore.Order
			l.onWrite(func(o *orderstore.Order) { all = append(all, o.Saved()) })
			l.find = func(_ context.Context, ref string) ([]orderstore.Order, error) {
				return slices.DeleteFunc(slices.Clone(all), func(o orderstore.Order) bool { return !match(o, ref) }), nil
			}
		}
	}
	return []lie{
		{"Find returns the oldest first", func(l *liar) {
			l.onFind(func(list []orderstore.Order) []orderstore.Order {
				slices.Reverse(list)
				return list
			})
		}, []string{"Find/NewestFirst"}},
		{"Find sorts by the last write", func(l *liar) {
			l.onFind(func(list []orderstore.Order) []orderstore.Order {
				slices.SortStableFunc(list, func(a, b orderstore.Order) int { return b.UpdatedAt.Compare(a.UpdatedAt) })
				return list
			})
		}, []string{"Find/NewestFirst"}},
		{"Find returns one", func(l *liar) {
			l.onFind(func(list []orderstore.Order) []orderstore.Order { return list[:min(1, len(list))] })
		}, []string{"Find/NewestFirst"}},
		{"Find ignores case", found(func(o orderstore.Order, ref string) bool { return strings.EqualFold(o.Ref, ref) }),
			[]string{"Find/ExactRef"}},
		{"Find ignores blanks at the end", found(func(o orderstore.Order, ref string) bool {
			return ref != "" && strings.TrimRight(o.Ref, " ") == strings.TrimRight(ref, " ")
		}), []string{"Find/ExactRef"}},
		{"Find takes a prefix", found(func(o orderstore.Order, ref string) bool { return ref != "" && strings.HasPrefix(o.Ref, ref) }),
			[]string{"Find/ExactRef"}},
		{"Find finds orders without ref", found(func(o orderstore.Order, ref string) bool { return o.Ref == ref }),
			[]string{"Find/EmptyRefFindsNothing"}},
	}
}
