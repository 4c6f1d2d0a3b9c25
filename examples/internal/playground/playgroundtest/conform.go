package playgroundtest

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/examples/internal/playground"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// Mounting is a way to put the kit into an app.
type Mounting struct {
	Name string
	At   string // the path of the endpoints, such as /pay
	// New makes the app with a kit of these options, some of which it may
	// change.
	New func(wxpay.Options) (http.Handler, *wxpay.Kit, error)
}

// ConformAll is Conform for several.
func ConformAll(t *testing.T, all []Mounting) {
	t.Helper()
	for _, m := range all {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			Conform(t, m)
		})
	}
}

// Conform holds an app to what the kit promises on every router: over real
// HTTP, with order numbers of all the characters that WeChat allows, with
// notifications of the simulator, and behind the middleware that apps have.
func Conform(t *testing.T, m Mounting) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(*app)
	}{
		{"endpoints", (*app).walk},
		{"refusals", (*app).refuse},
		{"odd paths", (*app).stray},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(open(t, m, nil))
		})
	}
	for _, f := range fronts {
		t.Run("behind "+f.name, func(t *testing.T) {
			t.Parallel()
			f.check(open(t, m, f.wrap))
		})
	}
}

// app is an app under test, and the simulated WeChat Pay that it talks to.
type app struct {
	*testing.T
	at     string // the path of the kit's endpoints
	server *httptest.Server
	client *http.Client
	sim    *wxsim.Sim
	logs   *buffer
	values map[string]string // what {name} means in a row of a table
}

// open starts an app, with wrap around it.
func open(t *testing.T, m Mounting, wrap func(http.Handler) http.Handler) *app {
	t.Helper()
	a := &app{T: t, at: m.At, server: httptest.NewUnstartedServer(nil), sim: wxsim.Start(t), logs: new(buffer), values: make(map[string]string)}
	handler, _, err := m.New(a.options())
	if err != nil {
		t.Fatal(err)
	}
	if wrap != nil {
		handler = wrap(handler)
	}
	a.server.Config.Handler = handler
	a.server.Start()
	t.Cleanup(a.server.Close)
	a.client = &http.Client{
		Transport:     a.server.Client().Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return a
}

// options are a kit's. Everybody named in X-User is signed in.
func (a *app) options() wxpay.Options {
	merchant := playground.Merchant(a.sim)
	merchant.NotifyURL = "http://" + a.server.Listener.Addr().String() + a.at + "/notify"
	var numbers atomic.Int64
	return wxpay.Options{
		Merchant: merchant,
		Store:    memory.New(),
		Identify: func(r *http.Request) (string, error) {
			if r.Header.Get("X-User") == "" {
				return "", errors.New("not signed in")
			}
			return r.Header.Get("X-User"), nil
		},
		Quote: orderstore.Catalog{{GoodsID: "tea", Description: "一杯茶", Total: 300}}.Quote,
		AuthorizeRefund: func(_ *http.Request, userID string, _ wxpay.Order) error {
			if userID != clerk {
				return errors.New("only the clerk refunds")
			}
			return nil
		},
		OrderNumber: func(string, time.Time) string { return fmt.Sprintf("a|b*c_d-%04d", numbers.Add(1)) },
		Logger:      slog.New(slog.NewTextHandler(a.logs, nil)),
	}
}

// Who asks.
const (
	customer = "xiaoming"
	stranger = "xiaohong"
	clerk    = "clerk"
)

// place orders a cup of tea and remembers its number under name.
func (a *app) place(product, name string) {
	a.Helper()
	r := a.send("POST", "/prepay/"+product, customer, prepayBody(product))
	if r.status != http.StatusOK {
		a.Fatalf("prepay of %s: %d %s", product, r.status, r.body)
	}
	a.values[name] = r.data(a.T).OutTradeNo
}

// pay pays the order of that name; the notification must be taken at once.
func (a *app) pay(name string) {
	a.Helper()
	if err := a.sim.Pay(a.values[name]); err != nil {
		a.Fatal(err)
	}
	sent := a.sim.Notifications()
	if last := sent[len(sent)-1]; last.OutTradeNo != a.values[name] || !last.Accepted || last.Status != http.StatusNoContent {
		a.Errorf("the notification was answered %d %s %s", last.Status, last.Body, last.Error)
	}
	if paid := a.send("GET", "/orders/"+a.values[name], customer, "").data(a.T); paid.PayStatus != 1 {
		a.Errorf("after the payment: %+v", paid)
	}
}

// prepayBody has all that a product needs.
func prepayBody(product string) string {
	switch product {
	case "app":
		return `{"goods_id":"tea","app_name":"示例","app_channel":"master","device":"小米"}`
	case "jsapi", "miniprogram":
		return `{"goods_id":"tea","openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}`
	}
	return `{"goods_id":"tea"}`
}

// buffer is a bytes.Buffer that many may write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// fill puts values for {name} and, with every odd character escaped, {%name}.
func (a *app) fill(s string) string {
	for name, value := range a.values {
		s = strings.ReplaceAll(s, "{"+name+"}", value)
		s = strings.ReplaceAll(s, "{%"+name+"}", escapes.Replace(value))
	}
	return s
}

var escapes = strings.NewReplacer("|", "%7C", "*", "%2a", "@", "%40", "-", "%2D", "_", "%5f")
