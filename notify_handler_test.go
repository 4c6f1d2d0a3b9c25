package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// inbox is a shop that listens to its hooks. Nobody hands paid orders over
// before run is called, so that a test sees every version of an order.
type inbox struct {
	*shop
	heard *heard
}

// openInbox starts an inbox beside a simulator of the given kind.
func openInbox(t testing.TB, conf wxsim.Config, change ...func(*wxpay.Options)) *inbox {
	t.Helper()
	s := &shop{
		t: t, mux: http.NewServeMux(), store: quiet{memory.New()}, clock: new(clock), logs: new(buffer),
		grants: &grants{of: make(map[string]int)},
	}
	server := httptest.NewServer(s.mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	if conf.Now == nil {
		conf.Now = s.clock.Now
	}
	s.sim = wxsim.Start(t, conf)
	in := &inbox{shop: s, heard: new(heard)}
	o := s.options()
	o.Hooks = in.heard.hooks()
	for _, c := range change {
		c(&o)
	}
	s.store = o.Store
	kit, err := wxpay.Mount(s.mux, o)
	if err != nil {
		t.Fatal(err)
	}
	s.kit = kit
	return in
}

// run hands paid orders over until the test ends.
func (in *inbox) run() { runKit(in.t, in.kit) }

func runKit(t testing.TB, kit *wxpay.Kit) {
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = kit.Run(ctx) })
	t.Cleanup(func() { cancel(); run.Wait() })
}

// heard is what the hooks were told.
type heard struct {
	mu            sync.Mutex
	notifications []wxpay.NotificationInfo
	settled       []wxpay.SettledInfo
	handOvers     []wxpay.HandOverInfo
}

func (h *heard) hooks() wxpay.Hooks {
	return wxpay.Hooks{
		Notification: func(_ context.Context, i wxpay.NotificationInfo) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.notifications = append(h.notifications, i)
		},
		Settled: func(_ context.Context, i wxpay.SettledInfo) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.settled = append(h.settled, i)
		},
		HandOver: func(_ context.Context, i wxpay.HandOverInfo) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.handOvers = append(h.handOvers, i)
		},
	}
}

// outcomes are what became of the notifications.
func (h *heard) outcomes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for _, i := range h.notifications {
		names = append(names, i.Outcome)
	}
	return names
}

// changes are what WeChat's word did to orders, each with "!" when somebody
// should look at it.
func (h *heard) changes() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for _, i := range h.settled {
		name := string(i.Outcome)
		if i.Anomaly() {
			name += "!"
		}
		names = append(names, name)
	}
	return names
}

// paidAtWeChat is a native order of 100 fen that was paid without a word.
func (in *inbox) paidAtWeChat() string {
	in.t.Helper()
	number := in.buy("native", "u1").OutTradeNo
	if err := in.sim.PayQuietly(number); err != nil {
		in.t.Fatal(err)
	}
	return number
}

// note is a genuine notification of a paid order, but for the changes.
func (in *inbox) note(number string, change ...func(*wxsim.Notification)) *http.Request {
	in.t.Helper()
	req, err := in.sim.Notification(number, change...)
	if err != nil {
		in.t.Fatal(err)
	}
	return req
}

// signed is a genuine notification of any event.
func (in *inbox) signed(plaintext any, event string, change ...func(*wxsim.Notification)) *http.Request {
	in.t.Helper()
	req, err := in.sim.SignNotification(plaintext, event, in.url+"/pay/notify", change...)
	if err != nil {
		in.t.Fatal(err)
	}
	return req
}

// inProcess serves a request without a socket: for what no client would send.
func (in *inbox) inProcess(req *http.Request) reply {
	rec := httptest.NewRecorder()
	in.mux.ServeHTTP(rec, req)
	return reply{status: rec.Code, header: rec.Result().Header, raw: rec.Body.String()}
}

// ending is all that one notification leads to: the answer on the wire, the
// hook, and the log line.
type ending struct {
	status int
	name   string
	level  string
	cause  string // a part of it; empty for none at all
}

func accepted() ending { return ending{http.StatusNoContent, "ok", "INFO", ""} }
func ignored() ending {
	return ending{http.StatusNoContent, "ignored", "INFO", "means nothing to the kit"}
}

func unverified(name, cause string) ending {
	return ending{http.StatusUnauthorized, name, "WARN", cause}
}

// refused is one that WeChat signed: somebody must act.
func refused(status int, name, cause string) ending { return ending{status, name, "ERROR", cause} }

const refusalBody = `{"code":"FAIL","message":"失败"}` + "\n"

// refusalHeader is every header of a refusal, but Date.
var refusalHeader = http.Header{
	"Cache-Control":          {"no-store"},
	"Content-Length":         {fmt.Sprint(len(refusalBody))},
	"Content-Type":           {"application/json; charset=utf-8"},
	"X-Content-Type-Options": {"nosniff"},
}

// ended checks all that the latest notification led to.
func (in *inbox) ended(got reply, want ending) {
	in.t.Helper()
	wantBody, wantHeader := refusalBody, refusalHeader
	if want.status == http.StatusNoContent {
		wantBody, wantHeader = "", http.Header{}
	}
	header := maps.Clone(got.header)
	header.Del("Date")
	if got.status != want.status || got.raw != wantBody {
		in.t.Errorf("answer %d %q, want %d %q", got.status, got.raw, want.status, wantBody)
	}
	if !maps.EqualFunc(header, wantHeader, slices.Equal) {
		in.t.Errorf("headers %v, want %v", header, wantHeader)
	}
	in.told(want)
}

