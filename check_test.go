package wxpay_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/wxsim"
)

// another is a key that belongs to nobody here; making one takes a while.
var another = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func privatePEM(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// certificateOf is an apiclient_cert.pem of the account that lasts that long.
func certificateOf(t *testing.T, acct wxsim.Account, lasts time.Duration) string {
	t.Helper()
	block, _ := pem.Decode([]byte(acct.PrivateKeyPEM))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := new(big.Int).SetString(acct.SerialNo, 16)
	template := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lasts)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.(*rsa.PrivateKey).PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// plant is one thing that is wrong with an app that is otherwise in order.
type plant struct {
	name   string
	sim    wxsim.Config
	change func(*testing.T, *shop, *wxpay.Options)
	after  func(*testing.T, string) // what becomes of the store's file when it is open
	idle   bool                     // Kit.Run does not run
	want   []string                 // the findings from Warning on
	notes  []string                 // some of those below
}

// front puts somebody before the shop, and the notify URL there.
func front(handler func(t *testing.T, s *shop) http.Handler) func(*testing.T, *shop, *wxpay.Options) {
	return func(t *testing.T, s *shop, o *wxpay.Options) {
		t.Helper()
		server := httptest.NewServer(handler(t, s))
		t.Cleanup(server.Close)
		o.NotifyURL = server.URL + "/app/pay/notify"
	}
}

// says is a server that answers everything like that.
func says(status int, body string) func(*testing.T, *shop) http.Handler {
	return func(*testing.T, *shop) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if status/100 == 3 {
				w.Header().Set("Location", "/login")
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
}

// proxied is a gateway that changes requests or answers.
func proxied(request func(*http.Request), answer func(*http.Response)) func(*testing.T, *shop) http.Handler {
	return func(t *testing.T, s *shop) http.Handler {
		t.Helper()
		target, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		return &httputil.ReverseProxy{
			Transport:      wire,
			Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target); request(r.Out) },
			ModifyResponse: func(r *http.Response) error { answer(r); return nil },
		}
	}
}

// otherKit is a second process, with the same secret or another.
func otherKit(secret string) func(*testing.T, *shop) http.Handler {
	return func(t *testing.T, s *shop) http.Handler {
		t.Helper()
		o := s.options()
		o.Prefix, o.Secret = "/app/pay", secret
		kit, err := wxpay.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return kit
	}
}

const checkSecret = "the secret of the shop under check"

func merchant(change func(*wxpay.Merchant)) func(*testing.T, *shop, *wxpay.Options) {
	return func(_ *testing.T, _ *shop, o *wxpay.Options) {
		o.Merchant.Certificate = "" // New would see it
		change(&o.Merchant)
	}
}

