package wxpay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxsim"
)

// noonTomorrow moves the shop to the noon of the next day in Beijing, and
// returns a moment of the day before.
func (s *shop) noonTomorrow() (day time.Time) {
	s.t.Helper()
	day = s.clock.Now()
	zone := time.FixedZone("CST", 8*60*60)
	y, m, d := day.In(zone).Date()
	s.clock.advance(time.Date(y, m, d+1, 12, 0, 0, 0, zone).Sub(day))
	return day
}

// differences are the kinds found, with the order's number.
func differences(r ledger.Report) []string {
	var list []string
	for _, d := range r.Differences {
		list = append(list, fmt.Sprint(d.Kind, " ", d.OutTradeNo, " ", d.Repaired))
		if d.Remedy == "" {
			list = append(list, "no remedy for "+string(d.Kind))
		}
	}
	slices.Sort(list)
	return list
}

// TestReconcile finds what no notification told of and no query asked about,
// and what was never ours.
func TestReconcile(t *testing.T) {
	t.Parallel()
	var heard []wxpay.ReconciledInfo
	s := open(t, func(o *wxpay.Options) {
		o.Hooks.Reconciled = func(_ context.Context, r wxpay.ReconciledInfo) { heard = append(heard, r) }
	})
	fine, lost := s.bought(), s.buy("app", "u1").OutTradeNo
	s.give(fine, `{"refund":30,"out_refund_no":"R-1"}`).refund(t)
	s.sim.Advance(5 * time.Second)
	if err := s.sim.PayQuietly(lost); err != nil {
		t.Fatal(err)
	}
	if err := s.sim.AddStrayPayment("of-another-system", 777, time.Time{}); err != nil {
		t.Fatal(err)
	}
	day := s.noonTomorrow()
	report, err := s.kit.Reconcile(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"unknown_order of-another-system false", "unpaid_here " + lost + " true"}
	if got := differences(report); !slices.Equal(got, want) || report.Payments != 3 || report.Refunds != 1 {
		t.Errorf("%d payments, %d refunds, differences %q, want %q", report.Payments, report.Refunds, got, want)
	}
	eventually(t, "the lost payment is handed over", func() bool { return s.grants.count(lost) == 1 })
	events, _ := s.store.Events(t.Context(), lost)
	if i := slices.IndexFunc(events, func(e orderstore.Event) bool { return e.Kind == orderstore.EventPaid }); i < 0 || events[i].Source != orderstore.FromBill {
		t.Errorf("history %+v", events)
	}
	if !strings.Contains(s.logs.String(), `"msg":"bill and store differ","day":"`) {
		t.Error("the log does not tell of the differences")
	}
	again, err := s.kit.Reconcile(t.Context(), day)
	if got := differences(again); err != nil || !slices.Equal(got, want[:1]) {
		t.Errorf("the second time: %q, %v", got, err)
	}
	if len(heard) != 2 || heard[0].Payments != 3 || heard[0].Counts[ledger.UnpaidHere].Repaired != 1 || heard[1].Err != nil {
		t.Errorf("hooks heard %+v", heard)
	}
}

// TestReconcileBadBill: of a bill that is not good nothing is used.
func TestReconcileBadBill(t *testing.T) {
	t.Parallel()
	s := open(t)
	lost := s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(lost); err != nil {
		t.Fatal(err)
	}
	refuse := func(name string, day time.Time, want error) {
		t.Helper()
		report, err := s.kit.Reconcile(t.Context(), day)
		if !errors.Is(err, want) || len(report.Differences) != 0 || s.stored(lost).PayStatus != orderstore.Unpaid {
			t.Errorf("%s: %v, want %v; %d differences, the order is %v", name, err, want, len(report.Differences), s.stored(lost).PayStatus)
		}
	}
	refuse("today", s.clock.Now(), ledger.ErrTooEarly)
	refuse("tomorrow", s.clock.Now().Add(24*time.Hour), ledger.ErrTooEarly)
	refuse("last year", s.clock.Now().AddDate(-1, 0, 0), ledger.ErrTooOld)
	if n := s.sim.Requests("bill"); n != 0 {
		t.Errorf("%d calls for days that have no bill", n)
	}
	day := s.noonTomorrow()
	s.clock.advance(-3 * time.Hour)
	refuse("at nine", day, wxapi.ErrBillNotReady)
	s.clock.advance(3 * time.Hour)
	for _, fault := range []string{"wrong_hash", "truncated", "missing_column"} {
		s.sim.Fault(wxsim.Fault{Target: "bill", Fault: fault})
		refuse(fault, day, wxapi.ErrBillDamaged)
		s.sim.ClearFaults()
	}
	for _, fault := range []string{"status_500", "reset", "garbage", "bad_signature"} {
		s.sim.Fault(wxsim.Fault{Target: "bill", Fault: fault})
		refuse(fault, day, wxapi.ErrUnknown)
		s.sim.ClearFaults()
	}
	empty, err := s.kit.Reconcile(t.Context(), day.AddDate(0, 0, -7))
	if err != nil || !empty.NoBill || len(empty.Differences) != 0 {
		t.Errorf("a day without payments: %+v, %v", empty, err)
	}
	if report, err := s.kit.Reconcile(t.Context(), day); err != nil || report.Counts[ledger.UnpaidHere].Repaired != 1 || s.stored(lost).PayStatus != orderstore.Paid {
		t.Errorf("a good bill: %+v, %v", report, err)
	}
}

// TestReconcileDaily: Run does it by itself, after ten in the morning.
func TestReconcileDaily(t *testing.T) {
	t.Parallel()
	o := goodOptions(t) // has a socket, with which a bubble would never come to rest
	synctest.Test(t, func(t *testing.T) {
		sim, err := wxsim.New(wxsim.Config{Seed: 1, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		acct, store := sim.Account(), quiet{memory.New()}
		o.Merchant.MchID, o.Merchant.CertSerial, o.Merchant.PrivateKey, o.Merchant.APIv3Key = acct.MchID, acct.SerialNo, acct.PrivateKeyPEM, acct.APIv3Key
		o.Merchant.PublicKeyID, o.Merchant.PublicKey, o.Merchant.APIBase = acct.PublicKeyID, acct.PublicKeyPEM, "http://127.0.0.1:81"
		sim.SetURL(o.Merchant.APIBase)
		o.Store, o.Now, o.HTTPClient = store, time.Now, &http.Client{Transport: inProcess{sim}}
		o.ReconcileDaily, o.RunInterval = true, time.Minute
		var mu sync.Mutex
		var days []string
		o.Hooks.Reconciled = func(_ context.Context, r wxpay.ReconciledInfo) {
			mu.Lock()
			defer mu.Unlock()
			at := time.Now().In(time.FixedZone("CST", 8*60*60))
			if at.Hour() < 10 {
				t.Errorf("asked at %v", at)
			}
			days = append(days, fmt.Sprint(r.Day.Format(time.DateOnly), " ", r.Counts[ledger.UnknownOrder].Found, " ", r.Err))
		}
		kit, err := wxpay.New(o)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(36 * time.Hour) // no bill is of the last millennium
		if err := sim.AddStrayPayment("of-another-system", 777, time.Now()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = kit.Run(ctx) })
		time.Sleep(60 * time.Hour)
		cancel()
		run.Wait()
		mu.Lock()
		defer mu.Unlock()
		if want := []string{"2000-01-01 0 <nil>", "2000-01-02 1 <nil>", "2000-01-03 0 <nil>"}; !slices.Equal(days, want) {
			t.Errorf("compared %q, want %q", days, want)
		}
	})
}
