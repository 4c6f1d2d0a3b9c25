package storetest_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// lies lists faults that stores have had, or could have.
func lies() []lie {
	return slices.Concat(writeLies(), updateLies(), valueLies(), eventLies(), dueLies(), findLies(), paidLies(), refundLies(), errorLies(), raceLies())
}

func writeLies() []lie {
	return []lie{
		{"Save ignores the version", func(l *liar) { l.save = l.overwrite }, []string{
			"Save/OldVersionIsErrConflict", "Save/FutureVersionIsErrConflict"}},
		{"Save always conflicts", func(l *liar) {
			l.save = func(context.Context, orderstore.Order) error { return orderstore.ErrConflict }
		}, []string{"Save/ReplacesEveryField", "Save/CountsTheVersion", "Race/NoLostUpdate", "Race/OneSaveWins", "Due/StarvesNobody"}},
		{"Save says nil without effect", func(l *liar) {
			l.save = func(context.Context, orderstore.Order) error { return nil }
		}, []string{"Save/ReplacesEveryField", "Save/CountsTheVersion", "Save/MissingOrderIsErrConflict", "Race/NoLostUpdate"}},
		{"Save creates what is missing", func(l *liar) {
			l.save = func(ctx context.Context, o orderstore.Order) error {
				err := l.honest.Save(ctx, o)
				if _, missing := l.honest.Get(ctx, o.OutTradeNo); missing != nil {
					return l.honest.Create(ctx, o)
				}
				return err
			}
		}, []string{"Save/MissingOrderIsErrConflict"}},
		{"Save writes only what is set", skipZero, []string{"Save/CanEmptyAField", "Due/OnlyWhatIsDue"}},
		{"Save forgets its WHERE", saveAll, []string{"Save/LeavesOtherOrdersAlone"}},
		{"the version stands still", func(l *liar) {
			l.onRead(func(o *orderstore.Order) { o.Version = 1 })
		}, []string{"Save/CountsTheVersion"}},
		{"Create keeps the caller's version", func(l *liar) {
			var brought int64
			l.create = func(ctx context.Context, o orderstore.Order) error {
				brought = o.Version
				return l.honest.Create(ctx, o)
			}
			l.onRead(func(o *orderstore.Order) { o.Version += brought })
		}, []string{"Create/StartsAtVersion1"}},
		{"Create overwrites", func(l *liar) {
			l.create = func(ctx context.Context, o orderstore.Order) error {
				if l.honest.Create(ctx, o) == nil {
					return nil
				}
				return l.overwrite(ctx, o)
			}
		}, []string{"Create/TakenNumberIsErrExists", "Race/OneCreateWins"}},
		{"Create of what is there says nil", func(l *liar) {
			l.create = func(ctx context.Context, o orderstore.Order) error {
				err := l.honest.Create(ctx, o)
				if now, _ := l.honest.Get(ctx, o.OutTradeNo); errors.Is(err, orderstore.ErrExists) && now.CreatedAt.Equal(o.CreatedAt) {
					return nil
				}
				return err
			}
		}, []string{"Create/RepeatedChangesNothing", "Race/OneCreateWins"}},
		{"Create begins again with the same order", func(l *liar) {
			l.create = func(ctx context.Context, o orderstore.Order) error {
				err := l.honest.Create(ctx, o)
				if now, _ := l.honest.Get(ctx, o.OutTradeNo); errors.Is(err, orderstore.ErrExists) && now.Total == o.Total {
					_ = l.overwrite(ctx, o)
				}
				return err
			}
		}, []string{"Create/RepeatedChangesNothing"}},
		{"what went before the error stays", failLate(func(i int, o orderstore.Order) orderstore.Order {
			o.Events = o.Events[:i]
			return o
		}, errors.New("invalid byte sequence")), []string{"Create/FailsWhole", "Save/FailsWhole"}},
		{"what cannot be written is left out", failLate(func(i int, o orderstore.Order) orderstore.Order {
			o.Events = slices.Delete(slices.Clone(o.Events), i, i+1)
			return o
		}, nil), []string{"Create/FailsWhole", "Save/FailsWhole"}},
		{"what cannot be written is a conflict", failLate(nil, errors.Join(orderstore.ErrExists, orderstore.ErrConflict)),
			[]string{"Create/FailsWhole", "Save/FailsWhole"}},
		{"what was refused is never rolled back", func(l *liar) {
			connections := make(chan struct{}, 100)
			l.save = func(ctx context.Context, o orderstore.Order) error {
				select {
				case connections <- struct{}{}:
				default:
					return errors.New("too many connections")
				}
				err := l.honest.Save(ctx, o)
				if err == nil {
					<-connections
				}
				return err
			}
		}, []string{"Save/RefusalsHoldNothing"}},
		{"Create loses the events", func(l *liar) {
			l.create = func(ctx context.Context, o orderstore.Order) error {
				o.Events = nil
				return l.honest.Create(ctx, o)
			}
		}, []string{"Create/KeepsTheEvents", "Race/OneCreateWins"}},
	}
}

// failLate tells the lie of a database that refuses NUL: what it writes
// instead of such an order, whose event i has one, and what it says then.
func failLate(write func(i int, o orderstore.Order) orderstore.Order, says error) func(*liar) {
	return func(l *liar) {
		do := func(honest func(context.Context, orderstore.Order) error) func(context.Context, orderstore.Order) error {
			return func(ctx context.Context, o orderstore.Order) error {
				i := slices.IndexFunc(o.Events, func(e orderstore.Event) bool { return strings.Contains(e.Note, "\x00") })
				if i < 0 {
					return honest(ctx, o)
				}
				if write != nil {
					_ = honest(ctx, write(i, o))
				}
				return says
			}
		}
		l.create, l.save = do(l.honest.Create), do(l.honest.Save)
	}
}