// told checks hook and log line of the latest notification.
func (in *inbox) told(want ending) {
	in.t.Helper()
	in.heard.mu.Lock()
	defer in.heard.mu.Unlock()
	if len(in.heard.notifications) == 0 {
		in.t.Fatal("the hook was not called")
	}
	hook := in.heard.notifications[len(in.heard.notifications)-1]
	if hook.Outcome != want.name {
		in.t.Errorf("hook says %q, want %q", hook.Outcome, want.name)
	}
	if verified := want.level != "WARN"; verified != (hook.Serial != "") || !verified && hook.EventType != "" {
		in.t.Errorf("hook %+v: serial and event type are for verified notifications, and for them alone", hook)
	}
	line := lastOf(in.logLines("notification answered"))
	cause, _ := line["cause"].(string)
	if line["ending"] != want.name || line["level"] != want.level || !strings.Contains(cause, want.cause) || (cause == "") != (want.cause == "") {
		in.t.Errorf("log says %v, want ending %q, level %s and a cause with %q", line, want.name, want.level, want.cause)
	}
	if remedy, _ := line["remedy"].(string); remedy != wxpay.NotificationRemedy(want.name) {
		in.t.Errorf("the log advises %q, want %q", remedy, wxpay.NotificationRemedy(want.name))
	}
}

// logLines are the log's lines with this message; every one without it.
func (s *shop) logLines(msg string) []map[string]any {
	var lines []map[string]any
	for text := range strings.Lines(s.logs.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			s.t.Fatalf("log line %q: %v", text, err)
		}
		if msg == "" || line["msg"] == msg {
			lines = append(lines, line)
		}
	}
	return lines
}

func lastOf[T any](list []T) (last T) {
	if len(list) > 0 {
		last = list[len(list)-1]
	}
	return last
}

// untouched fails unless the order is as it was before.
func (in *inbox) untouched(before wxpay.Order) {
	in.t.Helper()
	if after := in.stored(before.OutTradeNo); !reflect.DeepEqual(after, before) {
		in.t.Errorf("order became %+v, was %+v", after, before)
	}
	in.history(before.OutTradeNo)
}

// history checks what happened to an order since it was placed.
func (in *inbox) history(number string, since ...orderstore.EventKind) {
	in.t.Helper()
	want := append([]orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid}, since...)
	if got := in.events(number); !slices.Equal(got, want) {
		in.t.Errorf("history %v, want %v", got, want)
	}
}

// isPaid checks that the order was paid by the transaction that WeChat has.
func (in *inbox) isPaid(number string) {
	in.t.Helper()
	o, tx := in.stored(number), in.atWeChat(number)
	if o.PayStatus != orderstore.Paid || o.TradeState != "SUCCESS" || o.TransactionID != tx.TransactionID || o.Total != 100 {
		in.t.Errorf("order is %v %s, paid by %q, want it paid by %q", o.PayStatus, o.TradeState, o.TransactionID, tx.TransactionID)
	}
}

func (in *inbox) atWeChat(number string) wxsim.Order {
	in.t.Helper()
	tx, found := in.sim.Order(number)
	if !found {
		in.t.Fatalf("WeChat has no order %s", number)
	}
	return tx
}

// withField changes one field of the decrypted transaction; "amount.total" is one
// inside another. A nil value takes it out.
func withField(field string, value any) func(*wxsim.Notification) {
	return func(n *wxsim.Notification) {
		object, name := n.Plaintext, field
		if outer, inner, nested := strings.Cut(field, "."); nested {
			object, name = n.Plaintext[outer].(map[string]any), inner
		}
		putField(object, name, value)
	}
}

// withPlaintext replaces the decrypted transaction.
func withPlaintext(plaintext string) func(*wxsim.Notification) {
	return func(n *wxsim.Notification) { n.RawPlaintext = []byte(plaintext) }
}

// TestNotifyAccepts: none of these is a reason to refuse a payment.
func TestNotifyAccepts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*wxsim.Notification)
	}{
		{"as WeChat sends it", func(*wxsim.Notification) {}},
		{"associated data empty", func(n *wxsim.Notification) { n.AssociatedData = "" }},
		{"associated data absent", func(n *wxsim.Notification) {
			n.AssociatedData = ""
			withResource("associated_data", nil)(n)
		}},
		{"original type absent", withResource("original_type", nil)},
		{"payer paid less, by coupon", withField("amount.payer_total", int64(1))},
		{"payer paid nothing", withField("amount.payer_total", int64(0))},
		{"payer total absent", withField("amount.payer_total", nil)},
		{"payer paid in another currency", withField("amount.payer_currency", "HKD")},
		{"success time absent", withField("success_time", nil)},
		{"success time not a time", withField("success_time", "yesterday")},
		{"a field nobody knows yet", withField("goods_tag_of_tomorrow", map[string]any{"a": []any{1}})},
		{"a field that decides nothing, of another type", withField("bank_type", 7)},
		{"payer absent", withField("payer", nil)},
		{"summary absent", withEnvelope("summary", nil)},
		{"another id", withEnvelope("id", "EV-2018022511223320873")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			before := in.stored(number)
			in.ended(in.deliver(in.note(number, test.change), nil), accepted())
			in.isPaid(number)
			in.history(number, orderstore.EventPaid)
			if after := in.stored(number); after.Version != before.Version+1 || after.PaidAt.IsZero() || !after.ToHandOver() {
				t.Errorf("version %d after %d, paid at %v, to hand over %t", after.Version, before.Version, after.PaidAt, after.ToHandOver())
			}
			if got := in.heard.changes(); !slices.Equal(got, []string{"paid"}) {
				t.Errorf("settled %v, want paid", got)
			}
		})
	}
}