func plants() []plant {
	nothing := func(*http.Request) {}
	unchanged := func(*http.Response) {}
	return []plant{
		{name: "nothing", notes: []string{
			"signature-accepted", "apiv3-key-opens", "public-key-verifies", "clock-right", "wechat-simulated", "merchant-certificate-fresh",
			"notify-reached", "store-answers", "store-safe", "appid-unchecked", "run-running",
		}},
		{name: "API v2 only", change: func(_ *testing.T, s *shop, o *wxpay.Options) {
			o.API, o.AuthorizeRefund = wxpay.APIv2, nil
			o.Merchant = onlyV2(s, o.Merchant)
		}, notes: []string{"api-v3-absent", "notify-unchecked", "merchant-certificate-unchecked", "store-answers", "run-running"}},
		{name: "wrong serial", change: merchant(func(m *wxpay.Merchant) { m.CertSerial = strings.Repeat("A1", 20) }), want: []string{"serial-wrong"}},
		{name: "private key of another certificate", change: merchant(func(m *wxpay.Merchant) { m.PrivateKey = privatePEM(another()) }), want: []string{"private-key-wrong"}},
		{name: "another merchant's number", change: merchant(func(m *wxpay.Merchant) { m.MchID = "1900000001" }), want: []string{"merchant-number-wrong"}},
		{name: "wrong APIv3 key", change: merchant(func(m *wxpay.Merchant) { m.APIv3Key = strings.Repeat("k", 32) }), want: []string{"apiv3-key-wrong"}},
		{name: "wrong public key id", change: merchant(func(m *wxpay.Merchant) { m.PublicKeyID = "PUB_KEY_ID_0100000000000000000000000000" }), want: []string{"public-key-id-wrong"}},
		{name: "wrong public key", change: merchant(func(m *wxpay.Merchant) { m.PublicKey = publicPEM(another()) }), want: []string{"public-key-wrong"}},
		{name: "no public key", sim: wxsim.Config{PublicKeyOnly: true}, change: merchant(func(m *wxpay.Merchant) { m.PublicKey, m.PublicKeyID = "", "" }), want: []string{"public-key-missing"}},
		{name: "appid that is none", change: merchant(func(m *wxpay.Merchant) { m.AppIDApp = "1900000001" }), want: []string{"appid-odd"}},
		{name: "clock 45 s ahead", change: func(_ *testing.T, _ *shop, o *wxpay.Options) {
			o.Now = func() time.Time { return time.Now().Add(45 * time.Second) }
		}, want: []string{"clock-skewed"}},
		{name: "clock 10 min behind", change: func(_ *testing.T, _ *shop, o *wxpay.Options) {
			o.Now = func() time.Time { return time.Now().Add(-10 * time.Minute) }
		}, want: []string{"clock-wrong"}},
		{name: "WeChat Pay out of reach", change: merchant(func(m *wxpay.Merchant) { m.APIBase = "http://127.0.0.1:1" }), want: []string{"wechat-unreachable"}},
		{name: "certificate of 20 days", change: func(t *testing.T, s *shop, o *wxpay.Options) {
			o.Merchant.Certificate = certificateOf(t, s.sim.Account(), 20*24*time.Hour)
		}, want: []string{"merchant-certificate-ending"}},
		{name: "expired certificate", change: func(t *testing.T, s *shop, o *wxpay.Options) {
			o.Merchant.Certificate = certificateOf(t, s.sim.Account(), -time.Minute)
		}, want: []string{"merchant-certificate-ended"}},

		{name: "notify URL of a server that says 200", change: front(says(200, "OK")), want: []string{"notify-acknowledged"}},
		{name: "notify URL that goes to a login", change: front(says(302, "")), want: []string{"notify-redirected"}},
		{name: "notify URL behind a gateway's own 401", change: front(says(401, `{"message":"token required"}`)), want: []string{"notify-blocked"}},
		{name: "notify URL behind a firewall's page", change: front(says(403, "<html>")), want: []string{"notify-blocked"}},
		{name: "notify URL of nothing", change: front(says(404, "")), want: []string{"notify-not-mounted"}},
		{name: "notify URL of a gateway without a backend", change: front(says(502, "")), want: []string{"notify-refused"}},
		{name: "notify URL of another shop's kit", change: front(otherKit("a secret that is another shop's own")), want: []string{"notify-other-process"}},
		{name: "notify URL of a replica", change: front(otherKit(checkSecret)), notes: []string{"notify-reached-replica"}},
		{name: "notify URL nobody listens at", change: func(_ *testing.T, _ *shop, o *wxpay.Options) { o.NotifyURL = "http://127.0.0.1:1/pay/notify" }, want: []string{"notify-unreachable"}},
		{name: "gateway in order", change: front(proxied(nothing, unchanged)), notes: []string{"notify-reached"}},
		{name: "gateway that drops headers", change: front(proxied(func(r *http.Request) { r.Header.Del("Wechatpay-Signature") }, unchanged)), want: []string{"notify-headers-stripped"}},
		{name: "gateway that makes 200 of everything", change: front(proxied(nothing, func(r *http.Response) { r.StatusCode = 200 })), want: []string{"notify-rewritten"}},
		{name: "middleware that reads the body", change: front(func(_ *testing.T, s *shop) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				s.mux.ServeHTTP(w, r)
			})
		}), want: []string{"notify-body-drained"}},

		{name: "read-only database", after: func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o444); err != nil {
				t.Fatal(err)
			}
		}, want: []string{"store-unsafe"}},
		{name: "database that was moved away", after: func(t *testing.T, path string) {
			if err := os.Rename(path, path+".old"); err != nil {
				t.Fatal(err)
			}
		}, want: []string{"store-unsafe"}},
		{name: "store with synchronous off", change: func(_ *testing.T, _ *shop, o *wxpay.Options) { o.Store = unsafeStore{o.Store} }, want: []string{"store-unsafe"}},
		{name: "store that is down", change: func(_ *testing.T, _ *shop, o *wxpay.Options) { o.Store = downStore{o.Store} }, want: []string{"store-broken"}},
		{name: "store that is slow", change: func(_ *testing.T, _ *shop, o *wxpay.Options) { o.Store = slowStore{o.Store} }, want: []string{"store-slow"}},
		{name: "store that panics", change: func(_ *testing.T, _ *shop, o *wxpay.Options) { o.Store = panickingStore{o.Store} }, want: []string{"store-broken"}},
		{name: "no way to refund, no secret, a store in memory", change: func(_ *testing.T, _ *shop, o *wxpay.Options) {
			o.AuthorizeRefund, o.Secret, o.Store = nil, "", memory.New()
		}, notes: []string{"refunds-off", "secret-derived", "store-unchecked", "bills-not-compared"}},
		{name: "bills compared", change: func(_ *testing.T, _ *shop, o *wxpay.Options) { o.ReconcileDaily = true }, notes: []string{"bills-compared"}},
		{name: "Run does not run", idle: true, want: []string{"run-missing"}},
	}
}

