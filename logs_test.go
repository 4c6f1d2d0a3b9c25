package wxpay_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxprom"
	"github.com/wxpaykit/wxpay/wxsim"
)

// wiretap keeps what goes over the wire and must not be found in the log:
// whole bodies, both ways, and signatures.
type wiretap struct {
	mu   sync.Mutex
	seen map[string]string // text to what it is
}

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = w.copy("a request's body", r.Body)
	}
	w.keep("an Authorization header", r.Header.Get("Authorization"))
	_, signature, _ := strings.Cut(r.Header.Get("Authorization"), `signature="`)
	signature, _, _ = strings.Cut(signature, `"`)
	w.keep("a request's signature", signature)
	w.keep("a notification's signature", r.Header.Get("Wechatpay-Signature"))
	resp, err := wire.RoundTrip(r)
	if err == nil {
		w.keep("an answer's signature", resp.Header.Get("Wechatpay-Signature"))
		resp.Body = w.copy("an answer's body", resp.Body)
	}
	return resp, err
}

func (w *wiretap) copy(what string, body io.ReadCloser) io.ReadCloser {
	whole, _ := io.ReadAll(body)
	body.Close()
	w.keep(what, strings.TrimSpace(string(whole)))
	return io.NopCloser(bytes.NewReader(whole))
}

func (w *wiretap) keep(what, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(text) >= 8 {
		w.seen[text] = what
	}
}

func (w *wiretap) all() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.seen)
}

// aloud are hooks that make metrics, and write down every error they are told.
func aloud(metrics wxpay.Hooks, said io.Writer) wxpay.Hooks {
	say := func(err error) {
		if err != nil {
			fmt.Fprintln(said, err)
		}
	}
	hooks := metrics
	hooks.WeChatCall = func(c wxapi.Call) {
		say(c.Err)
		metrics.WeChatCall(c)
	}
	hooks.Settled = func(ctx context.Context, i wxpay.SettledInfo) {
		say(i.Err)
		metrics.Settled(ctx, i)
	}
	hooks.Refund = func(ctx context.Context, i wxpay.RefundInfo) {
		say(i.Err)
		metrics.Refund(ctx, i)
	}
	hooks.HandOver = func(ctx context.Context, i wxpay.HandOverInfo) {
		say(i.Err)
		metrics.HandOver(ctx, i)
	}
	return hooks
}

// TestLogsKeepSecrets runs a whole flow, with much that goes wrong in it, and
// looks for everything in the log, the metrics, the errors and the reports that
// belongs to somebody.
func TestLogsKeepSecrets(t *testing.T) {
	t.Parallel()
	tap := &wiretap{seen: make(map[string]string)}
	said, metrics := new(buffer), prometheus.NewRegistry()
	in := openInbox(t, wxsim.Config{NotifyClient: &http.Client{Transport: tap}}, loud, func(o *wxpay.Options) {
		o.HTTPClient = &http.Client{Transport: tap}
		o.Hooks = aloud(wxprom.New(metrics), said)
	})
	in.grants.fail = 1
	in.run()
	in.flow(tap)
	in.flowOfRefunds(tap)
	in.checkUp(said)
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		fmt.Fprintln(said, family)
	}

	acct := in.sim.Account()
	tap.keep("the APIv3 key", acct.APIv3Key)
	tap.keep("the APIv2 key", acct.APIv2Key)
	tap.keep("the app secret", acct.AppSecret)
	for line := range strings.Lines(acct.PrivateKeyPEM) {
		tap.keep("the private key", strings.TrimSpace(line))
	}
	for _, o := range in.sim.Orders() {
		tap.keep("an openid", o.OpenID)
		tap.keep("a prepay_id", o.PrepayID)
		tap.keep("a code_url", o.CodeURL)
		tap.keep("an h5_url", o.H5URL)
		tap.keep("a frozen prepay", in.stored(o.OutTradeNo).PrepayRequest)
	}
	tap.keep("an openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
	tap.keep("a signing scheme", "WECHATPAY2-SHA256-RSA2048")
	tap.keep("a field of a body", "paySign")
	tap.keep("a field of a plaintext", "payer_total")
	tap.keep("a field of a plaintext", "bank_type")
	tap.keep("a field of a notification", "ciphertext")
	tap.keep("what the front end sent", "小米 18 pro")
	tap.keep("an Idempotency-Key", "click-7d1f")
	tap.keep("a URL at WeChat Pay", "/v3/pay/")

	for _, want := range []string{"wxpay_", "outcome unknown", "SYSTEM_ERROR", "the membership service is down", "signature-accepted", "serial-wrong"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("nobody said %q: there is not much to look in", want)
		}
	}
	log, seen := in.wholeLog()+said.String(), tap.all()
	for text, what := range seen {
		if strings.Contains(log, text) {
			t.Errorf("%s is in the log, a metric, an error or a report: %s", what, text)
		}
	}
	if len(seen) < 80 {
		t.Errorf("the test looked for %d texts only", len(seen))
	}
}

