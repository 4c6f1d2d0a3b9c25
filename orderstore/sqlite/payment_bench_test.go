//go:build cgo && unix

package sqlite_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// How long a payment takes to be stored while others are under way, as the
// notification does it, and the time of all processors (cpu-ns/op). Each is of
// an order of its own, in the order of their numbers.
func BenchmarkPayment(b *testing.B) {
	for _, inFlight := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("InFlight=%d", inFlight), func(b *testing.B) {
			s := open(b, newPath(b))
			each(b, b.N, 64, func(i int) error { return s.Create(b.Context(), newOrder(fmt.Sprintf("tzxz_%09d", i))) })
			b.ReportAllocs()
			before := processors(b)
			b.ResetTimer()
			each(b, b.N, inFlight, func(i int) error {
				_, err := orderstore.Update(b.Context(), s, fmt.Sprintf("tzxz_%09d", i), func(o orderstore.Order) (orderstore.Order, bool) {
					next, _, err := o.Apply(paymentOf(o, i), time.Unix(1772600767, 0).UTC())
					if err != nil {
						b.Error(err)
					}
					return next, true
				})
				return err
			})
			b.StopTimer()
			b.ReportMetric(float64(processors(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

func paymentOf(o orderstore.Order, i int) orderstore.Payment {
	return orderstore.Payment{
		Source: orderstore.FromNotification, ID: "EV-2018022511223320873", Serial: "PUB_KEY_ID_0119000000012024061200000001",
		OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID, TradeState: orderstore.TradeSuccess,
		TransactionID: fmt.Sprintf("4200000000%018d", i), Total: o.Total, PayerTotal: o.Total, Currency: o.Currency,
		PaidAt: time.Unix(1772600766, 0).UTC(),
	}
}

// each does the n things, some at a time.
func each(b *testing.B, n, atOnce int, do func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var working sync.WaitGroup
	for range atOnce {
		working.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	working.Wait()
}

// processors is the time that this process has used of all processors.
func processors(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
