package wxpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// prepaySeeds are bodies that have been somebody's trouble: each is tried with
// every product.
var prepaySeeds = []string{
	body("native", "vip-month"), body("jsapi", "vip-year"), body("app", "vip-month"), cart("cart-1"), cart("cart-"), cart("desk-1"),
	`{"goods_id":"vip-month","openid":"o1","app_name":"a","app_channel":"b","device":"c","platform":9,"total":1,"amount":{"total":1}}`,
	`{"goods_id":"vip-month","openid":"o1","app_name":"a\u0000","app_channel":"b\u0000","device":"c\u0000"}`,
	`{"order_ref":"cart-\u0000","openid":"o\u0000","app_name":"a","app_channel":"b","device":"c"}`,
	`{"order_ref":"cart-\ud800","openid":"o1","app_name":"a","app_channel":"b","device":"c"}`,
	`{"order_ref":"cart-` + strings.Repeat("长", 3000) + `","openid":"o1","app_name":"a","app_channel":"b","device":"c"}`,
	`{"goods_id":"vip-month","openid":" o1 ","app_name":" a","app_channel":"b\n","device":"😀"}`,
	"{\"goods_id\":\"vip-month\",\"openid\":\"\xff\",\"app_name\":\"\xff\",\"app_channel\":\"b\",\"device\":\"c\"}",
	`{"goods_id":"free"}`, `{"goods_id":"vip-decade"}`, `{"goods_id":"vip-month","order_ref":"cart-1"}`, `{"goods_id":" ","order_ref":" "}`,
	`{"goods_id":"vip-month","user_id":"u2"}`, `{"goods_id":"vip-month","goods_id":"vip-year","GOODS_ID":"free"}`,
	`{"out_trade_no":"20260101000000000unknown"}`, `{"out_trade_no":"../../etc"}`, `{"out_trade_no":1e99}`, `{"platform":1e400}`,
	`{}`, `[]`, `null`, `"goods_id"`, ``, `{`, `{"goods_id":{}}`, `{"goods_id":[[[[[[[[`, "\ufeff{}", "\x00", `{"goods_id":"vip-month"}{}`,
	strings.Repeat("[", 20000), body("native", "vip-month") + strings.Repeat(" ", 64<<10),
}

// prices are the server's own.
var prices = map[string]orderstore.Fen{"vip-month": 100, "vip-year": 9900, "": 250}

// bench is a kit without sockets: WeChat is called in the same goroutine.
type bench struct {
	kit   *wxpay.Kit
	store orderstore.Store
	sim   *wxsim.Sim
}

// inProcess is the way to a simulator that has no address.
type inProcess struct{ sim *wxsim.Sim }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	r = r.Clone(r.Context())
	r.RequestURI = r.URL.RequestURI()
	p.sim.ServeHTTP(w, r)
	return w.Result(), r.Context().Err()
}

func newBench(t testing.TB) bench {
	t.Helper()
	b := bench{store: textStore{memory.New()}, sim: wxsim.Start(t)}
	o := goodOptions(t)
	acct := b.sim.Account()
	o.Merchant.AppIDApp, o.Merchant.AppIDJSAPI, o.Merchant.APIBase = acct.AppIDApp, acct.AppIDJSAPI, b.sim.URL()
	o.Store, o.NotifyURL = b.store, "http://127.0.0.1/pay/notify"
	o.HTTPClient = &http.Client{Transport: inProcess{b.sim}}
	o.Logger = slog.New(slog.DiscardHandler)
	o.Quote = func(ctx context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
		if strings.HasPrefix(q.OrderRef, "cart-") {
			return wxpay.Quote{Total: 250, Description: "购物车" + q.OrderRef, Ref: q.OrderRef}, nil
		}
		if q.GoodsID == "free" || q.GoodsID == "negative" {
			return wxpay.Quote{}, wxpay.ErrNoGoods // a catalogue's own fault is no property of the body
		}
		return catalog.Quote(ctx, q)
	}
	kit, err := wxpay.New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.kit = kit
	return b
}

// textStore takes the text that every store has to take, and no other: a
// database would refuse U+0000 and broken UTF-8. See package storetest.
type textStore struct{ orderstore.Store }

var errText = errors.New("text cannot be stored")

func (s textStore) Create(ctx context.Context, o orderstore.Order) error {
	for _, text := range []string{o.Ref, o.UserID, o.GoodsID, o.Description, o.OpenID, o.Attach, o.AppName, o.AppChannel, o.Device, o.PrepayRequest} {
		if !storable(text) {
			return errText
		}
	}
	return s.Store.Create(ctx, o)
}

func (s textStore) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	if !storable(ref) {
		return nil, errText
	}
	return s.Store.Find(ctx, ref)
}

func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// post sends a body and holds the answer to what is true of every answer.
func (b bench) post(t *testing.T, product string, body string) int {
	t.Helper()
	r := httptest.NewRequest("POST", "/pay/prepay/"+product, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.kit.ServeHTTP(w, r)
	var answer struct {
		Code *int            `json:"code"`
		Data json.RawMessage `json:"data"`
		Msg  *string         `json:"msg"`
	}
	dec := json.NewDecoder(w.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&answer); err != nil || answer.Code == nil || answer.Msg == nil || *answer.Msg == "" || answer.Data == nil {
		t.Fatalf("no envelope: %d %s, %v", w.Code, w.Body, err)
	}
	code := w.Code
	if code == http.StatusBadRequest {
		code = 301
	}
	if *answer.Code != code || !slices.Contains([]int{200, 301, 403, 404, 409, 413}, code) {
		t.Fatalf("%s: %d with code %d, msg %s, for %.200q", product, w.Code, *answer.Code, *answer.Msg, body)
	}
	if code != 200 {
		if string(answer.Data) != "null" {
			t.Fatalf("data of a refusal: %s", answer.Data)
		}
		return code
	}
	var placed struct {
		OutTradeNo string `json:"out_trade_no"`
	}
	if err := json.Unmarshal(answer.Data, &placed); err != nil {
		t.Fatal(err)
	}
	o, err := b.store.Get(t.Context(), placed.OutTradeNo)
	at, known := b.sim.Order(placed.OutTradeNo)
	if err != nil || !known {
		t.Fatalf("no order %s: %v, at WeChat %v", placed.OutTradeNo, err, known)
	}
	if price := prices[o.GoodsID]; o.Total != price || at.Total != int64(price) || o.UserID != "u1" || string(o.Product) != product {
		t.Fatalf("order of %v, at WeChat %d, want %v: %+v", o.Total, at.Total, price, o)
	}
	return code
}

// FuzzPrepayBody: whatever a client sends, it gets an envelope that does not
// blame the server, and never an order with a price but the server's.
func FuzzPrepayBody(f *testing.F) {
	if len(prepaySeeds) == 0 {
		f.Fatal("the corpus is empty")
	}
	for i, seed := range prepaySeeds {
		f.Add(byte(i), seed)
	}
	b := newBench(f)
	f.Fuzz(func(t *testing.T, product byte, body string) {
		b.post(t, products[int(product)%len(products)].name, body)
	})
}

// TestPrepaySeeds: the corpus reaches every kind of answer there is, with
// every product.
func TestPrepaySeeds(t *testing.T) {
	t.Parallel()
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			seen := make(map[int]bool)
			for _, seed := range prepaySeeds {
				t.Run("", func(t *testing.T) { seen[b.post(t, p.name, seed)] = true })
			}
			if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, []int{200, 301, 403, 404, 413}) {
				t.Errorf("the corpus reaches %v", got)
			}
		})
	}
}