// TestNotifyRecords: what the notification says of itself and of the payment
// is kept.
func TestNotifyRecords(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	number := in.paidAtWeChat()
	req := in.note(number, func(n *wxsim.Notification) {
		n.ID = "EV-1"
		withField("amount.payer_total", int64(60))(n)
	})
	in.ended(in.deliver(req, nil), accepted())
	o, tx := in.stored(number), in.atWeChat(number)
	if want := tx.PaidAt.Truncate(time.Second); !o.PaidAt.Equal(want) || o.PayerTotal != 60 {
		t.Errorf("paid %v at %v, want 60 fen at %v", o.PayerTotal, o.PaidAt, want)
	}
	events, err := in.store.Events(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	e := lastOf(events)
	if e.Kind != orderstore.EventPaid || e.Source != orderstore.FromNotification || e.ID != "EV-1" || e.Serial != req.Header.Get("Wechatpay-Serial") {
		t.Errorf("event %+v", e)
	}
	if hook := lastOf(in.heard.notifications); hook.EventType != "TRANSACTION.SUCCESS" || hook.Serial != e.Serial {
		t.Errorf("hook %+v", hook)
	}
}

// TestNotifyRefuses: WeChat signed it, but it pays no order here. Each case
// changes one thing.
func TestNotifyRefuses(t *testing.T) {
	t.Parallel()
	malformed := func(cause string) ending { return refused(http.StatusBadRequest, "malformed", cause) }
	mismatch := func(cause string) ending { return refused(http.StatusBadRequest, "mismatch", cause) }
	notSuccess := func(cause string) ending { return refused(http.StatusBadRequest, "not_success", cause) }
	tests := []struct {
		name   string
		change func(*wxsim.Notification)
		want   ending
	}{
		{"not our mchid", withField("mchid", "1900000109"), mismatch(`mchid is "1900000109", the order has`)},
		{"not our appid", withField("appid", "wxd678efh567hg6787"), mismatch(`appid is "wxd678efh567hg6787", the order has`)},
		{"appid absent", withField("appid", nil), mismatch(`appid is "", the order has`)},
		{"appid not a text", withField("appid", 5), mismatch(`appid is "", the order has`)},
		{"unknown order", withField("out_trade_no", "20990101000000000000000000000000"), refused(http.StatusNotFound, "unknown_order", "no such order")},
		{"number in other letters", func(n *wxsim.Notification) {
			n.Plaintext["out_trade_no"] = strings.ToUpper(fmt.Sprint(n.Plaintext["out_trade_no"]))
		}, refused(http.StatusNotFound, "unknown_order", "no such order")},
		{"one fen less", withField("amount.total", int64(99)), mismatch(`amount.total is "99", the order has "100"`)},
		{"one fen more", withField("amount.total", int64(101)), mismatch(`amount.total is "101", the order has "100"`)},
		{"total absent", withField("amount.total", nil), mismatch(`amount.total is "0", the order has "100"`)},
		{"amount absent", withField("amount", nil), mismatch(`amount.total is "0", the order has "100"`)},
		{"wrong currency", withField("amount.currency", "USD"), mismatch(`amount.currency is "USD", the order has "CNY"`)},
		{"currency absent", withField("amount.currency", nil), mismatch(`amount.currency is "", the order has "CNY"`)},
		{"transaction id absent", withField("transaction_id", nil), mismatch("transaction_id")},
		{"transaction id empty", withField("transaction_id", ""), mismatch("transaction_id")},
		{"trade state NOTPAY", withField("trade_state", "NOTPAY"), notSuccess("trade_state is NOTPAY")},
		{"trade state REFUND", withField("trade_state", "REFUND"), notSuccess("trade_state is REFUND")},
		{"trade state CLOSED", withField("trade_state", "CLOSED"), notSuccess("trade_state is CLOSED")},
		{"trade state PAYERROR", withField("trade_state", "PAYERROR"), notSuccess("trade_state is PAYERROR")},
		{"trade state in other letters", withField("trade_state", "Success"), notSuccess("trade_state is Success")},
		{"trade state empty", withField("trade_state", ""), malformed("trade_state is missing")},
		{"trade state absent", withField("trade_state", nil), malformed("trade_state is missing")},
		{"out_trade_no absent", withField("out_trade_no", nil), malformed("out_trade_no is missing")},
		{"amount a float", withField("amount.total", 100.5), malformed("amount.total")},
		{"amount a whole float", withPlaintext(`{"mchid":"1","out_trade_no":"2","trade_state":"SUCCESS","amount":{"total":100.0}}`), malformed("amount.total")},
		{"amount with an exponent", withPlaintext(`{"mchid":"1","out_trade_no":"2","trade_state":"SUCCESS","amount":{"total":1e2}}`), malformed("amount.total")},
		{"amount a text", withField("amount.total", "100"), malformed("amount.total")},
		{"amount beyond 64 bits", withField("amount.total", uint64(1)<<63), malformed("amount.total")},
		{"amount that wraps around to the total", withPlaintext(`{"mchid":"1","out_trade_no":"2","trade_state":"SUCCESS","amount":{"total":18446744073709551716}}`), malformed("amount.total")},
		{"amount negative", withField("amount.total", int64(-100)), malformed("amount is negative")},
		{"payer total negative", withField("amount.payer_total", int64(-1)), malformed("amount is negative")},
		{"amount not an object", withField("amount", int64(100)), malformed("amount")},
		{"a combined order", func(n *wxsim.Notification) {
			delete(n.Plaintext, "mchid")
			n.Plaintext["combine_mchid"], n.Plaintext["sub_orders"] = "1900000109", []any{}
		}, malformed("mchid is missing")},
		{"a partner's order", func(n *wxsim.Notification) {
			delete(n.Plaintext, "mchid")
			n.Plaintext["sp_mchid"], n.Plaintext["sub_mchid"] = "1900000109", "1230000109"
		}, malformed("mchid is missing")},
		{"plaintext not JSON", withPlaintext("支付成功"), malformed("transaction:")},
		{"plaintext cut off", withPlaintext(`{"mchid":"1`), malformed("transaction:")},
		{"plaintext empty", withPlaintext(""), malformed("transaction:")},
		{"plaintext null", withPlaintext("null"), malformed("it is null")},
		{"plaintext a list", withPlaintext("[]"), malformed("transaction:")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			before := in.stored(number)
			in.ended(in.deliver(in.note(number, test.change), nil), test.want)
			if test.want.name != "mismatch" {
				in.untouched(before)
				if got := in.heard.changes(); got != nil {
					t.Errorf("settled %v, want nothing", got)
				}
				return
			}
			// Law 2: never a payment, always an anomaly that somebody sees.
			after := in.stored(number)
			if after.PayStatus != orderstore.Unpaid || after.TransactionID != "" || !strings.Contains(after.Anomaly, test.want.cause) || after.Version != before.Version+1 {
				t.Errorf("order %v, transaction %q, anomaly %q, version %d after %d", after.PayStatus, after.TransactionID, after.Anomaly, after.Version, before.Version)
			}
			in.history(number, orderstore.EventMismatch)
			if got := in.heard.changes(); !slices.Equal(got, []string{"mismatch!"}) {
				t.Errorf("settled %v, want a mismatch", got)
			}
			if line := lastOf(in.logLines("money is not where the order says")); line["order_no"] != number || line["level"] != "ERROR" {
				t.Errorf("log says %v, want an error with the order's number", line)
			}
		})
	}
}

