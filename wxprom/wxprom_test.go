package wxprom_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxprom"
)

func TestHooksFillMetrics(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	h := wxprom.New(reg)
	ctx := context.Background()
	paid := wxpay.SettledInfo{
		Order:  orderstore.Order{Product: orderstore.Native, Total: 100},
		Source: orderstore.FromQuery, Outcome: orderstore.BecamePaid,
	}
	h.Settled(ctx, paid)
	h.Settled(ctx, paid)
	paid.Outcome = orderstore.SecondPayment
	h.Settled(ctx, paid)
	want := `
# HELP wxpay_anomalies_total Money that is not where the order says: somebody must look.
# TYPE wxpay_anomalies_total counter
wxpay_anomalies_total{kind="second_payment"} 1
# HELP wxpay_paid_fen_total Money received, in fen, by product.
# TYPE wxpay_paid_fen_total counter
wxpay_paid_fen_total{product="native"} 200
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "wxpay_anomalies_total", "wxpay_paid_fen_total"); err != nil {
		t.Error(err)
	}
	h.HandOver(ctx, wxpay.HandOverInfo{Took: time.Second})
	h.HandOver(ctx, wxpay.HandOverInfo{Took: time.Second, Err: errors.New("down")})
	h.Request(ctx, wxpay.RequestInfo{Endpoint: "prepay", Outcome: "ok", Took: time.Millisecond})
	for _, n := range []wxpay.NotificationInfo{{Outcome: "ok", Serial: "PUB_KEY_ID_1"}, {Outcome: "ok", Serial: "5F1C"}, {Outcome: "unsigned"}} {
		h.Notification(ctx, n)
	}
	for _, c := range []wxapi.Call{{Op: "query", Status: 200}, {Op: "query", Status: 200, Err: errors.New("x")}, {Op: "query", Err: errors.New("x")}, {Op: "query", Status: 404, Err: errors.New("x")}, {Op: "query", Status: 500, Err: errors.New("x")}} {
		h.WeChatCall(c)
	}
	for name, series := range map[string]int{
		"wxpay_hand_over_duration_seconds":    2,
		"wxpay_request_duration_seconds":      1,
		"wxpay_notification_duration_seconds": 3,
		"wxpay_wechat_call_duration_seconds":  5,
		"wxpay_orders_settled_total":          2,
	} {
		if n, err := testutil.GatherAndCount(reg, name); err != nil || n != series {
			t.Errorf("%s has %d series (%v), want %d", name, n, err, series)
		}
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) != 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
}

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

func ExampleNew() {
	hooks := wxprom.New(prometheus.DefaultRegisterer)
	_ = wxpay.Options{Hooks: hooks}
	// Output:
}