// wholeLog is the log as it was written, and every value of it unescaped.
func (s *shop) wholeLog() string {
	whole := new(strings.Builder)
	whole.WriteString(s.logs.String())
	for _, line := range s.logLines("") {
		for name, value := range line {
			fmt.Fprintln(whole, name, value)
		}
	}
	return whole.String()
}

// flow is what happens in a shop on a bad day.
func (in *inbox) flow(tap *wiretap) {
	t := in.t
	t.Helper()
	var numbers []string
	for _, product := range []string{"app", "jsapi", "miniprogram", "h5", "native"} {
		for _, change := range []string{"", "status_500", "reset", "garbage", "bad_signature"} {
			if change != "" {
				in.sim.Fault(wxsim.Fault{Target: "prepay", Fault: change, Count: 1})
			}
			r := in.do("POST", "/pay/prepay/"+product, "u1", body(product, "vip-month"), "Idempotency-Key", "click-7d1f"+product+change)
			tap.keep("an answer to a front end", strings.TrimSpace(r.raw))
			if r.status != http.StatusOK {
				continue
			}
			placed := r.order(t)
			numbers = append(numbers, placed.OutTradeNo)
			tap.keep("a paySign", placed.Pay["paySign"])
			tap.keep("a sign of an App", placed.Pay["sign"])
			again := in.do("POST", "/pay/paysign", "u1", `{"out_trade_no":"`+placed.OutTradeNo+`"}`)
			tap.keep("an answer to a front end", strings.TrimSpace(again.raw))
		}
	}
	in.do("GET", "/pay/orders/"+numbers[0]+"?openid=oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "u1", "")
	in.do("POST", "/pay/prepay/jsapi", "u1", `{"goods_id":"vip-month","openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","user_id":7}`)
	in.do("POST", "/pay/prepay/jsapi", "u1", `{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"`)
	in.do("POST", "/pay/prepay/jsapi", "", `{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}`)
	in.sim.Fault(wxsim.Fault{Target: "query", Fault: "unsigned", Count: 3})
	in.sim.Fault(wxsim.Fault{Target: "close", Fault: "reset", Count: 1})
	closed := numbers[len(numbers)-1]
	in.do("GET", "/pay/orders/"+closed, "u1", "")
	if r := in.do("POST", "/pay/orders/"+closed+"/close", "u1", ""); r.status != http.StatusOK {
		t.Fatalf("close: %d %s", r.status, r.raw)
	}
	for _, fault := range []string{"forge", "probe", "wrong_amount", "old_timestamp", "wrong_key", "duplicate"} {
		in.sim.Fault(wxsim.Fault{Target: "notify", Fault: fault, Count: 1})
	}
	for _, number := range numbers[:len(numbers)-1] {
		if err := in.sim.Pay(number); err != nil {
			t.Fatal(err)
		}
	}
	in.sim.Advance(time.Hour)
	number := numbers[0]
	for _, change := range []func(*wxsim.Notification){
		withPlaintext(`{"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"amount":{"total":"100","payer_total":1},"bank_type":"`),
		withField("amount.total", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
		withField("out_trade_no", "20990101000000000000000000000000"),
		withField("transaction_id", "4200009999202601019999999999"),
		func(n *wxsim.Notification) { n.APIv3Key = strings.Repeat("k", 32) },
		withResource("nonce", "short"),
		func(n *wxsim.Notification) { n.EventType = "COUPON.USE" },
	} {
		in.deliver(in.note(number, change), nil)
	}
	eventually(t, "all orders are handed over", func() bool {
		return !slices.ContainsFunc(numbers[:len(numbers)-1], func(number string) bool {
			o := in.stored(number)
			in.clock.advance(max(0, o.NextActionAt.Sub(in.clock.Now())))
			return o.HandedOverAt.IsZero()
		})
	})
	forgotten := in.buy("jsapi", "u1").OutTradeNo // closed in the background, at the second try
	in.sim.Fault(wxsim.Fault{Target: "close", Fault: "status_500", Count: 3})
	in.clock.advance(31 * time.Minute)
	eventually(t, "the forgotten order is closed", func() bool {
		o := in.stored(forgotten)
		in.clock.advance(max(0, min(time.Minute, o.NextActionAt.Sub(in.clock.Now()))))
		return o.PayStatus == orderstore.Closed
	})
}

// flowOfRefunds gives three orders back, one of them for good.
func (in *inbox) flowOfRefunds(tap *wiretap) {
	t := in.t
	t.Helper()
	const reason = "孩子误点的家庭隐私"
	tap.keep("a reason", reason)
	for i, want := range []orderstore.RefundStatus{orderstore.RefundSuccess, orderstore.RefundAbnormal, orderstore.RefundClosed} {
		no, refund := in.bought(), fmt.Sprint("R-", i)
		in.sim.Fault(wxsim.Fault{Target: "refund", Fault: []string{"status_500", "reset", "garbage"}[i], Count: 1})
		if err := in.sim.DecideRefund("", []string{"SUCCESS", "ABNORMAL", "CLOSED"}[i]); err != nil {
			t.Fatal(err)
		}
		r := in.give(no, `{"refund":100,"out_refund_no":"`+refund+`","reason":"`+reason+`"}`)
		tap.keep("an answer to a front end", strings.TrimSpace(r.raw))
		in.give(no, `{"refund":1000,"out_refund_no":"more","reason":"`+reason+`"}`)
		in.refundEnds(no, refund, want)
	}
}

// checkUp reports on the kit as it is, and on its account with a wrong serial.
func (in *inbox) checkUp(said io.Writer) {
	in.t.Helper()
	o := in.options()
	o.Merchant.CertSerial = strings.Repeat("A1", 20)
	wrong, err := wxpay.New(o)
	if err != nil {
		in.t.Fatal(err)
	}
	faulty := in.options().Merchant
	faulty.APIv3Key += "x"
	faulty.PublicKey = faulty.PrivateKey
	faulty.PrivateKey = strings.ReplaceAll(faulty.PrivateKey, "\n", " ")
	for _, report := range []checkup.Report{in.kit.Check(in.t.Context()), wrong.Check(in.t.Context()), in.options().Merchant.Check(in.t.Context()), faulty.Check(in.t.Context())} {
		if err := report.Print(said, "zh"); err != nil {
			in.t.Fatal(err)
		}
		fmt.Fprintln(said, report.Err())
	}
	_, body := probe(in.t, in.kit.Ready())
	fmt.Fprintln(said, body)
}

// TestLogsTellTheEnding: each notification has one line, with how it ended and
// what it was; each order that changed has one, with its number.
func TestLogsTellTheEnding(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	in.run()
	number := in.paidAtWeChat()
	type said struct{ ending, event, id, order, level string }
	var want []said
	send := func(req *http.Request, s said) {
		t.Helper()
		in.deliver(req, nil)
		want = append(want, s)
	}
	named := func(id string, change func(*wxsim.Notification)) func(*wxsim.Notification) {
		return func(n *wxsim.Notification) {
			n.ID = id
			change(n)
		}
	}
	const paid = "TRANSACTION.SUCCESS"
	send(in.note(number, named("EV-1", func(n *wxsim.Notification) { n.SigningKey = strangersKey() })), said{"bad_signature", "", "", "", "WARN"})
	send(in.note(number, named("EV-2", withField("amount.total", int64(1)))), said{"mismatch", paid, "EV-2", number, "ERROR"})
	send(in.note(number, named("EV-3", func(n *wxsim.Notification) { n.APIv3Key = strings.Repeat("k", 32) })), said{"undecryptable", paid, "EV-3", "", "ERROR"})
	send(in.note(number, named("EV-4", withPlaintext("{}"))), said{"malformed", paid, "EV-4", "", "ERROR"})
	send(in.note(number, named("EV-5", func(*wxsim.Notification) {})), said{"ok", paid, "EV-5", number, "INFO"})
	send(in.note(number, named("EV-6", func(*wxsim.Notification) {})), said{"ok", paid, "EV-6", number, "INFO"})
	send(in.signed([]byte("{}"), "COUPON.USE", named("EV-7", func(*wxsim.Notification) {})), said{"ignored", "COUPON.USE", "EV-7", "", "INFO"})

	lines := in.logLines("notification answered")
	if len(lines) != len(want) {
		t.Fatalf("%d lines for %d notifications", len(lines), len(want))
	}
	for i, line := range lines {
		got := said{fmt.Sprint(line["ending"]), fmt.Sprint(line["event_type"]), fmt.Sprint(line["notification_id"]), fmt.Sprint(line["order_no"]), fmt.Sprint(line["level"])}
		if got != want[i] {
			t.Errorf("line %d tells %+v, want %+v", i, got, want[i])
		}
	}
	settled := in.logLines("order settled")
	if len(settled) != 1 || settled[0]["order_no"] != number || settled[0]["outcome"] != "paid" || settled[0]["source"] != "notification" || settled[0]["transaction_id"] != in.atWeChat(number).TransactionID {
		t.Errorf("log says %v, want one line with order_no, outcome, source and transaction_id", settled)
	}
}