// TestNotifyNamesTheOrder: where money is refused, the log says of which
// order, or nobody can look for it.
func TestNotifyNamesTheOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*wxsim.Notification)
		number string // empty: the order's own
	}{
		{"unknown order", withField("out_trade_no", "order-of-another-system"), "order-of-another-system"},
		{"trade state not SUCCESS", withField("trade_state", "REFUND"), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			in.deliver(in.note(number, test.change), nil)
			if test.number != "" {
				number = test.number
			}
			if line := fmt.Sprint(lastOf(in.logLines("notification answered"))); !strings.Contains(line, number) {
				t.Errorf("%s is not in the log line %s", number, line)
			}
		})
	}
}

// TestNotifyIgnores: events of other products are acknowledged, and not so
// much as looked up.
func TestNotifyIgnores(t *testing.T) {
	t.Parallel()
	for _, event := range []string{
		"REFUND.SOMETHING", "TRANSACTION.FAIL", "TRANSACTION.INDUSTRY_VOUCHER",
		"PAYSCORE.USER_PAID", "PROFITSHARING", "COUPON.USE", "MCHTRANSFER.BILL.FINISHED", "SOMETHING.NEW",
	} {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			store := &fickleStore{Store: quiet{memory.New()}}
			in := openInbox(t, wxsim.Config{}, store.use)
			number := in.paidAtWeChat()
			before := in.stored(number)
			store.set(func(_ context.Context, op string) error {
				t.Errorf("the store was asked to %s", op)
				return nil
			})
			in.ended(in.deliver(in.note(number, func(n *wxsim.Notification) { n.EventType = event }), nil), ignored())
			if hook := lastOf(in.heard.notifications); hook.EventType != event {
				t.Errorf("hook %+v, want event %s", hook, event)
			}
			store.set(nil)
			in.untouched(before)
		})
	}
}

// TestNotifyForeigners: what is no v3 notification at all.
func TestNotifyForeigners(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	number := in.paidAtWeChat()
	before := in.stored(number)

	xml := `<xml><return_code><![CDATA[SUCCESS]]></return_code><out_trade_no>` + number + `</out_trade_no><total_fee>100</total_fee></xml>`
	req, err := http.NewRequest("POST", in.url+"/pay/notify", strings.NewReader(xml))
	in.ended(in.deliver(req, err), unverified("api_v2", "set Merchant.APIv2Key"))

	for _, method := range []string{"GET", "PUT", "DELETE"} {
		got := in.do(method, "/pay/notify", "", "")
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "POST" || got.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s, Allow %q", method, got.status, got.raw, got.header.Get("Allow"))
		}
	}
	in.untouched(before)
}

// TestNotifyRepeated: WeChat sends one payment fifty times at once, from
// several servers and under several ids. It counts once.
func TestNotifyRepeated(t *testing.T) {
	t.Parallel()
	const sends = 50
	in := openInbox(t, wxsim.Config{})
	number := in.paidAtWeChat()
	before := in.stored(number)
	var senders sync.WaitGroup
	for range sends {
		req := in.note(number)
		senders.Go(func() {
			if got := in.deliver(req, nil); got.status != http.StatusNoContent || got.raw != "" {
				t.Errorf("answer %d %q", got.status, got.raw)
			}
		})
	}
	senders.Wait()
	if after := in.stored(number); after.Version != before.Version+1 {
		t.Errorf("version %d after %d, want one write", after.Version, before.Version)
	}
	in.isPaid(number)
	in.history(number, orderstore.EventPaid)
	if got := in.heard.changes(); !slices.Equal(got, []string{"paid"}) {
		t.Errorf("settled %v, want paid once", got)
	}
	if got := in.heard.outcomes(); !slices.Equal(got, slices.Repeat([]string{"ok"}, sends)) {
		t.Errorf("outcomes %v", got)
	}

	in.run()
	eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
	if n := in.grants.count(number); n != 1 {
		t.Errorf("handed over %d times", n)
	}
	in.history(number, orderstore.EventPaid, orderstore.EventHandedOver)
	in.ended(in.deliver(in.note(number), nil), accepted())
	in.history(number, orderstore.EventPaid, orderstore.EventHandedOver)
}

// TestNotifyManyOrders: orders do not get into each other's way.
func TestNotifyManyOrders(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	in.run()
	var numbers []string
	for range 12 {
		numbers = append(numbers, in.paidAtWeChat())
	}
	var senders sync.WaitGroup
	for range 3 {
		for _, number := range numbers {
			req := in.note(number)
			senders.Go(func() {
				if got := in.deliver(req, nil); got.status != http.StatusNoContent {
					t.Errorf("%s: answer %d %q", number, got.status, got.raw)
				}
			})
		}
	}
	senders.Wait()
	for _, number := range numbers {
		in.isPaid(number)
		eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
		in.history(number, orderstore.EventPaid, orderstore.EventHandedOver)
		if n := in.grants.count(number); n != 1 {
			t.Errorf("%s was handed over %d times", number, n)
		}
	}
}

