package wxpay_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
)

// watchedStore is a store that remembers which orders were created, and breaks down
// on demand.
type watchedStore struct {
	orderstore.Store
	mu      sync.Mutex
	numbers []string
	broken  map[string]bool
}

var errStoreDown = errors.New("disk on fire")

// watch puts itself around the store of a shop that is being opened.
func (l *watchedStore) watch(o *wxpay.Options) { l.Store, o.Store = o.Store, l }

// breakDown makes these calls fail ("create", "get", "save", "find"), and only
// these, from now on.
func (l *watchedStore) breakDown(calls ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = make(map[string]bool)
	for _, c := range calls {
		l.broken[c] = true
	}
}

func (l *watchedStore) fault(call string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken[call] {
		return errStoreDown
	}
	return nil
}

// created are the numbers of the orders in the store, oldest first.
func (l *watchedStore) created() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.numbers)
}

func (l *watchedStore) Create(ctx context.Context, o orderstore.Order) error {
	if err := l.fault("create"); err != nil {
		return err
	}
	err := l.Store.Create(ctx, o)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.numbers = append(l.numbers, o.OutTradeNo)
	}
	return err
}

func (l *watchedStore) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	if err := l.fault("get"); err != nil {
		return orderstore.Order{}, err
	}
	return l.Store.Get(ctx, outTradeNo)
}

func (l *watchedStore) Save(ctx context.Context, o orderstore.Order) error {
	if err := l.fault("save"); err != nil {
		return err
	}
	return l.Store.Save(ctx, o)
}

func (l *watchedStore) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	if err := l.fault("find"); err != nil {
		return nil, err
	}
	return l.Store.Find(ctx, ref)
}

// openWatched opens a shop whose store is watched.
func openWatched(t testing.TB, change ...func(*wxpay.Options)) (*shop, *watchedStore) {
	t.Helper()
	l := new(watchedStore)
	return open(t, append([]func(*wxpay.Options){l.watch}, change...)...), l
}

// line is the way to WeChat, for tests that stand at it.
type line struct {
	to     string              // where every request goes instead; empty: where it wants to
	before func(path string)   // called before a request leaves
	after  func(*http.Request) // called when its answer is there
}

func (l line) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.before != nil {
		l.before(r.URL.Path)
	}
	if l.to != "" {
		to, err := url.Parse(l.to)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = to.Scheme, to.Host, ""
	}
	resp, err := wire.RoundTrip(r)
	if l.after != nil {
		l.after(r)
	}
	return resp, err
}

// prepays are the bodies of the prepays that WeChat received, oldest first.
func (s *shop) prepays() []string {
	var bodies []string
	for _, c := range s.sim.Calls() {
		if c.Target == "prepay" {
			bodies = append(bodies, string(c.Body))
		}
	}
	return bodies
}

// keys are the sorted member names of a JSON object.
func keys(t testing.TB, object json.RawMessage) []string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatalf("%v in %s", err, object)
	}
	return slices.Sorted(maps.Keys(members))
}

const (
	openID  = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" // of body
	created = "创建订单成功"
)

// products are the five with what each answers.
var products = []struct {
	name      string
	data, pay []string // member names, sorted
}{
	{"app", []string{"out_trade_no", "pay", "prepay_id"}, []string{"appid", "noncestr", "package", "partnerid", "prepayid", "sign", "timestamp"}},
	{"jsapi", []string{"out_trade_no", "pay", "prepay_id"}, []string{"appId", "nonceStr", "package", "paySign", "signType", "timeStamp"}},
	{"miniprogram", []string{"out_trade_no", "pay", "prepay_id"}, []string{"nonceStr", "package", "paySign", "signType", "timeStamp"}},
	{"h5", []string{"h5_url", "out_trade_no"}, nil},
	{"native", []string{"code_url", "out_trade_no", "qr_url"}, nil},
}