// unsafeStore says of itself that it loses orders.
type unsafeStore struct{ orderstore.Store }

func (unsafeStore) Check(context.Context) error { return errors.New("synchronous is off") }

// downStore cannot be read.
type downStore struct{ orderstore.Store }

func (downStore) Get(context.Context, string) (orderstore.Order, error) {
	return orderstore.Order{}, io.ErrUnexpectedEOF
}

// slowStore takes longer than a notification can wait for.
type slowStore struct{ orderstore.Store }

func (s slowStore) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	time.Sleep(1100 * time.Millisecond) // at least; the check's own limit is a second
	return s.Store.Get(ctx, outTradeNo)
}

type panickingStore struct{ orderstore.Store }

func (panickingStore) Get(context.Context, string) (orderstore.Order, error) { panic("no map") }

// TestCheck plants one misconfiguration after the other: each is found, and
// nothing else is. The first row is an app in order.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, p := range plants() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			report := p.checked(t)
			var got []string
			for _, f := range report.From(checkup.Warning) {
				got = append(got, f.ID)
				if f.Says.ZH == "" || f.Says.EN == "" || f.Remedy.ZH == "" || f.Remedy.EN == "" {
					t.Errorf("%s says %q, remedy %q", f.ID, f.Says, f.Remedy)
				}
			}
			if !slices.Equal(got, p.want) {
				_ = report.Print(t.Output(), "en")
				t.Errorf("found %v, want %v", got, p.want)
			}
			for _, id := range p.notes {
				if !report.Has(id) {
					t.Errorf("did not find %s", id)
				}
			}
			if report.Took > 20*time.Second {
				t.Errorf("took %v", report.Took)
			}
		})
	}
}

// onlyV2 is the account without anything of API v3.
func onlyV2(s *shop, m wxpay.Merchant) wxpay.Merchant {
	return wxpay.Merchant{MchID: m.MchID, AppID: m.AppID, APIv2Key: s.sim.Account().APIv2Key, APIBase: m.APIBase}
}

func (p plant) checked(t *testing.T) checkup.Report {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pay.db")
	store, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	in := openInbox(t, p.sim) // for its simulator; its kit is in nobody's way at /pay
	o := in.options()
	o.Prefix, o.NotifyURL = "/app/pay", in.url+"/app/pay/notify"
	o.Store, o.Secret = store, checkSecret
	o.Merchant.Certificate = certificateOf(t, in.sim.Account(), 365*24*time.Hour)
	if p.change != nil {
		p.change(t, in.shop, &o)
	}
	kit, err := wxpay.Mount(in.mux, o)
	if err != nil {
		t.Fatal(err)
	}
	in.kit = kit
	if !p.idle {
		in.run()
		eventually(t, "Run runs", kit.Running)
	}
	if p.after != nil {
		p.after(t, path)
	}
	return kit.Check(t.Context())
}