// TestNotifySecondPayment: another transaction on a paid order is money that
// is owed back. It is written down once, and changes nothing else.
func TestNotifySecondPayment(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	number := in.paidAtWeChat()
	in.ended(in.deliver(in.note(number), nil), accepted())
	before := in.stored(number)

	second := func() *http.Request {
		return in.note(number, withField("transaction_id", "4200009999202601019999999999"))
	}
	in.ended(in.deliver(second(), nil), accepted())
	if got := in.heard.changes(); !slices.Equal(got, []string{"paid", "second_payment!"}) {
		t.Errorf("settled %v, want an anomaly", got)
	}
	if line := lastOf(in.logLines("money is not where the order says")); line["order_no"] != number || line["anomaly"] != "second_payment" || line["level"] != "ERROR" {
		t.Errorf("log says %v, want an error with the order's number", line)
	}
	for range 3 {
		in.ended(in.deliver(second(), nil), accepted())
		in.history(number, orderstore.EventPaid, orderstore.EventSecondPayment)
	}

	third := func() *http.Request {
		return in.note(number, withField("transaction_id", "4200008888202601018888888888"))
	}
	for _, req := range []*http.Request{third(), second(), third()} { // they take turns
		in.ended(in.deliver(req, nil), accepted())
	}
	in.history(number, orderstore.EventPaid, orderstore.EventSecondPayment, orderstore.EventSecondPayment)

	after := in.stored(number)
	if !strings.Contains(after.Anomaly, "4200009999202601019999999999") || !strings.Contains(after.Anomaly, "4200008888202601018888888888") {
		t.Errorf("anomaly %q does not name both transactions", after.Anomaly)
	}
	// But for the note of it, the order is as it was.
	after.Version, after.UpdatedAt, after.Anomaly = before.Version, before.UpdatedAt, before.Anomaly
	if !reflect.DeepEqual(after, before) {
		t.Errorf("order became %+v, was %+v", after, before)
	}
	in.isPaid(number)
}

// TestNotifyMismatchThenPaid: a wrong notification is noted once, however
// often it comes, and does not stand in the way of the right one.
func TestNotifyMismatchThenPaid(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	number := in.paidAtWeChat()
	wrong := refused(http.StatusBadRequest, "mismatch", `amount.total is "1"`)
	for range 3 {
		in.ended(in.deliver(in.note(number, withField("amount.total", int64(1))), nil), wrong)
	}
	in.history(number, orderstore.EventMismatch)
	if o := in.stored(number); o.PayStatus != orderstore.Unpaid {
		t.Errorf("order is %v", o.PayStatus)
	}
	in.ended(in.deliver(in.note(number), nil), accepted())
	in.isPaid(number)
	in.history(number, orderstore.EventMismatch, orderstore.EventPaid)
	// On a paid order it is refused just so, and takes nothing back.
	in.ended(in.deliver(in.note(number, withField("amount.total", int64(2))), nil), refused(http.StatusBadRequest, "mismatch", `amount.total is "2"`))
	in.isPaid(number)
}

// TestNotifyPaidLate: money that arrives after closing is not lost.
func TestNotifyPaidLate(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	in.run()
	number := in.buy("native", "u1").OutTradeNo
	// Our side believes it closed; the customer was quicker at WeChat's.
	closed, err := in.stored(number).Close(orderstore.FromClose, "", in.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := in.store.Save(t.Context(), closed); err != nil {
		t.Fatal(err)
	}
	if err := in.sim.PayQuietly(number); err != nil {
		t.Fatal(err)
	}
	in.ended(in.deliver(in.note(number), nil), accepted())
	in.isPaid(number)
	if got := in.heard.changes(); !slices.Equal(got, []string{"paid_late!"}) {
		t.Errorf("settled %v, want an anomaly", got)
	}
	eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
	if n := in.grants.count(number); n != 1 {
		t.Errorf("handed over %d times", n)
	}
	in.history(number, orderstore.EventClosed, orderstore.EventPaidLate, orderstore.EventHandedOver)
}

// fickleStore is a store that does something of its own before each call, but for
// the worker's.
type fickleStore struct {
	orderstore.Store
	mu sync.Mutex
	on func(ctx context.Context, op string) error
}

func (f *fickleStore) use(o *wxpay.Options) { o.Store = f }

// set says what happens before each call from now on.
func (f *fickleStore) set(on func(context.Context, string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on = on
}

// times lets something happen before the first n calls of op.
func (f *fickleStore) times(n int, op string, do func(context.Context) error) {
	var mu sync.Mutex
	f.set(func(ctx context.Context, called string) error {
		mu.Lock()
		hit := called == op && n > 0
		if hit {
			n--
		}
		mu.Unlock()
		if hit {
			return do(ctx)
		}
		return nil
	})
}

func (f *fickleStore) before(ctx context.Context, op string) error {
	f.mu.Lock()
	on := f.on
	f.mu.Unlock()
	if on == nil {
		return nil
	}
	return on(ctx, op)
}

func (f *fickleStore) Create(ctx context.Context, o orderstore.Order) error {
	if err := f.before(ctx, "create"); err != nil {
		return err
	}
	return f.Store.Create(ctx, o)
}

func (f *fickleStore) Get(ctx context.Context, number string) (orderstore.Order, error) {
	if err := f.before(ctx, "get"); err != nil {
		return orderstore.Order{}, err
	}
	return f.Store.Get(ctx, number)
}

func (f *fickleStore) Save(ctx context.Context, o orderstore.Order) error {
	if err := f.before(ctx, "save"); err != nil {
		return err
	}
	if err := f.Store.Save(ctx, o); err != nil {
		return err
	}
	return f.before(ctx, "have saved")
}

func (f *fickleStore) Events(ctx context.Context, number string) ([]orderstore.Event, error) {
	if err := f.before(ctx, "events"); err != nil {
		return nil, err
	}
	return f.Store.Events(ctx, number)
}

func (f *fickleStore) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	if err := f.before(ctx, "find"); err != nil {
		return nil, err
	}
	return f.Store.Find(ctx, ref)
}

var errStoreFull = errors.New("disk full")

// TestNotifyStoreFails: what could not be stored is never acknowledged, and
// WeChat's next send is taken.
func TestNotifyStoreFails(t *testing.T) {
	t.Parallel()
	fails := func(context.Context) error { return errStoreFull }
	panics := func(context.Context) error { panic("store: index out of range") }
	conflicts := func(context.Context) error { return orderstore.ErrConflict }
	down := refused(http.StatusServiceUnavailable, "store", "disk full")
	tests := []struct {
		name  string
		op    string
		calls int
		do    func(context.Context) error
		sends int // that are refused
		want  ending
	}{
		{"cannot read once", "get", 1, fails, 1, down},
		{"cannot read three times", "get", 3, fails, 3, down},
		{"cannot write once", "save", 1, fails, 1, down},
		{"cannot write three times", "save", 3, fails, 3, down},
		{"panics as it reads", "get", 1, panics, 1, refused(http.StatusInternalServerError, "internal", "panic: store: index out of range")},
		{"panics as it writes", "save", 2, panics, 2, refused(http.StatusInternalServerError, "internal", "panic: store: index out of range")},
		{"says conflict without end", "save", 1000, conflicts, 1, refused(http.StatusServiceUnavailable, "store", "gave up after 1000 rounds")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store := &fickleStore{Store: quiet{memory.New()}}
			in := openInbox(t, wxsim.Config{}, store.use)
			in.run()
			in.store = store.Store // the test itself reads past the trouble
			number := in.buy("native", "u1").OutTradeNo
			before := in.stored(number)
			store.times(test.calls, test.op, test.do)
			if err := in.sim.Pay(number); err != nil {
				t.Fatal(err)
			}
			in.told(test.want)
			in.untouched(before)
			in.sim.Advance(2 * time.Minute)
			in.isPaid(number)
			var statuses, want []int
			for _, sent := range in.sim.Notifications() {
				statuses = append(statuses, sent.Status)
			}
			want = append(slices.Repeat([]int{test.want.status}, test.sends), http.StatusNoContent)
			if !slices.Equal(statuses, want) {
				t.Errorf("answers %v, want %v", statuses, want)
			}
			eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
			in.history(number, orderstore.EventPaid, orderstore.EventHandedOver)
		})
	}
}