// TestPrepayAnswer pins the answer of each product to the letter: a front end
// hands it to WeChat unread.
func TestPrepayAnswer(t *testing.T) {
	t.Parallel()
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t)
			r := s.do("POST", "/pay/prepay/"+p.name, "u1", body(p.name, "vip-month"))
			if r.status != 200 || r.Code != 200 || r.Msg != created {
				t.Fatalf("answer is %d %s", r.status, r.raw)
			}
			if got := keys(t, json.RawMessage(r.raw)); !slices.Equal(got, []string{"code", "data", "msg"}) {
				t.Errorf("envelope has %v", got)
			}
			if got := keys(t, r.Data); !slices.Equal(got, p.data) {
				t.Errorf("data has %v, want %v", got, p.data)
			}
			o := r.order(t)
			if got := slices.Sorted(maps.Keys(o.Pay)); !slices.Equal(got, p.pay) {
				t.Errorf("pay has %v, want %v", got, p.pay)
			}
			if got := l.created(); !slices.Equal(got, []string{o.OutTradeNo}) {
				t.Errorf("the store has %v, the answer names %s", got, o.OutTradeNo)
			}
			at, _ := s.sim.Order(o.OutTradeNo)
			switch p.name {
			case "h5":
				if o.H5URL != at.H5URL || !strings.HasPrefix(o.H5URL, "http") {
					t.Errorf("h5_url is %q, WeChat gave %q", o.H5URL, at.H5URL)
				}
			case "native":
				if o.CodeURL != at.CodeURL || !strings.HasPrefix(o.CodeURL, "weixin://") {
					t.Errorf("code_url is %q, WeChat gave %q", o.CodeURL, at.CodeURL)
				}
				if want := "/pay/orders/" + o.OutTradeNo + "/qr.svg"; o.QRURL != want {
					t.Errorf("qr_url is %q, want %q", o.QRURL, want)
				}
				if got := s.do("GET", o.QRURL, "u1", ""); got.status != 200 || got.header.Get("Content-Type") != "image/svg+xml" {
					t.Errorf("qr_url answers %d %s", got.status, got.header.Get("Content-Type"))
				}
			default:
				if o.PrepayID != at.PrepayID || o.PrepayID == "" {
					t.Errorf("prepay_id is %q, WeChat gave %q", o.PrepayID, at.PrepayID)
				}
				s.verifyPay(p.name, o.PrepayID, o.Pay)
			}
			if strings.Contains(r.raw, `\u0026`) {
				t.Errorf("URLs are escaped: %s", r.raw)
			}
		})
	}
}

// verifyPay recomputes what the client SDK checks: the four lines and their
// signature. Source: 调起支付.
func (s *shop) verifyPay(product, prepayID string, pay map[string]string) {
	s.t.Helper()
	acct := s.sim.Account()
	appID := map[string]string{"app": acct.AppIDApp, "jsapi": acct.AppIDJSAPI, "miniprogram": acct.AppID}[product]
	stamp, nonce, last, sign := pay["timeStamp"], pay["nonceStr"], "prepay_id="+prepayID, pay["paySign"]
	want := map[string]string{"package": last, "signType": "RSA"}
	switch product {
	case "jsapi":
		want["appId"] = appID
	case "app":
		stamp, nonce, last, sign = pay["timestamp"], pay["noncestr"], prepayID, pay["sign"]
		want = map[string]string{"appid": appID, "partnerid": acct.MchID, "prepayid": prepayID, "package": "Sign=WXPay"}
	}
	for name, value := range want {
		if pay[name] != value {
			s.t.Errorf("pay.%s is %q, want %q", name, pay[name], value)
		}
	}
	if nonce == "" || len(nonce) > 32 {
		s.t.Errorf("nonce %q is not 1 to 32 characters", nonce)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if off := s.clock.Now().Sub(time.Unix(seconds, 0)); err != nil || off < -2*time.Second || off > time.Minute {
		s.t.Errorf("timestamp %q is %v off", stamp, off)
	}
	block, _ := pem.Decode([]byte(acct.PrivateKeyPEM))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		s.t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(appID + "\n" + stamp + "\n" + nonce + "\n" + last + "\n"))
	raw, err := base64.StdEncoding.DecodeString(sign)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(&parsed.(*rsa.PrivateKey).PublicKey, crypto.SHA256, digest[:], raw); err != nil {
		s.t.Errorf("signature of pay: %v", err)
	}
}

