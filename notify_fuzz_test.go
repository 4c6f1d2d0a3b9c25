package wxpay_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// fuzzTime is when all fuzzing happens, so that seeds stay in their window and
// are the same bytes in every process.
var fuzzTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const fuzzNumber = "fuzz-20260102030405"

// fuzzInbox is an inbox where time stands still, with one order that was
// paid at WeChat. It is quiet: nothing reads its log.
func fuzzInbox(t testing.TB) *inbox {
	t.Helper()
	stopped := func() time.Time { return fuzzTime }
	in := openInbox(t, wxsim.Config{Now: stopped}, func(o *wxpay.Options) {
		o.Now = stopped
		o.Logger = slog.New(slog.DiscardHandler)
		o.Hooks = wxpay.Hooks{}
		o.OrderNumber = func(string, time.Time) string { return fuzzNumber }
	})
	if number := in.paidAtWeChat(); number != fuzzNumber {
		t.Fatalf("order number %s", number)
	}
	return in
}

// post hands a body and headers to the kit without a socket.
func (in *inbox) post(body []byte, h http.Header) *httptest.ResponseRecorder {
	req := httptest.NewRequest("POST", "/pay/notify", bytes.NewReader(body))
	req.Header = h
	rec := httptest.NewRecorder()
	in.mux.ServeHTTP(rec, req)
	return rec
}

// message is what FuzzNotify varies: a notification as it stands on the wire.
type message struct {
	body                                    []byte
	timestamp, nonce, serial, signature, of string
}

func (m message) header() http.Header {
	h := http.Header{
		signTimestamp: {m.timestamp}, signNonce: {m.nonce}, signSerial: {m.serial}, signSignature: {m.signature},
	}
	if m.of != "" {
		h[signType] = []string{m.of}
	}
	return h
}

// messageSeeds are real notifications, and ones that are real but for one
// thing. The first is genuine.
func messageSeeds(t testing.TB, in *inbox) []message {
	t.Helper()
	read := func(req *http.Request) message {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Fatal(err)
		}
		h := req.Header
		return message{body, h.Get(signTimestamp), h.Get(signNonce), h.Get(signSerial), h.Get(signSignature), h.Get(signType)}
	}
	same := func(n *wxsim.Notification) {
		n.ID, n.Nonce, n.HeaderNonce = "EV-2026010203040500001", "fuzzfuzzfuzz", "593BEC0C930BF1AFEB40B4A08C8FB242"
	}
	genuine := read(in.note(fuzzNumber, same))
	seeds := []message{genuine}
	for _, change := range []func(*wxsim.Notification){
		func(n *wxsim.Notification) { n.Timestamp = unixText(fuzzTime.Add(-6 * time.Minute)) },
		func(n *wxsim.Notification) { n.SigningKey = strangersKey() },
		func(n *wxsim.Notification) { n.Serial = strings.Repeat("7", 40) },
		func(n *wxsim.Notification) {
			n.AfterSigning = func(b []byte) []byte { return bytes.Replace(b, []byte("SUCCESS"), []byte("REFUND.S"), 1) }
		},
		withEnvelope("resource", nil),
		withResource("nonce", "short"),
	} {
		seeds = append(seeds, read(in.note(fuzzNumber, same, change)))
	}
	for _, change := range []func(*message){
		func(m *message) { m.signature = "WECHATPAY/SIGNTEST/" + m.signature },
		func(m *message) { m.signature = "" },
		func(m *message) { m.of = "WECHATPAY2-SM2-WITH-SM3" },
		func(m *message) { m.body = nil },
		func(m *message) { m.body = []byte("<xml><return_code>SUCCESS</return_code></xml>") },
		func(m *message) { m.nonce += "\n" + string(m.body[:20]); m.body = m.body[20:] },
		func(m *message) { m.nonce, m.body = m.timestamp, append([]byte(m.nonce+"\n"), m.body...) },
	} {
		m := genuine
		m.body = bytes.Clone(m.body)
		change(&m)
		seeds = append(seeds, m)
	}
	return seeds
}

// weChatSigned says, with lines of its own, whether a message is one that
// WeChat Pay signed just now.
func weChatSigned(key *rsa.PublicKey, serial string, m message) bool {
	at, err := strconv.ParseInt(m.timestamp, 10, 64)
	signature, notBase64 := base64.StdEncoding.DecodeString(m.signature)
	sum := sha256.Sum256([]byte(m.timestamp + "\n" + m.nonce + "\n" + string(m.body) + "\n"))
	return err == nil && fuzzTime.Sub(time.Unix(at, 0)).Abs() < 5*time.Minute && m.serial == serial &&
		!strings.ContainsAny(m.timestamp+m.nonce, "\r\n") && (m.of == "" || m.of == "WECHATPAY2-SHA256-RSA2048") &&
		notBase64 == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}