// skipZero is what object mappers do with a struct.
func skipZero(l *liar) {
	l.save = func(ctx context.Context, o orderstore.Order) error {
		old, err := l.honest.Get(ctx, o.OutTradeNo)
		if err != nil {
			return orderstore.ErrConflict
		}
		from, to := reflect.ValueOf(old), reflect.ValueOf(&o).Elem()
		for _, f := range fields(to.Type()) {
			if to.FieldByIndex(f.Index).IsZero() {
				to.FieldByIndex(f.Index).Set(from.FieldByIndex(f.Index))
			}
		}
		return l.honest.Save(ctx, o)
	}
}

func saveAll(l *liar) {
	var all []string
	l.create = func(ctx context.Context, o orderstore.Order) error {
		all = append(all, o.OutTradeNo)
		return l.honest.Create(ctx, o)
	}
	l.save = func(ctx context.Context, o orderstore.Order) error {
		err := l.honest.Save(ctx, o)
		for _, number := range all {
			if number != o.OutTradeNo && err == nil {
				o.OutTradeNo = number
				_ = l.overwrite(ctx, o)
			}
		}
		return err
	}
}

func valueLies() []lie {
	change := func(change func(*orderstore.Order)) func(*liar) {
		return func(l *liar) { l.onWrite(change) }
	}
	times := func(change func(time.Time) time.Time) func(*liar) {
		return func(l *liar) {
			l.onWrite(func(o *orderstore.Order) {
				o.PaidAt, o.NextActionAt = change(o.PaidAt), change(o.NextActionAt)
			})
		}
	}
	return []lie{
		{"numbers are folded to lower case", foldNumbers, []string{"Get/ComparesNumbersByCase", "Values/Numbers"}},
		{"| is stored as /", change(func(o *orderstore.Order) {
			o.OutTradeNo = strings.ReplaceAll(o.OutTradeNo, "|", "/")
		}), []string{"Values/Numbers"}},
		{"text is three-byte UTF-8", change(func(o *orderstore.Order) {
			o.Device = strings.Map(func(r rune) rune { return min(r, 0xFFFD) }, o.Device)
		}), []string{"Values/Text"}},
		{"text is trimmed", change(func(o *orderstore.Order) { o.Ref = strings.TrimSpace(o.Ref) }), []string{"Values/Text"}},
		{"text is cut", change(func(o *orderstore.Order) {
			o.PrepayRequest = o.PrepayRequest[:min(len(o.PrepayRequest), 2000)]
		}), []string{"Values/Text"}},
		{"money is a float", change(func(o *orderstore.Order) {
			if o.Total < math.MaxInt64 {
				o.Total = orderstore.Fen(float64(o.Total))
			}
		}), []string{"Values/Money"}},
		{"money has 32 bits", change(func(o *orderstore.Order) { o.Refunded = orderstore.Fen(int32(o.Refunded)) }),
			[]string{"Values/Money"}},
		{"an unset time is 1970", func(l *liar) {
			l.onRead(func(o *orderstore.Order) {
				if o.PaidAt.IsZero() {
					o.PaidAt = time.UnixMicro(0).UTC()
				}
			})
		}, []string{"Values/UnsetTimes"}},
		{"times keep milliseconds", times(func(t time.Time) time.Time { return t.Truncate(time.Millisecond) }),
			[]string{"Values/Microseconds", "Create/KeepsEveryField"}},
		{"times are rounded", times(func(t time.Time) time.Time { return t.Round(time.Microsecond) }),
			[]string{"Values/Microseconds", "Due/AtOnce"}},
		{"Due and Find forget who pays", func(l *liar) {
			forget := each(func(o *orderstore.Order) { o.OpenID = "" })
			l.onDue(forget)
			l.onFind(forget)
		}, []string{"Due/ReturnsWholeOrders", "Find/ReturnsWholeOrders"}},
		{"times are nanoseconds", times(func(t time.Time) time.Time {
			if t.IsZero() {
				return t
			}
			return time.Unix(0, t.UnixNano())
		}), []string{"Values/Clocks"}},
		{"1970 is not yet", times(func(t time.Time) time.Time {
			if t.UnixMicro() == 0 {
				return time.Time{}
			}
			return t
		}), []string{"Values/Clocks"}},
		{"times begin in 1970", times(func(t time.Time) time.Time {
			if !t.IsZero() && t.Unix() < 0 {
				return time.Unix(0, 1000)
			}
			return t
		}), []string{"Values/Clocks"}},
		{"times come back in another zone", func(l *liar) {
			l.onRead(func(o *orderstore.Order) { o.PaidAt = o.PaidAt.In(time.FixedZone("", 8*60*60)) })
		}, []string{"Values/Microseconds"}},
	}
}

func foldNumbers(l *liar) {
	l.onWrite(func(o *orderstore.Order) { o.OutTradeNo = strings.ToLower(o.OutTradeNo) })
	l.get = func(ctx context.Context, number string) (orderstore.Order, error) {
		return l.honest.Get(ctx, strings.ToLower(number))
	}
	l.events = func(ctx context.Context, number string) ([]orderstore.Event, error) {
		return l.honest.Events(ctx, strings.ToLower(number))
	}
}