// TestPrepaySendsWhatIsStored: the frozen body is what WeChat received, byte
// for byte, and says what the shop meant.
func TestPrepaySendsWhatIsStored(t *testing.T) {
	t.Parallel()
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) {
				o.ClientIP = func(*http.Request) netip.Addr { return netip.MustParseAddr("203.0.113.7") }
			})
			o := s.stored(s.buy(p.name, "u1").OutTradeNo)
			if got := s.prepays(); !slices.Equal(got, []string{o.PrepayRequest}) {
				t.Fatalf("WeChat received %q, stored is %q", got, o.PrepayRequest)
			}
			acct := s.sim.Account()
			want := map[string]any{
				"appid": acct.AppID, "mchid": acct.MchID, "description": "1个月会员", "out_trade_no": o.OutTradeNo,
				"time_expire": o.ExpiresAt.In(time.FixedZone("", 8*3600)).Format("2006-01-02T15:04:05-07:00"),
				"notify_url":  s.url + "/pay/notify",
				"amount":      map[string]any{"total": 100.0, "currency": "CNY"},
			}
			switch p.name {
			case "app":
				want["appid"] = acct.AppIDApp
			case "jsapi":
				want["appid"] = acct.AppIDJSAPI
				want["payer"] = map[string]any{"openid": openID}
			case "miniprogram":
				want["payer"] = map[string]any{"openid": openID}
			case "h5":
				want["scene_info"] = map[string]any{"payer_client_ip": "203.0.113.7", "h5_info": map[string]any{"type": "Wap"}}
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(o.PrepayRequest), &got); err != nil {
				t.Fatal(err)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) { // maps print sorted
				t.Errorf("frozen:\n%v, want\n%v", got, want)
			}
			if o.UserID != "u1" || o.GoodsID != "vip-month" || o.Total != 100 || o.DeviceIP != "203.0.113.7" ||
				o.AppID != want["appid"] || o.MchID != acct.MchID || string(o.Product) != p.name || o.PayStatus != orderstore.Unpaid {
				t.Errorf("stored: %+v", o)
			}
			if left := o.ExpiresAt.Sub(o.CreatedAt); left <= 30*time.Minute-time.Second || left > 30*time.Minute {
				t.Errorf("the time to pay is %v", left)
			}
		})
	}
}

// TestPrepayKeepsTheTutorialsColumns: what an app sends about itself.
func TestPrepayKeepsTheTutorialsColumns(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := s.do("POST", "/pay/prepay/app", "u1",
		`{"goods_id":"vip-month","user_id":"u1","app_name":"示例","app_channel":"master","device":"小米 18 pro","platform":2,"openid":"o1"}`)
	o := s.stored(r.order(t).OutTradeNo)
	if o.AppName != "示例" || o.AppChannel != "master" || o.Device != "小米 18 pro" || o.Platform != 2 || o.DeviceIP != "127.0.0.1" {
		t.Errorf("stored: %+v", o)
	}
	if o.OpenID != "" || strings.Contains(o.PrepayRequest, "payer") {
		t.Errorf("an App order has no openid: %q in %s", o.OpenID, o.PrepayRequest)
	}
}

