package wxprom_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/worker"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxprom"
)

// filled is a registry after what fill told the hooks.
func filled(fill func(context.Context, wxpay.Hooks)) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	fill(context.Background(), wxprom.New(reg))
	return reg
}

// expect compares families, without their HELP; series at zero are left out.
func expect(t *testing.T, reg *prometheus.Registry, want string, families ...string) {
	t.Helper()
	all, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range all {
		if !slices.Contains(families, f.GetName()) {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetHistogram().GetSampleSum()
			if v != 0 {
				got = append(got, fmt.Sprintf("%s %s %v", strings.TrimPrefix(f.GetName(), "wxpay_"), strings.Join(labels, " "), v))
			}
		}
	}
	lines := strings.Split(strings.TrimSpace(want), "\n")
	slices.Sort(lines)
	slices.Sort(got)
	if !slices.Equal(got, lines) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// TestMoney: what orders and refunds do to the counters of money.
func TestMoney(t *testing.T) {
	t.Parallel()
	order := orderstore.Order{Product: orderstore.Native, Total: 100, PaidAt: noon, UpdatedAt: noon.Add(3 * time.Second)}
	reg := filled(func(ctx context.Context, h wxpay.Hooks) {
		h.Placed(ctx, order)
		h.Settled(ctx, wxpay.SettledInfo{Order: order, Source: orderstore.FromNotification, Outcome: orderstore.BecamePaid})
		h.Settled(ctx, wxpay.SettledInfo{Order: order, Source: orderstore.FromQuery, Outcome: orderstore.BecamePaid})
		h.Settled(ctx, wxpay.SettledInfo{Order: order, Source: orderstore.FromQuery, Outcome: orderstore.SecondPayment})
		h.Settled(ctx, wxpay.SettledInfo{Order: order, Source: orderstore.FromClose, Outcome: orderstore.BecameClosed})
		early := order
		early.UpdatedAt = noon.Add(-time.Minute) // its clock is behind
		h.Settled(ctx, wxpay.SettledInfo{Order: early, Source: orderstore.FromQuery, Outcome: orderstore.BecamePaid})
		back := order
		back.GivenBack = orderstore.GivenBackLate
		h.Settled(ctx, wxpay.SettledInfo{Order: back, Source: orderstore.FromBill, Outcome: orderstore.BecamePaidLate})
		for _, outcome := range []orderstore.RefundOutcome{orderstore.RefundSucceeded, orderstore.RefundNotBegun, orderstore.RefundMismatched} {
			h.Refund(ctx, wxpay.RefundInfo{Order: order, Refund: orderstore.Refund{Amount: 40}, Source: orderstore.FromQuery, Outcome: outcome})
		}
	})
	expect(t, reg, `
anomalies_total paid_late 1
anomalies_total refund_mismatch 1
anomalies_total second_payment 1
order_fen_total native closed 100
order_fen_total native given_back 100
order_fen_total native paid 400
order_fen_total native placed 100
order_fen_total native refunded 40
orders_placed_total native 1
payment_delay_seconds bill 3
payment_delay_seconds notification 3
payment_delay_seconds query 3
payments_recovered_total bill 1
payments_recovered_total query 2
refunds_need_person_total mismatch 1
refunds_need_person_total not_begun 1
`, "wxpay_anomalies_total", "wxpay_order_fen_total", "wxpay_orders_placed_total", "wxpay_payment_delay_seconds",
		"wxpay_payments_recovered_total", "wxpay_refunds_need_person_total")
}

// TestHandOvers: a failed first call and a second that succeeds.
func TestHandOvers(t *testing.T) {
	t.Parallel()
	order := orderstore.Order{PaidAt: noon, UpdatedAt: noon.Add(10 * time.Second)}
	reg := filled(func(ctx context.Context, h wxpay.Hooks) {
		h.HandOver(ctx, wxpay.HandOverInfo{Order: order, Try: 1, Waited: 2 * time.Second, Took: time.Second, Err: errDown})
		h.HandOver(ctx, wxpay.HandOverInfo{Order: order, Try: 2, Waited: 4 * time.Second, Took: 3 * time.Second})
		h.HandOver(ctx, wxpay.HandOverInfo{Order: orderstore.Order{PaidAt: noon, UpdatedAt: noon.Add(-time.Minute)}, Try: 2})
		refund := orderstore.Refund{RefundedAt: noon.Add(5 * time.Second)}
		h.HandOver(ctx, wxpay.HandOverInfo{Order: order, Refund: &refund, Try: 1, Waited: 7 * time.Second, Took: time.Second})
	})
	expect(t, reg, `
hand_over_duration_seconds error order 1
hand_over_duration_seconds ok order 3
hand_over_duration_seconds ok refund 1
hand_over_wait_seconds order 2
hand_over_wait_seconds refund 7
hand_overs_total error order 1
hand_overs_total ok order 2
hand_overs_total ok refund 1
handed_over_delay_seconds order 13
handed_over_delay_seconds refund 6
`, "wxpay_hand_over_duration_seconds", "wxpay_hand_over_wait_seconds", "wxpay_hand_overs_total", "wxpay_handed_over_delay_seconds")
}

// TestForeignTextStaysOut: a code, an event or a serial that WeChat, or
// somebody who pretends, makes up becomes no label.
func TestForeignTextStaysOut(t *testing.T) {
	t.Parallel()
	reg := filled(func(ctx context.Context, h wxpay.Hooks) {
		for _, n := range []wxpay.NotificationInfo{
			{Outcome: "ok", Serial: "PUB_KEY_ID_1", EventType: "TRANSACTION.SUCCESS"}, {Outcome: "ok", Serial: "5F1C", EventType: "REFUND.ABNORMAL"},
			{Outcome: "ignored", Serial: "5F1C", EventType: "PAYSCORE.USER_PAID"}, {Outcome: "unsigned"},
		} {
			h.Notification(ctx, n)
		}
		for i, code := range []string{"SYSTEM_ERROR", "SHINY_NEW", ""} {
			h.WeChatCall(wxapi.Call{Op: wxapi.OpQuery, Attempt: i + 1, Status: 500, Code: code, Err: errDown, Backup: i == 1})
		}
		h.WeChatCall(wxapi.Call{Op: wxapi.OpQuery, Attempt: 1, Status: 404, Code: "ORDER_NOT_EXIST", Err: errDown})
		h.WeChatCall(wxapi.Call{Op: wxapi.OpQuery, Attempt: 1, Status: 200, Err: errDown})
		h.WeChatCall(wxapi.Call{Op: wxapi.OpQuery, Attempt: 1, Err: errDown})
		h.WeChatCall(wxapi.Call{Op: wxapi.OpQuery, Attempt: 1, Status: 200, Date: noon, Skew: -2 * time.Second})
		h.WeChatCall(wxapi.Call{Op: wxapi.OpQuery, Attempt: 1, Status: 200}) // by a WeChat without a Date
	})
	expect(t, reg, `
notifications_total refund certificate ok 1
notifications_total none none unsigned 1
notifications_total other certificate ignored 1
notifications_total payment public_key ok 1
wechat_backup_calls_total query 1
wechat_calls_total query failed 3
wechat_calls_total query no_answer 1
wechat_calls_total query not_verified 1
wechat_calls_total query ok 2
wechat_calls_total query refused 1
wechat_clock_skew_seconds  -2
wechat_errors_total none query 1
wechat_errors_total ORDER_NOT_EXIST query 1
wechat_errors_total SYSTEM_ERROR query 1
wechat_errors_total other query 1
wechat_retries_total query 2
`, "wxpay_notifications_total", "wxpay_wechat_backup_calls_total", "wxpay_wechat_calls_total", "wxpay_wechat_clock_skew_seconds",
		"wxpay_wechat_errors_total", "wxpay_wechat_retries_total")
}

// TestKitItself: what waits, and the ends of certificates.
func TestKitItself(t *testing.T) {
	t.Parallel()
	waits := worker.Backlog{At: noon, Overdue: time.Second, Owed: 2 * time.Second, Expired: 3 * time.Second}
	reg := filled(func(ctx context.Context, h wxpay.Hooks) {
		h.Keys(ctx, []wxpay.KeyInfo{
			{Kind: wxpay.KeyMerchant}, {Kind: wxpay.KeyPublic},
			{Kind: wxpay.KeyPlatform, NotAfter: noon.AddDate(0, 1, 0)}, {Kind: wxpay.KeyPlatform, NotAfter: noon.AddDate(5, 0, 0)},
			{Kind: wxpay.KeyPlatform, NotAfter: noon},
		})
		h.Backlog(ctx, wxpay.BacklogInfo{Backlog: waits})
	})
	expect(t, reg, `
backlog_looks_total ok 1
backlog_timestamp_seconds  1.7958672e+09
certificate_expiry_timestamp_seconds platform 1.9536336e+09
oldest_not_handed_over_seconds  2
oldest_unpaid_seconds  3
overdue_seconds  1
verify_keys platform 3
verify_keys public_key 1
`, "wxpay_backlog_looks_total", "wxpay_backlog_timestamp_seconds", "wxpay_certificate_expiry_timestamp_seconds",
		"wxpay_oldest_not_handed_over_seconds", "wxpay_oldest_unpaid_seconds", "wxpay_overdue_seconds", "wxpay_verify_keys")
	broken := filled(func(ctx context.Context, h wxpay.Hooks) {
		h.Backlog(ctx, wxpay.BacklogInfo{Backlog: waits})
		h.Backlog(ctx, wxpay.BacklogInfo{Backlog: worker.Backlog{At: noon, Err: errDown}})
	})
	expect(t, broken, `
backlog_looks_total error 1
backlog_looks_total ok 1
oldest_not_handed_over_seconds  NaN
`, "wxpay_backlog_looks_total", "wxpay_oldest_not_handed_over_seconds")
}

// TestBills: only a day that was compared to its end counts as compared.
func TestBills(t *testing.T) {
	t.Parallel()
	reg := filled(func(ctx context.Context, h wxpay.Hooks) {
		h.Reconciled(ctx, wxpay.ReconciledInfo{Err: wxapi.ErrBillNotReady})
		h.Reconciled(ctx, wxpay.ReconciledInfo{Err: errDown})
	})
	expect(t, reg, "bills_compared_total error 1\nbills_compared_total not_ready 1", "wxpay_bills_compared_total", "wxpay_bill_compared_timestamp_seconds")
	reg = filled(func(ctx context.Context, h wxpay.Hooks) {
		h.Reconciled(ctx, wxpay.ReconciledInfo{Report: ledger.Report{Counts: map[ledger.Kind]ledger.Count{ledger.Amount: {Found: 3, Repaired: 1}}}})
	})
	expect(t, reg, "bill_differences_total amount no 2\nbill_differences_total amount yes 1\nbills_compared_total ok 1", "wxpay_bills_compared_total", "wxpay_bill_differences_total")
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "wxpay_bill_compared_timestamp_seconds" {
			if at := f.GetMetric()[0].GetGauge().GetValue(); time.Since(time.Unix(int64(at), 0)) > time.Hour {
				t.Errorf("compared at %v", at)
			}
		}
	}
}