// TestCheckProvesAppIDs: an order that was paid proves that its appid is bound.
func TestCheckProvesAppIDs(t *testing.T) {
	t.Parallel()
	s := open(t, loud)
	number := s.buy("native", "u1").OutTradeNo
	if report := s.kit.Check(t.Context()); report.Has("appid-bound") || !report.Has("appid-unchecked") {
		t.Errorf("found %v before anything was paid", report.Findings)
	}
	if err := s.sim.Pay(number); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.kit.Check(t.Context()).Findings {
		if bound := f.Detail == s.sim.Account().AppID; f.ID == "appid-bound" != bound && strings.HasPrefix(f.ID, "appid-") {
			t.Errorf("%s of %s after an order with %s was paid", f.ID, f.Detail, s.sim.Account().AppID)
		}
	}
}

// hanging heeds no context.
type hanging chan struct{}

func (h hanging) RoundTrip(*http.Request) (*http.Response, error) {
	<-h
	return nil, errors.New("too late")
}

// TestCheckEnds: what hangs, and heeds no context, is left behind, and said.
func TestCheckEnds(t *testing.T) {
	t.Parallel()
	hang := make(hanging)
	defer close(hang)
	in := openInbox(t, wxsim.Config{}, func(o *wxpay.Options) { o.HTTPClient = &http.Client{Transport: hang} })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if report := in.kit.Check(ctx); !report.Has("check-cut-short") || !report.Has("store-answers") {
		t.Errorf("found %v, want what could be found", report.Findings)
	}
}

// TestCheckChangesNothing: no order, no prepay, and no request with the key of
// somebody.
func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.Store = memory.New() })
	report := s.kit.Check(t.Context())
	if !report.Has("notify-reached") || !report.Has("signature-accepted") || !report.Has("public-key-verifies") || !report.Has("apiv3-key-opens") {
		t.Errorf("found %v", report.Findings)
	}
	for _, line := range s.logLines("notification answered") {
		if line["level"] != "INFO" || line["ending"] != "bad_signature" {
			t.Errorf("log says %v of the call to oneself, want no warning", line)
		}
	}
	if orders := s.sim.Orders(); len(orders) != 0 {
		t.Errorf("%d orders at WeChat Pay", len(orders))
	}
	var asked []string
	for _, c := range s.sim.Calls() {
		asked = append(asked, c.Target)
	}
	if slices.Sort(asked); !slices.Equal(asked, []string{"certificates", "echo"}) {
		t.Errorf("asked %v, want the certificates and an echo", asked)
	}
	if due, err := s.store.Due(t.Context(), time.Now().AddDate(1, 0, 0), 10); err != nil || len(due) != 0 {
		t.Errorf("%d orders in the store, %v", len(due), err)
	}
}

// TestCheckIsNoOracle: a stranger who sends the mark of a self-check, also one
// that was good for another purpose or long ago, is answered like any other.
func TestCheckIsNoOracle(t *testing.T) {
	t.Parallel()
	s := open(t)
	ask := func(mark string) reply {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/pay/notify", strings.NewReader("{}"))
		if err == nil && mark != "" {
			req.Header.Set("Wxpay-Self-Check", mark)
		}
		return s.deliver(req, err)
	}
	plain := ask("")
	for _, mark := range []string{"x", strings.Repeat("A", 300), strings.Repeat("QUJD", 30)} {
		r := ask(mark)
		if r.status != http.StatusUnauthorized || r.raw != plain.raw || len(r.header) != len(plain.header) {
			t.Errorf("the mark %q is answered with %d %s %v, want %d %s %v", mark, r.status, r.raw, r.header, plain.status, plain.raw, plain.header)
		}
	}
}

// TestMerchantCheck is the check without an app: of the account, and of a
// notify URL at which a kit with the account's own secret answers.
func TestMerchantCheck(t *testing.T) {
	t.Parallel()
	s := open(t)
	m := s.options().Merchant
	m.NotifyURL = s.url + "/pay/notify"
	if report := m.Check(t.Context()); report.Err() != nil || !report.Has("notify-reached-kit") || !report.Has("signature-accepted") {
		t.Errorf("found %v, %v", report.Err(), report.Findings)
	}
	m.APIv3Key = "short"
	m.NotifyURL = "http://shop.example.com/pay/notify"
	report := m.Check(t.Context())
	if got := report.From(checkup.Error); len(got) != 2 || got[0].ID != "settings-wrong" || got[1].ID != "settings-wrong" {
		t.Errorf("found %v, want both settings", got)
	}
	if strings.Contains(report.Err().Error(), m.PrivateKey[40:80]) {
		t.Error("the report has the private key")
	}
}