// TestPrepaySignsAfresh: no two answers share a nonce or a signature, also for
// one and the same order.
func TestPrepaySignsAfresh(t *testing.T) {
	t.Parallel()
	s := open(t)
	seen := make(map[string]bool)
	for range 3 {
		r := s.do("POST", "/pay/prepay/miniprogram", "u1", body("miniprogram", "vip-month"), "Idempotency-Key", "one")
		pay := r.order(t).Pay
		for _, v := range []string{pay["nonceStr"], pay["paySign"]} {
			if seen[v] {
				t.Errorf("%q was seen before", v)
			}
			seen[v] = true
		}
	}
	if n := s.sim.Requests("prepay"); n != 1 {
		t.Errorf("%d prepays", n)
	}
}

// TestPrepayPriceIsTheServers: nothing the client says changes the price, nor
// the merchant, nor where the money is reported.
func TestPrepayPriceIsTheServers(t *testing.T) {
	t.Parallel()
	s := open(t)
	r := s.do("POST", "/pay/prepay/native", "u1", `{"goods_id":"vip-month","total":1,"amount":{"total":1},"price":1,"Total":1,
		"description":"x","notify_url":"https://evil.example/","mchid":"1","appid":"wx","product":"h5","currency":"USD","time_expire":"2038-01-01T00:00:00+08:00"}`)
	o := s.stored(r.order(t).OutTradeNo)
	at, _ := s.sim.Order(o.OutTradeNo)
	if o.Total != 100 || at.Total != 100 || at.Description != "1个月会员" || at.NotifyURL != s.url+"/pay/notify" || at.Product != "native" {
		t.Errorf("stored %v, at WeChat %+v", o.Total, at)
	}
}

func TestPrepayCutsDescriptions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, long, want string }{
		{"short", "1个月会员", "1个月会员"},
		{"127 bytes", strings.Repeat("a", 127), strings.Repeat("a", 127)},
		{"128 bytes", strings.Repeat("a", 128), strings.Repeat("a", 127)},
		{"300 characters", strings.Repeat("会", 300), strings.Repeat("会", 42)},
		{"emoji", "a" + strings.Repeat("😀", 60), "a" + strings.Repeat("😀", 31)},
		{"emoji on the edge", "abcd" + strings.Repeat("😀", 31), "abcd" + strings.Repeat("😀", 30)},
		{"broken UTF-8", "会\xff员", "会员"},
		{"quotes", `"1<a>&'` + "\t", `"1<a>&'` + "\t"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(o *wxpay.Options) {
				o.Quote = func(context.Context, wxpay.QuoteRequest) (wxpay.Quote, error) {
					return wxpay.Quote{Total: 1, Description: c.long}, nil
				}
			})
			o := s.stored(s.buy("native", "u1").OutTradeNo)
			at, _ := s.sim.Order(o.OutTradeNo)
			if o.Description != c.want || at.Description != c.want || len(c.want) > 127 || !utf8.ValidString(c.want) {
				t.Errorf("stored %q, at WeChat %q, want %q", o.Description, at.Description, c.want)
			}
		})
	}
}

// TestPrepayQuoteIsAsked: with what the client named and who it is, and the
// product, which may have a price of its own.
func TestPrepayQuoteIsAsked(t *testing.T) {
	t.Parallel()
	var got []wxpay.QuoteRequest
	s := open(t, func(o *wxpay.Options) {
		o.Quote = func(_ context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
			got = append(got, q) // the requests come one after the other
			return wxpay.Quote{Total: 7, Description: "d", Attach: `{"a":1}`, OrderNumber: 3}, nil
		}
	})
	placed := s.buy("native", "u1")
	s.do("POST", "/pay/prepay/h5", "u2", `{"order_ref":"A-1"}`).order(t)
	want := []wxpay.QuoteRequest{
		{UserID: "u1", GoodsID: "vip-month", Product: orderstore.Native},
		{UserID: "u2", OrderRef: "A-1", Product: orderstore.H5},
	}
	if !slices.Equal(got, want) {
		t.Errorf("quote was asked %+v, want %+v", got, want)
	}
	o := s.stored(placed.OutTradeNo)
	if at, _ := s.sim.Order(o.OutTradeNo); o.Attach != `{"a":1}` || at.Attach != `{"a":1}` || o.OrderNumber != 3 || o.Ref != "" {
		t.Errorf("stored %+v, at WeChat %+v", o, at)
	}
}