// FuzzNotify: what WeChat did not sign never gets a 2xx, never changes the
// order, and learns nothing from the answer.
func FuzzNotify(f *testing.F) {
	in := fuzzInbox(f)
	acct := in.sim.Account()
	block, _ := pem.Decode([]byte(acct.PublicKeyPEM))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		f.Fatal(err)
	}
	key, isRSA := public.(*rsa.PublicKey)
	if !isRSA {
		f.Fatalf("WeChat's key is a %T", public)
	}
	seeds := messageSeeds(f, in)
	if len(seeds) < 10 || !weChatSigned(key, acct.PublicKeyID, seeds[0]) {
		f.Fatalf("%d seeds, and the first must be genuine", len(seeds))
	}
	for _, m := range seeds {
		f.Add(m.body, m.timestamp, m.nonce, m.serial, m.signature, m.of)
	}
	f.Fuzz(func(t *testing.T, body []byte, timestamp, nonce, serial, signature, of string) {
		m := message{body, timestamp, nonce, serial, signature, of}
		if weChatSigned(key, acct.PublicKeyID, m) {
			return // FuzzNotifyPlaintext is about these
		}
		before, history := orderAndHistory(t, in.store)
		rec := in.post(m.body, m.header())
		after, historyAfter := orderAndHistory(t, in.store)
		if rec.Body.String() != refusalBody || rec.Code != http.StatusUnauthorized && rec.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("answer %d %q", rec.Code, rec.Body)
		}
		if rec.Code == http.StatusRequestEntityTooLarge && len(body) <= 128<<10 {
			t.Errorf("%d bytes are too many", len(body))
		}
		if !reflect.DeepEqual(before, after) || history != historyAfter {
			t.Errorf("order became %+v, was %+v", after, before)
		}
	})
}

func orderAndHistory(t testing.TB, s orderstore.Store) (orderstore.Order, int) {
	t.Helper()
	o, err := s.Get(context.Background(), fuzzNumber)
	if err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(context.Background(), fuzzNumber)
	if err != nil {
		t.Fatal(err)
	}
	return o, len(events)
}

// plaintextSeed is what FuzzNotifyPlaintext varies.
type plaintextSeed struct{ plaintext, event string }

// plaintextSeeds are what WeChat sends, and what pays nothing. The first is
// genuine.
func plaintextSeeds(t testing.TB, in *inbox) []plaintextSeed {
	t.Helper()
	plain := func(change ...func(*wxsim.Notification)) string {
		var text []byte
		in.note(fuzzNumber, append(change, func(n *wxsim.Notification) {
			var err error
			if text, err = json.Marshal(n.Plaintext); err != nil {
				t.Fatal(err)
			}
		})...)
		return string(text)
	}
	seeds := []plaintextSeed{{plain(), "TRANSACTION.SUCCESS"}, {plain(), "COUPON.USE"}, {plain(), ""}}
	for _, change := range []func(*wxsim.Notification){
		withField("amount.total", int64(1)), withField("amount.total", "100"), withField("amount.total", 100.5),
		withField("amount", nil), withField("amount.currency", "USD"), withField("amount.payer_total", int64(1)),
		withField("transaction_id", ""), withField("trade_state", "REFUND"), withField("trade_state", "NOTPAY"),
		withField("mchid", "1900000109"), withField("appid", "wxd678efh567hg6787"), withField("success_time", "x"),
		withField("out_trade_no", "another-order"),
	} {
		seeds = append(seeds, plaintextSeed{plain(change), "TRANSACTION.SUCCESS"})
	}
	for _, text := range []string{
		"", "null", "{}", "[]", `{"Amount":{"Total":100}}`, `{"mchid":"1","mchid":"2","out_trade_no":"` + fuzzNumber + `","trade_state":"SUCCESS"}`,
		`{"sp_mchid":"1","sub_mchid":"2"}`, `{"combine_mchid":"1","sub_orders":[{"amount":{"total_amount":100}}]}`,
	} {
		seeds = append(seeds, plaintextSeed{text, "TRANSACTION.SUCCESS"})
	}
	return seeds
}