// TestNotifyUnsure: the store wrote the payment and said that it did not, which its
// history refutes; or the history cannot be read either, or a hook fell over
// behind it, and the next send finds it done.
func TestNotifyUnsure(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	in := openInbox(t, wxsim.Config{}, store.use, func(o *wxpay.Options) {
		settled := o.Hooks.Settled
		o.Hooks.Settled = func(ctx context.Context, i wxpay.SettledInfo) {
			settled(ctx, i)
			if i.Order.UserID == "u2" {
				panic("metrics: no such label")
			}
		}
	})
	in.run()
	first := in.paidAtWeChat()
	store.times(1, "have saved", func(context.Context) error { return errStoreFull })
	in.ended(in.deliver(in.note(first), nil), accepted())
	in.ended(in.deliver(in.note(first), nil), accepted())

	mute := in.paidAtWeChat()
	store.times(1, "have saved", func(context.Context) error {
		store.times(1, "events", func(context.Context) error { return errStoreFull })
		return errStoreFull
	})
	in.ended(in.deliver(in.note(mute), nil), refused(http.StatusServiceUnavailable, "store", "disk full"))
	in.ended(in.deliver(in.note(mute), nil), accepted())

	second := in.buy("native", "u2").OutTradeNo
	if err := in.sim.PayQuietly(second); err != nil {
		t.Fatal(err)
	}
	in.ended(in.deliver(in.note(second), nil), refused(http.StatusInternalServerError, "internal", "panic: metrics: no such label"))
	in.ended(in.deliver(in.note(second), nil), accepted())

	for _, number := range []string{first, mute, second} {
		in.isPaid(number)
		eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
		in.history(number, orderstore.EventPaid, orderstore.EventHandedOver)
	}
}

// TestNotifyConflict: somebody else writes the order between reading and
// saving. Both writes stay.
func TestNotifyConflict(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	in := openInbox(t, wxsim.Config{}, store.use)
	in.store = store.Store
	number := in.paidAtWeChat()
	before := in.stored(number)
	store.times(3, "save", func(ctx context.Context) error {
		o, err := store.Store.Get(ctx, number)
		if err != nil {
			return err
		}
		o.UpdatedAt = in.clock.Now()
		o.Events = []orderstore.Event{{At: o.UpdatedAt, Kind: orderstore.EventPrepayFailed, Note: "another process"}}
		return store.Store.Save(ctx, o)
	})
	in.ended(in.deliver(in.note(number), nil), accepted())
	in.isPaid(number)
	failed := orderstore.EventPrepayFailed
	in.history(number, failed, failed, failed, orderstore.EventPaid)
	if after := in.stored(number); after.Version != before.Version+4 {
		t.Errorf("version %d after %d", after.Version, before.Version)
	}
	if got := in.heard.changes(); !slices.Equal(got, []string{"paid"}) {
		t.Errorf("settled %v, want paid once", got)
	}
}

// TestNotifyClientGone: WeChat hangs up while the store is slow. What it
// signed is stored all the same.
func TestNotifyClientGone(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"get", "save"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			store := &fickleStore{Store: quiet{memory.New()}}
			in := openInbox(t, wxsim.Config{}, store.use)
			number := in.paidAtWeChat()
			ctx, hangUp := context.WithCancel(t.Context())
			store.times(1, op, func(context.Context) error { hangUp(); return nil })
			in.ended(in.inProcess(in.note(number).WithContext(ctx)), accepted())
			in.isPaid(number)
			in.history(number, orderstore.EventPaid)
		})
	}
}