// TestPrepayWithoutAGoodQuote: nothing is stored and nothing is sent before
// the server knows its own price.
func TestPrepayWithoutAGoodQuote(t *testing.T) {
	t.Parallel()
	good := wxpay.Quote{Total: 100, Description: "1个月会员"}
	const cannotPrice, internal = "查询商品信息失败", "系统异常，请稍后重试"
	for _, c := range []struct {
		name   string
		quote  func(*wxpay.Quote) error
		status int
		msg    string
	}{
		{"error", func(*wxpay.Quote) error { return errors.New("catalogue is down") }, 500, cannotPrice},
		{"no goods", func(*wxpay.Quote) error { return wxpay.ErrNoGoods }, 404, "商品信息不存在"},
		{"no goods, wrapped", func(*wxpay.Quote) error { return fmt.Errorf("quote: %w", wxpay.ErrNoGoods) }, 404, "商品信息不存在"},
		{"zero", func(q *wxpay.Quote) error { q.Total = 0; return nil }, 500, cannotPrice},
		{"negative", func(q *wxpay.Quote) error { q.Total = -1; return nil }, 500, cannotPrice},
		{"no description", func(q *wxpay.Quote) error { q.Description = ""; return nil }, 500, cannotPrice},
		{"no character in the description", func(q *wxpay.Quote) error { q.Description = "\xff\xfe"; return nil }, 500, internal},
		{"attach of 129 bytes", func(q *wxpay.Quote) error { q.Attach = strings.Repeat("a", 129); return nil }, 500, cannotPrice},
		{"panic", func(*wxpay.Quote) error { panic("nil catalogue") }, 500, internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t, func(o *wxpay.Options) {
				o.Quote = func(context.Context, wxpay.QuoteRequest) (wxpay.Quote, error) {
					q := good
					err := c.quote(&q)
					return q, err
				}
			})
			s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month")).refused(t, c.status, c.status, c.msg)
			s.nothingDone(l)
		})
	}
}

// nothingDone checks that no order came into being, here or at WeChat.
func (s *shop) nothingDone(l *watchedStore) {
	s.t.Helper()
	if got := l.created(); len(got) != 0 {
		s.t.Errorf("orders in the store: %v", got)
	}
	if n := s.sim.Requests("prepay"); n != 0 {
		s.t.Errorf("%d prepays were sent", n)
	}
}

// TestPrepayStoreFails: what is answered, and what is left behind, when the
// store breaks down at each of its steps.
func TestPrepayStoreFails(t *testing.T) {
	t.Parallel()
	const msg = "订单服务暂时不可用，请稍后重试"
	for _, c := range []struct {
		call, body      string
		orders, prepays int
	}{
		{"create", body("native", "vip-month"), 0, 0},
		{"get", body("native", "vip-month"), 0, 0},
		{"find", `{"order_ref":"cart-1"}`, 0, 0},
		{"save", body("native", "vip-month"), 1, 1},
	} {
		t.Run(c.call, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t)
			l.breakDown(c.call)
			s.do("POST", "/pay/prepay/native", "u1", c.body, "Idempotency-Key", "k1").refused(t, 503, 503, msg)
			if len(l.created()) != c.orders || s.sim.Requests("prepay") != c.prepays {
				t.Errorf("%d orders and %d prepays", len(l.created()), s.sim.Requests("prepay"))
			}
			l.breakDown()
			if c.call == "save" { // whoever created it might still be placing it: 15 s are waited for that
				if o := s.stored(l.created()[0]); o.PayStatus != orderstore.Unpaid || !o.Credential.IsZero() {
					t.Errorf("left behind: %+v", o)
				}
				s.clock.advance(15 * time.Second)
			}
			again := s.do("POST", "/pay/prepay/native", "u1", c.body, "Idempotency-Key", "k1").order(t)
			if got := l.created(); !slices.Equal(got, []string{again.OutTradeNo}) || again.CodeURL == "" {
				t.Errorf("orders %v, the second try got %+v", got, again)
			}
			if got := s.prepays(); len(slices.Compact(got)) != 1 {
				t.Errorf("two prepays of one order differ: %q", got)
			}
			if strings.Contains(s.logs.String(), "disk on fire") == false {
				t.Error("the log does not say why")
			}
		})
	}
}