// TestSQLite: a writer's transactions.
func TestSQLite(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	told := wxprom.SQLite(reg)
	told(3, 2, time.Second, nil)
	told(0, 5, 2*time.Second, errDown)
	expect(t, reg, `
sqlite_commit_duration_seconds error 2
sqlite_commit_duration_seconds ok 1
sqlite_commit_writes  3
sqlite_queue_depth  7
`, "wxpay_sqlite_commit_duration_seconds", "wxpay_sqlite_commit_writes", "wxpay_sqlite_queue_depth")
}

var errDown = errors.New("down")

// TestTwoKitsShareARegistry: the second New must neither panic nor count
// somewhere else.
func TestTwoKitsShareARegistry(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	for range 2 {
		wxprom.New(reg).HandOver(context.Background(), wxpay.HandOverInfo{})
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "wxpay_hand_over_duration_seconds" {
			if n := f.GetMetric()[0].GetHistogram().GetSampleCount(); n != 2 {
				t.Errorf("counted %d, want 2", n)
			}
			return
		}
	}
	t.Error("the metric is missing")
}

// TestNamesAreGood holds names and types against Prometheus' own linter.
func TestNamesAreGood(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	wxprom.New(reg)
	wxprom.SQLite(reg)
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) != 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

func ExampleSQLite() {
	store, err := sqlite.OpenWith("pay.db", sqlite.Options{Committed: wxprom.SQLite(prometheus.DefaultRegisterer)})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
}

func ExampleNew() {
	hooks := wxprom.New(prometheus.DefaultRegisterer)
	_ = wxpay.Options{Hooks: hooks}
	// Output:
}