// ofOneRun is a store that a fuzz target replaces before each run.
type ofOneRun struct{ orderstore.Store }

// FuzzNotifyPlaintext: of what WeChat signed, 204 means that the order is paid
// now, by that very transaction and with its own total; or that the event is
// not a payment, and nothing changed. Nothing else pays.
func FuzzNotifyPlaintext(f *testing.F) {
	in := fuzzInbox(f)
	placed, _ := orderAndHistory(f, in.store)
	placed.Version = 0
	store := &ofOneRun{Store: memory.New()}
	o := in.options()
	o.Store, o.Now, o.Logger = store, func() time.Time { return fuzzTime }, slog.New(slog.DiscardHandler)
	kit, err := wxpay.New(o)
	if err != nil {
		f.Fatal(err)
	}
	seeds := plaintextSeeds(f, in)
	if len(seeds) < 20 {
		f.Fatalf("only %d seeds", len(seeds))
	}
	send := func(t testing.TB, s plaintextSeed) int {
		t.Helper()
		store.Store = memory.New()
		if err := store.Create(context.Background(), placed); err != nil {
			t.Fatal(err)
		}
		req, err := in.sim.SignNotification([]byte(s.plaintext), s.event, "http://127.0.0.1/pay/notify")
		if err != nil {
			t.Fatal(err)
		}
		rec := httptest.NewRecorder()
		kit.Notify().ServeHTTP(rec, req)
		return rec.Code
	}
	for i, want := range []int{http.StatusNoContent, http.StatusNoContent, http.StatusBadRequest, http.StatusBadRequest} {
		if got := send(f, seeds[i]); got != want {
			f.Fatalf("seed %d is answered %d, want %d: are the seeds still alive?", i, got, want)
		}
	}
	for _, s := range seeds {
		f.Add([]byte(s.plaintext), s.event)
	}
	f.Fuzz(func(t *testing.T, plaintext []byte, event string) {
		if strings.HasPrefix(event, "REFUND.") {
			t.Skip("see FuzzRefundPlaintext")
		}
		code := send(t, plaintextSeed{string(plaintext), event})
		before := placed.Saved()
		after, _ := orderAndHistory(t, store)
		switch {
		case event != "TRANSACTION.SUCCESS":
			want := http.StatusNoContent
			if event == "" {
				want = http.StatusBadRequest
			}
			if code != want || !reflect.DeepEqual(after, before) {
				t.Errorf("event %q: answer %d, order %+v", event, code, after)
			}
		case code == http.StatusNoContent:
			var told struct {
				MchID         string `json:"mchid"`
				AppID         string `json:"appid"`
				OutTradeNo    string `json:"out_trade_no"`
				TransactionID string `json:"transaction_id"`
				TradeState    string `json:"trade_state"`
				Amount        struct {
					Total    orderstore.Fen `json:"total"`
					Currency string         `json:"currency"`
				} `json:"amount"`
			}
			if err := json.Unmarshal(plaintext, &told); err != nil {
				t.Fatalf("acknowledged: %v", err)
			}
			if told.MchID != before.MchID || told.AppID != before.AppID || told.OutTradeNo != fuzzNumber || told.TradeState != "SUCCESS" ||
				told.Amount.Total != before.Total || told.Amount.Currency != "CNY" {
				t.Errorf("acknowledged what is not the order's: %+v", told)
			}
			if after.PayStatus != orderstore.Paid || after.TransactionID != told.TransactionID || told.TransactionID == "" || after.Total != before.Total || !after.ToHandOver() {
				t.Errorf("acknowledged, and the order is %+v", after)
			}
		case code != http.StatusBadRequest && code != http.StatusNotFound:
			t.Errorf("answer %d", code)
		case after.PayStatus != orderstore.Unpaid || after.TransactionID != "" || after.ToHandOver():
			t.Errorf("refused, and the order is %+v", after)
		}
	})
}

// TestSeedsAreTheSame: a seed that one process makes is genuine to another.
func TestSeedsAreTheSame(t *testing.T) {
	t.Parallel()
	first, second := fuzzInbox(t), fuzzInbox(t)
	a, b := messageSeeds(t, first)[0], messageSeeds(t, second)[0]
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%+v\n%+v", a, b)
	}
	if rec := second.post(a.body, a.header()); rec.Code != http.StatusNoContent {
		t.Errorf("answer %d %q", rec.Code, rec.Body)
	}
}