// TestNotifyTooSlow: WeChat gave the answer up, the store was just slow. The
// order is paid before the next send, which finds nothing left to do.
func TestNotifyTooSlow(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	in := openInbox(t, wxsim.Config{NotifyClient: &http.Client{Transport: wire, Timeout: 150 * time.Millisecond}}, store.use)
	in.store = store.Store
	number := in.buy("native", "u1").OutTradeNo
	release := make(chan struct{})
	store.times(1, "save", func(context.Context) error { <-release; return nil })
	if err := in.sim.Pay(number); err != nil {
		t.Fatal(err)
	}
	if sent := in.sim.Notifications(); len(sent) != 1 || sent[0].Status != 0 {
		t.Fatalf("sent %+v, want one without an answer", sent)
	}
	close(release)
	eventually(t, "the order is paid", func() bool { return in.stored(number).PayStatus == orderstore.Paid })
	in.sim.Advance(15 * time.Second)
	if sent := in.sim.Notifications(); len(sent) != 2 || sent[1].Status != http.StatusNoContent {
		t.Errorf("sent %+v, want a second one that is acknowledged", sent)
	}
	in.isPaid(number)
	in.history(number, orderstore.EventPaid)
}

// TestNotifyAnswersInTime: a store that does not come back is not waited for.
// WeChat is told to send again while it still listens, on another connection; what
// is stored after all is found then.
func TestNotifyAnswersInTime(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	in := openInbox(t, wxsim.Config{}, store.use)
	in.store = store.Store
	number, other := in.paidAtWeChat(), in.paidAtWeChat()
	comesBack, release := context.WithCancel(t.Context())
	defer release()
	store.times(1, "save", func(context.Context) error { <-comesBack.Done(); return nil })
	in.ended(in.deliver(in.note(number), nil), refused(http.StatusServiceUnavailable, "store", "by the time WeChat wants its answer"))
	if log := in.logs.String(); !strings.Contains(log, `"order_no":"`+number+`","cause":"store: not stored`) {
		t.Errorf("the log does not say which order:\n%s", log)
	}
	soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	in.ended(in.deliver(in.note(other).WithContext(soon), nil), accepted())
	release()
	eventually(t, "the order is paid", func() bool { return in.stored(number).PayStatus == orderstore.Paid })
	in.ended(in.deliver(in.note(number), nil), accepted())
	in.history(number, orderstore.EventPaid)
}

// hopeless is the writer of a middleware that has fallen over.
type hopeless struct {
	http.ResponseWriter
	answered *time.Time
}

func (h hopeless) WriteHeader(int) {
	*h.answered = time.Now()
	panic("middleware: no writer")
}

// TestNotifyCannotAnswerInTime: a middleware that panics where nothing of the
// application's catches it takes nothing with it.
func TestNotifyCannotAnswerInTime(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	in := openInbox(t, wxsim.Config{}, store.use)
	number := in.paidAtWeChat()
	synctest.Test(t, func(t *testing.T) {
		var answered time.Time
		began := time.Now()
		store.times(1, "save", func(context.Context) error { time.Sleep(6 * time.Second); return nil })
		in.mux.ServeHTTP(hopeless{httptest.NewRecorder(), &answered}, in.note(number))
		if took := answered.Sub(began); took < 4*time.Second || took >= 5*time.Second {
			t.Errorf("answered after %v, want less than 5s", took)
		}
	})
	if line := lastOf(in.logLines("no answer")); line["cause"] != "panic: middleware: no writer" || line["level"] != "ERROR" {
		t.Errorf("log %v", line)
	}
	in.isPaid(number)
	in.history(number, orderstore.EventPaid)
}

// TestNotifyBoundsItsWork: work that outlives the connection still ends.
func TestNotifyBoundsItsWork(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	in := openInbox(t, wxsim.Config{}, store.use)
	number := in.paidAtWeChat()
	var left time.Duration
	store.times(1, "get", func(ctx context.Context) error {
		if deadline, bounded := ctx.Deadline(); bounded {
			left = time.Until(deadline)
		}
		return nil
	})
	in.ended(in.deliver(in.note(number), nil), accepted())
	if left <= 0 || left > 15*time.Second {
		t.Errorf("the store may take %v, want an end in sight", left)
	}
}

// TestHandOverUntilTaken: the app fails three times and then takes the order.
func TestHandOverUntilTaken(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	in.grants.fail = 3
	in.run()
	number := in.paidAtWeChat()
	in.ended(in.deliver(in.note(number), nil), accepted())
	for tries := 1; tries <= 3; tries++ {
		eventually(t, fmt.Sprintf("try %d has failed", tries), func() bool { return len(in.events(number)) == 3+tries })
		o := in.stored(number)
		if o.HandOverTries != tries || !o.ToHandOver() {
			t.Errorf("after failure %d: %d tries, to hand over %t", tries, o.HandOverTries, o.ToHandOver())
		}
		in.clock.advance(o.NextActionAt.Sub(in.clock.Now()))
	}
	eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
	failed := orderstore.EventHandOverFailed
	in.history(number, orderstore.EventPaid, failed, failed, failed, orderstore.EventHandedOver)
	if o := in.stored(number); o.HandOverTries != 4 || in.grants.count(number) != 1 {
		t.Errorf("%d tries, %d grants, want 4 and 1", o.HandOverTries, in.grants.count(number))
	}
	in.heard.mu.Lock()
	defer in.heard.mu.Unlock()
	if n := len(in.heard.handOvers); n != 4 || in.heard.handOvers[0].Err == nil || in.heard.handOvers[3].Err != nil {
		t.Errorf("hooks %+v", in.heard.handOvers)
	}
}

