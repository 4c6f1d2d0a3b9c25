package ledger_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// comparison is one store and one bill, and everything that is said and
// done about them. The order is order1; its transaction, if not said otherwise,
// 4201, and its refund refund1.
type comparison struct {
	name   string
	store  []func(*orderstore.Order) // nil: the store never had it
	rows   []wxapi.BillRow
	want   []ledger.Difference
	again  int                    // how many of them the second comparison finds
	events []orderstore.EventKind // that the order has after both
	after  func(orderstore.Order) bool
}

type (
	row  = wxapi.BillRow
	rows = []wxapi.BillRow
	opt  = []func(*orderstore.Order)
)

func (test comparison) run(t *testing.T) {
	t.Parallel()
	s := newShop()
	s.rows = test.rows
	if test.store != nil {
		s.has(t, "order1", test.store...)
	}
	first := s.compare(t)
	if got := bare(t, first); !slices.Equal(got, test.want) {
		t.Errorf("differences\n%+v, want\n%+v", got, test.want)
	}
	if first.Payments+first.Refunds > len(test.rows) || !first.Day.Equal(day) || first.NoBill {
		t.Errorf("report %+v", first)
	}
	if len(test.want) == 0 && s.settled != 0 {
		t.Errorf("%d claims about what agrees", s.settled)
	}
	second := s.compare(t)
	if len(second.Differences) != test.again {
		t.Errorf("found again: %+v", second.Differences)
	}
	for _, d := range second.Differences {
		if d.Repaired {
			t.Errorf("repaired again: %+v", d)
		}
	}
	if test.store == nil {
		return
	}
	if got := s.history(t, "order1"); !slices.Equal(got, test.events) {
		t.Errorf("events %q, want %q", got, test.events)
	}
	if o := s.order(t, "order1"); !test.after(o) || o.Version != int64(1+len(test.events)) {
		t.Errorf("order is %+v", o)
	}
}

// The tables have every kind, and every kind says what to do in a sentence,
// another one for each case.
func TestRemedies(t *testing.T) {
	t.Parallel()
	of := make(map[string]ledger.Kind)
	kinds := make(map[ledger.Kind]bool)
	for _, test := range slices.Concat(paymentCases(), refundCases()) {
		s := newShop()
		s.rows = test.rows
		if test.store != nil {
			s.has(t, "order1", test.store...)
		}
		for _, d := range s.compare(t).Differences {
			kinds[d.Kind] = true
			if kind, taken := of[d.Remedy]; taken && kind != d.Kind {
				t.Errorf("%s and %s have one remedy", kind, d.Kind)
			}
			of[d.Remedy] = d.Kind
			if !strings.HasSuffix(d.Remedy, ".") || strings.Contains(d.Remedy, ". ") || strings.HasPrefix(d.Remedy, "Nothing is left") != d.Repaired {
				t.Errorf("%s, repaired %v: %q", d.Kind, d.Repaired, d.Remedy)
			}
			if strings.Contains(d.Here+d.There, "oSecret") {
				t.Errorf("an openid in %+v", d)
			}
		}
	}
	for _, kind := range ledger.Kinds() {
		if !kinds[kind] {
			t.Errorf("no case for %s", kind)
		}
		delete(kinds, kind)
	}
	if len(kinds) > 0 {
		t.Errorf("not in the list of kinds: %v", kinds)
	}
	if len(of) != len(ledger.Kinds())+6 { // three repaired, three states, midnight; UnpaidHere is left over only after an error
		t.Errorf("%d remedies: %v", len(of), of)
	}
}

// A payment close to midnight may be in the bill beside, and the remedy says so.
func TestRemedyAtMidnight(t *testing.T) {
	t.Parallel()
	end := day.AddDate(0, 0, 1)
	for at, want := range map[time.Time]bool{
		day: true, day.Add(time.Minute - 1000): true, day.Add(time.Minute): false,
		noon: false, end.Add(-time.Minute - 1000): false, end.Add(-time.Minute): true, end.Add(-1000): true,
	} {
		s := newShop()
		s.has(t, "order1", paidBy("4201"), paidAt(at))
		remedy := s.compare(t).Differences[0].Remedy
		if got := strings.Contains(remedy, "midnight"); got != want {
			t.Errorf("paid at %v: %q", at, remedy)
		}
	}
}

// Orders of a whole day are read in pages, and those of many at one moment too.
func TestCompareManyMissing(t *testing.T) {
	t.Parallel()
	s := newShop()
	const many = 450
	for i := range many {
		s.has(t, "order"+string(rune('A'+i/26/26))+string(rune('A'+i/26%26))+string(rune('A'+i%26)),
			paidBy("4201"), paidAt(noon.Add(time.Duration(i/300)*time.Minute)))
	}
	report := s.compare(t)
	if n := report.Counts[ledger.MissingInBill]; n != (ledger.Count{Found: many}) || len(report.Differences) != many {
		t.Errorf("%+v, %d listed", n, len(report.Differences))
	}
}

// A system that sells on the same account does not hide what is to be found.
func TestCompareManyUnknown(t *testing.T) {
	t.Parallel()
	s := newShop()
	for range ledger.MaxListed + 7 {
		s.rows = append(s.rows, payment("theirs", "4200"))
	}
	s.has(t, "order1")
	s.rows = append(s.rows, payment("order1", "4201"))
	report := s.compare(t)
	want := map[ledger.Kind]ledger.Count{ledger.UnknownOrder: {Found: ledger.MaxListed + 7}, ledger.UnpaidHere: {Found: 1, Repaired: 1}}
	if !reflect.DeepEqual(report.Counts, want) || len(report.Differences) != ledger.MaxListed+1 || report.Payments != ledger.MaxListed+8 {
		t.Errorf("%+v, %d listed of %d", report.Counts, len(report.Differences), report.Payments)
	}
}

// The rows as they come off the wire.
func TestCompareParsedBill(t *testing.T) {
	t.Parallel()
	const text = "\ufeff交易时间,公众账号ID,商户号,特约商户号,微信订单号,商户订单号,交易状态,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,退款状态,订单金额,申请退款金额\r\n" +
		"`2026-03-09 12:00:00,`" + appID + ",`" + mchID + ",`0,`4201,`order1,`SUCCESS,`CNY,`1.00,`0.00,`0,`0,`0.00,`,`1.00,`0.00\r\n" +
		"`2026-03-09 13:00:00,`" + appID + ",`" + mchID + ",`0,`4201,`order1,`REFUND,`CNY,`0.00,`0.00,`5001,`refund1,`0.30,`SUCCESS,`0.00,`0.30\r\n" +
		"总交易单数,应结订单总金额,退款总金额,订单总金额,申请退款总金额\r\n`2,`1.00,`0.30,`1.00,`0.30\r\n"
	parsed, err := wxapi.ParseTradeBill(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	s := newShop()
	s.has(t, "order1")
	s.rows = parsed.Rows
	if report := s.compare(t); report.Payments != 1 || report.Refunds != 1 || report.Counts[ledger.UnpaidHere].Repaired != 1 ||
		report.Counts[ledger.UnknownRefund].Repaired != 1 || len(report.Counts) != 2 {
		t.Errorf("report %+v", report)
	}
	if o := s.order(t, "order1"); !o.PaidAt.Equal(noon) || o.PayerTotal != 100 || o.Refunded != 30 {
		t.Errorf("order is %+v", o)
	}
	if report, err := s.ledger().Compare(context.Background(), noon); err != nil || len(report.Differences) != 0 || report.Counts != nil {
		t.Errorf("%+v, %v", report, err)
	}
}