// TestPrepayH5Rules: off loopback, an H5 prepay needs a page and an address.
func TestPrepayH5Rules(t *testing.T) {
	t.Parallel()
	const noOrigin, noIP = "请求来源不被允许", "无法识别用户IP地址"
	good := []string{"Origin", "https://m.example.com", "Sec-Fetch-Site", "same-site"}
	for _, c := range []struct {
		name, product, ip string
		header            []string
		status            int
		msg               string
	}{
		{"good", "h5", "203.0.113.7", good, 200, created},
		{"good IPv6", "h5", "2001:db8::7", good, 200, created},
		{"no Origin", "h5", "203.0.113.7", nil, 403, noOrigin},
		{"Origin of somebody else", "h5", "203.0.113.7", []string{"Origin", "https://evil.example"}, 403, noOrigin},
		{"no address", "h5", "", good, 403, noIP},
		{"loopback address", "h5", "127.0.0.1", good, 403, noIP},
		{"loopback address in six", "h5", "::1", good, 403, noIP},
		{"unspecified address", "h5", "0.0.0.0", good, 403, noIP},
		{"other products need neither", "native", "", nil, 200, created},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, l := openWatched(t, offLoopback, func(o *wxpay.Options) {
				o.Origins = []string{"https://m.example.com"}
				o.ClientIP = func(*http.Request) netip.Addr { ip, _ := netip.ParseAddr(c.ip); return ip }
			})
			r := s.do("POST", "/pay/prepay/"+c.product, "u1", body(c.product, "vip-month"), c.header...)
			if c.status != 200 {
				r.refused(t, c.status, c.status, c.msg)
				s.nothingDone(l)
				return
			}
			if o := s.stored(r.order(t).OutTradeNo); o.DeviceIP != c.ip {
				t.Errorf("device_ip is %q", o.DeviceIP)
			}
		})
	}
}

// offLoopback makes the kit believe that it talks to the real WeChat.
func offLoopback(o *wxpay.Options) {
	o.HTTPClient = &http.Client{Transport: line{to: o.Merchant.APIBase}}
	o.Merchant.APIBase = ""
	o.NotifyURL = "https://shop.example.com/pay/notify"
}

// TestPrepayH5AgainNeedsAPage: an h5_url is given to pages on the list only,
// whether the order is new or not. Source: H5 支付, Origin white-list.
func TestPrepayH5AgainNeedsAPage(t *testing.T) {
	t.Parallel()
	s := open(t, offLoopback, func(o *wxpay.Options) {
		o.Origins = []string{"https://m.example.com"}
		o.ClientIP = func(*http.Request) netip.Addr { return netip.MustParseAddr("203.0.113.7") }
	})
	page := []string{"Origin", "https://m.example.com"}
	o := s.do("POST", "/pay/prepay/h5", "u1", body("h5", "vip-month"), page...).order(t)
	again := `{"out_trade_no":"` + o.OutTradeNo + `"}`
	if got := s.do("POST", "/pay/prepay/h5", "u1", again, page...).order(t); got.H5URL != o.H5URL {
		t.Errorf("h5_url is %q, want %q", got.H5URL, o.H5URL)
	}
	s.do("POST", "/pay/prepay/h5", "u1", again).refused(t, 403, 403, "请求来源不被允许")
}