// TestNobodyRuns: a payment is stored although nobody hands it over. The log
// says what is missing, and what was left is handed over when somebody comes.
func TestNobodyRuns(t *testing.T) {
	t.Parallel()
	const complaint = "nobody in this process hands paid orders over: call go kit.Run(ctx)"
	tests := []struct {
		name string
		run  func(*inbox)
	}{
		{"Run is called late", (*inbox).run},
		{"the process starts anew", func(in *inbox) {
			kit, err := wxpay.New(in.options())
			if err != nil {
				in.t.Fatal(err)
			}
			runKit(in.t, kit)
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			for minute := range 3 { // and twice in each
				for range 2 {
					in.ended(in.deliver(in.note(in.paidAtWeChat()), nil), accepted())
				}
				if lines := in.logLines(complaint); len(lines) != minute+1 || lines[minute]["level"] != "ERROR" {
					t.Errorf("log says %v, want one error a minute", lines)
				}
				in.clock.advance(time.Minute)
			}
			in.ended(in.deliver(in.note(number), nil), accepted())
			in.isPaid(number)
			if n := in.grants.count(number); n != 0 {
				t.Errorf("handed over %d times by nobody", n)
			}
			test.run(in)
			eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
			in.history(number, orderstore.EventPaid, orderstore.EventHandedOver)
			if n := in.grants.count(number); n != 1 {
				t.Errorf("handed over %d times", n)
			}
			next := in.buy("native", "u2").OutTradeNo
			if err := in.sim.Pay(next); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the next order is handed over", func() bool { return !in.stored(next).HandedOverAt.IsZero() })
		})
	}
}

// TestNotifyFaults: whatever happens to a notification on its way, the order
// ends up paid once, and each send is answered as it must be.
func TestNotifyFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		target, fault string
		first         []string // outcomes before the clock moves
		all           []int    // answers in the end; 0 for none
		history       []orderstore.EventKind
	}{
		{"notify", "drop", nil, []int{0, 204}, nil},
		{"notify", "delay", nil, []int{204}, nil},
		{"notify", "reorder", nil, []int{204}, nil},
		{"notify", "duplicate", []string{"ok", "ok"}, []int{204, 204}, nil},
		{"notify", "probe", []string{"bad_signature", "ok"}, []int{401, 204}, nil},
		{"notify", "forge", []string{"bad_signature"}, []int{401, 204}, nil},
		{"notify", "wrong_amount", []string{"mismatch"}, []int{400, 204}, []orderstore.EventKind{orderstore.EventMismatch}},
		{"notify", "old_timestamp", []string{"bad_timestamp"}, []int{401, 204}, nil},
		{"notify", "wrong_key", []string{"bad_signature"}, []int{401, 204}, nil},
		{"keys", "rotate", []string{"ok"}, []int{204}, nil},
	}
	for _, test := range tests {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			in.run()
			number := in.buy("native", "u1").OutTradeNo
			in.sim.Fault(wxsim.Fault{Target: test.target, Fault: test.fault, Count: 1})
			if err := in.sim.Pay(number); err != nil {
				t.Fatal(err)
			}
			if got := in.heard.outcomes(); !slices.Equal(got, test.first) {
				t.Errorf("first %v, want %v", got, test.first)
			}
			in.sim.Advance(time.Hour)
			var answers []int
			for _, sent := range in.sim.Notifications() {
				answers = append(answers, sent.Status)
				if want := map[bool]string{true: refusalBody}[sent.Status >= 400]; sent.Body != want {
					t.Errorf("answer %d has the body %q, want %q", sent.Status, sent.Body, want)
				}
			}
			if !slices.Equal(answers, test.all) {
				t.Errorf("answers %v, want %v", answers, test.all)
			}
			in.isPaid(number)
			eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
			in.history(number, append(test.history, orderstore.EventPaid, orderstore.EventHandedOver)...)
			if n := in.grants.count(number); n != 1 {
				t.Errorf("handed over %d times", n)
			}
		})
	}
}

// TestNotifyEverythingFails throws all faults at several orders at once.
func TestNotifyEverythingFails(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	in.run()
	var numbers []string
	for range 6 {
		numbers = append(numbers, in.buy("native", "u1").OutTradeNo)
	}
	answer := map[string]int{
		"": 204, "drop": 0, "duplicate": 204, "probe": 401, "forge": 401,
		"wrong_amount": 400, "old_timestamp": 401, "wrong_key": 401,
	}
	for _, fault := range []string{"drop", "delay", "duplicate", "reorder", "forge", "probe", "wrong_amount", "old_timestamp", "wrong_key"} {
		in.sim.Fault(wxsim.Fault{Target: "notify", Fault: fault, Count: 3})
	}
	var payers sync.WaitGroup
	for _, number := range numbers {
		payers.Go(func() {
			if err := in.sim.Pay(number); err != nil {
				t.Error(err)
			}
		})
	}
	payers.Wait()
	in.sim.Advance(25 * time.Hour)
	for _, sent := range in.sim.Notifications() {
		if want := answer[sent.Fault]; sent.Status != want {
			t.Errorf("send with fault %q was answered %d, want %d", sent.Fault, sent.Status, want)
		}
	}
	for _, number := range numbers {
		in.isPaid(number)
		eventually(t, "the order is handed over", func() bool { return !in.stored(number).HandedOverAt.IsZero() })
		if n := in.grants.count(number); n != 1 {
			t.Errorf("%s was handed over %d times", number, n)
		}
	}
}

// withEnvelope changes one field of the notification around the resource, before
// it is signed. A nil value takes it out.
func withEnvelope(field string, value any) func(*wxsim.Notification) {
	return rewritten(func(body map[string]any) { putField(body, field, value) })
}

// withResource changes one field of the encrypted resource, before it is signed.
func withResource(field string, value any) func(*wxsim.Notification) {
	return rewritten(func(body map[string]any) { putField(body["resource"].(map[string]any), field, value) })
}

func putField(object map[string]any, field string, value any) {
	if value == nil {
		delete(object, field)
		return
	}
	object[field] = value
}

func rewritten(change func(body map[string]any)) func(*wxsim.Notification) {
	return func(n *wxsim.Notification) {
		n.BeforeSigning = func(body []byte) []byte {
			var object map[string]any
			decoder := json.NewDecoder(bytes.NewReader(body))
			if err := decoder.Decode(&object); err != nil {
				panic(err)
			}
			change(object)
			out, err := json.Marshal(object)
			if err != nil {
				panic(err)
			}
			return out
		}
	}
}
