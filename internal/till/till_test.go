package till_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
	"github.com/wxpaykit/wxpay/wxsim"
)

// world is WeChat, a store, and tills at both. It has no sockets, so that it
// can live in a bubble of testing/synctest, where time is free.
type world struct {
	t     *testing.T
	sim   *wxsim.Sim
	store *slowStore
	start time.Time

	mu      sync.Mutex
	settled []string
	before  func(path string) // called before a request reaches WeChat
	after   func(path string) // called when WeChat has done it, before its answer is there
}

// inWorld runs a test in a bubble with a world of its own.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim, err := wxsim.New(wxsim.Config{Seed: 1, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		test(t, &world{t: t, sim: sim, store: &slowStore{Store: memory.New()}, start: time.Now()})
	})
}

// RoundTrip carries a request to WeChat, on the caller's goroutine.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	before, after := w.before, w.after
	w.mu.Unlock()
	if before != nil {
		before(r.URL.Path)
	}
	rec := httptest.NewRecorder()
	in := r.Clone(r.Context())
	in.RequestURI = r.URL.RequestURI()
	w.sim.ServeHTTP(rec, in)
	if after != nil {
		after(r.URL.Path)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// onTheWay sets what happens before each request reaches WeChat.
func (w *world) onTheWay(before func(path string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before = before
}

// till is one process.
func (w *world) till(change ...func(*till.Config)) *till.Till {
	w.t.Helper()
	acct := w.sim.Account()
	key, err := wxcrypto.ParsePrivateKey([]byte(acct.PrivateKeyPEM))
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := wxcrypto.ParsePublicKey(acct.PublicKeyID, []byte(acct.PublicKeyPEM))
	if err != nil {
		w.t.Fatal(err)
	}
	apiv3, err := wxcrypto.ParseAPIv3Key(acct.APIv3Key)
	if err != nil {
		w.t.Fatal(err)
	}
	api, err := wxapi.New(wxapi.Config{
		Signer: wxcrypto.Signer{MchID: acct.MchID, SerialNo: acct.SerialNo, Key: key},
		Keys:   wxcrypto.NewKeySet(public), APIv3Key: apiv3,
		BaseURL: "http://127.0.0.1", HTTPClient: &http.Client{Transport: w}, Now: time.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := till.Config{
		Store: w.store, API: till.V3{Client: api}, NotifyURL: "https://shop.example.com/pay/notify", Now: time.Now,
		Settled: func(_ context.Context, s till.Settlement) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.settled = append(w.settled, fmt.Sprint(s.Source, ": ", s.Outcome, " ", s.Order.OutTradeNo))
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	return till.New(cfg)
}

func (w *world) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.settled)
}

// draft is an order that nobody has stored yet.
func (w *world) draft(no string, change ...func(*orderstore.Order)) orderstore.Order {
	acct, now := w.sim.Account(), time.Now()
	o := orderstore.Order{
		OutTradeNo: no, UserID: "u1", GoodsID: "vip-month", Description: "1个月会员", Total: 100, Currency: orderstore.CNY,
		Product: orderstore.Native, MchID: acct.MchID, AppID: acct.AppID,
		ExpiresAt: now.Add(30 * time.Minute), CreatedAt: now, UpdatedAt: now,
	}
	for _, c := range change {
		c(&o)
	}
	return o
}

func (w *world) stored(no string) orderstore.Order {
	w.t.Helper()
	o, err := w.store.Store.Get(context.Background(), no)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

func (w *world) history(no string) []orderstore.EventKind {
	w.t.Helper()
	events, err := w.store.Events(context.Background(), no)
	if err != nil {
		w.t.Fatal(err)
	}
	var kinds []orderstore.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// elapsed is how long the test has run, in its own time.
func (w *world) elapsed() time.Duration { return time.Since(w.start) }

// place places an order that is sold from now on.
func (w *world) place(t *till.Till, no string, change ...func(*orderstore.Order)) orderstore.Order {
	w.t.Helper()
	o, err := t.Place(w.t.Context(), w.draft(no, change...))
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// slowStore calls its hook before each call: to wait, or to fail.
type slowStore struct {
	orderstore.Store
	mu   sync.Mutex
	hook func(call string) error
}

func (s *slowStore) set(hook func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

func (s *slowStore) call(name string) error {
	s.mu.Lock()
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(name)
}

func (s *slowStore) Create(ctx context.Context, o orderstore.Order) error {
	if err := s.call("create"); err != nil {
		return err
	}
	return s.Store.Create(ctx, o)
}

func (s *slowStore) Get(ctx context.Context, no string) (orderstore.Order, error) {
	if err := s.call("get"); err != nil {
		return orderstore.Order{}, err
	}
	return s.Store.Get(ctx, no)
}

func (s *slowStore) Save(ctx context.Context, o orderstore.Order) error {
	if err := s.call("save"); err != nil {
		return err
	}
	return s.Store.Save(ctx, o)
}

func (s *slowStore) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	if err := s.call("find"); err != nil {
		return nil, err
	}
	return s.Store.Find(ctx, ref)
}

var errDown = errors.New("store is down")

// payment is WeChat's word that an order was paid.
func payment(o orderstore.Order, change ...func(*orderstore.Payment)) orderstore.Payment {
	p := orderstore.Payment{
		Source: orderstore.FromNotification, OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID,
		TradeState: orderstore.TradeSuccess, TransactionID: "4200001234", Total: o.Total, PayerTotal: o.Total, Currency: orderstore.CNY, PaidAt: time.Now(),
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

// TestSettle: one door for every fact, and what it says to whom.
func TestSettle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*orderstore.Payment)
		field  string // of the mismatch
		heard  string
		status orderstore.PayStatus
	}{
		{"paid", func(*orderstore.Payment) {}, "", "paid", orderstore.Paid},
		{"refunded since", func(p *orderstore.Payment) { p.TradeState = orderstore.TradeRefund }, "", "paid", orderstore.Paid},
		{"closed", func(p *orderstore.Payment) { p.TradeState = orderstore.TradeClosed }, "", "closed", orderstore.Closed},
		{"not paid", func(p *orderstore.Payment) { p.TradeState = orderstore.TradeNotPay }, "", "", orderstore.Unpaid},
		{"a word nobody knows", func(p *orderstore.Payment) { p.TradeState = "PONDERING" }, "", "", orderstore.Unpaid},
		{"other amount", func(p *orderstore.Payment) { p.Total = 99 }, "amount.total", "mismatch", orderstore.Unpaid},
		{"other currency", func(p *orderstore.Payment) { p.Currency = "USD" }, "amount.currency", "mismatch", orderstore.Unpaid},
		{"other app", func(p *orderstore.Payment) { p.AppID = "wx0" }, "appid", "mismatch", orderstore.Unpaid},
		{"other merchant", func(p *orderstore.Payment) { p.MchID = "1" }, "mchid", "mismatch", orderstore.Unpaid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inWorld(t, func(t *testing.T, w *world) {
				tl := w.till()
				o := w.place(tl, "order-1")
				for range 2 { // the second time is no news, but a mismatch stays one
					got, err := tl.Settle(t.Context(), payment(o, c.change))
					var mismatch *orderstore.MismatchError
					switch {
					case c.field == "" && err != nil:
						t.Errorf("error %v", err)
					case c.field != "" && (!errors.As(err, &mismatch) || mismatch.Field != c.field):
						t.Errorf("error %v, want a mismatch of %s", err, c.field)
					}
					if got.PayStatus != c.status || w.stored("order-1").PayStatus != c.status {
						t.Errorf("order is %v, stored %v", got.PayStatus, w.stored("order-1").PayStatus)
					}
				}
				heard := w.heard()
				if c.heard == "" && len(heard) != 0 || c.heard != "" && (len(heard) == 0 || heard[0] != "notification: "+c.heard+" order-1") {
					t.Errorf("heard %q", heard)
				}
				if c.field == "" && len(heard) > 1 {
					t.Errorf("heard %q", heard)
				}
				wantEvents := 3
				if c.heard == "" {
					wantEvents = 2
				}
				if got := w.history("order-1"); len(got) != wantEvents {
					t.Errorf("history %v", got)
				}
			})
		})
	}
}

// TestSettleTroubles: the order that is not there, the store that is not, and
// the store that somebody else is quicker at.
func TestSettleTroubles(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tl := w.till()
		o := w.place(tl, "order-1")
		unknown := o
		unknown.OutTradeNo = "order-2"
		if _, err := tl.Settle(t.Context(), payment(unknown)); !errors.Is(err, orderstore.ErrNotFound) || errors.Is(err, till.ErrStore) {
			t.Errorf("unknown order: %v", err)
		}
		for _, call := range []string{"get", "save"} {
			w.store.set(func(c string) error {
				if c == call {
					return errDown
				}
				return nil
			})
			if _, err := tl.Settle(t.Context(), payment(o)); !errors.Is(err, till.ErrStore) || !errors.Is(err, errDown) {
				t.Errorf("%s fails: %v", call, err)
			}
		}
		if got := w.heard(); len(got) != 0 || w.stored("order-1").PayStatus != orderstore.Unpaid {
			t.Errorf("heard %q though nothing is stored", got)
		}
		conflicts := 3
		w.store.set(func(c string) error {
			if c == "save" && conflicts > 0 {
				conflicts--
				return orderstore.ErrConflict
			}
			return nil
		})
		if got, err := tl.Settle(t.Context(), payment(o)); err != nil || got.PayStatus != orderstore.Paid || conflicts != 0 {
			t.Errorf("after conflicts: %v, %v", got.PayStatus, err)
		}
		if got := w.heard(); !slices.Equal(got, []string{"notification: paid order-1"}) {
			t.Errorf("heard %q", got)
		}
	})
}

// TestSettleAtOnce: one payment, told from all sides at the same time, is one.
func TestSettleAtOnce(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		tills := []*till.Till{w.till(), w.till()}
		o := w.place(tills[0], "order-1")
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				if got, err := tills[i%2].Settle(t.Context(), payment(o)); err != nil || got.PayStatus != orderstore.Paid {
					t.Errorf("%v, %v", got.PayStatus, err)
				}
			})
		}
		all.Wait()
		if got := w.heard(); !slices.Equal(got, []string{"notification: paid order-1"}) {
			t.Errorf("heard %q", got)
		}
		if got := w.history("order-1"); len(got) != 3 {
			t.Errorf("history %v", got)
		}
	})
}

// TestPaymentOf keeps what decides about money, and nothing is mixed up.
func TestPaymentOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got := till.PaymentOf(wxapi.Transaction{
		AppID: "wx1", MchID: "16", OutTradeNo: "order-1", TransactionID: "42", TradeState: "SUCCESS", SuccessTime: at,
		Amount: wxapi.TransactionAmount{Total: 100, PayerTotal: 90, Currency: "CNY", PayerCurrency: "USD"},
	}, orderstore.FromQuery)
	want := orderstore.Payment{
		Source: orderstore.FromQuery, OutTradeNo: "order-1", MchID: "16", AppID: "wx1", TradeState: "SUCCESS", TransactionID: "42",
		Total: 100, PayerTotal: 90, Currency: "CNY", PaidAt: at,
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestNumber: the names of orders that a wish gives are for ever. An upgrade
// that changed them would make second orders of old wishes.
func TestNumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"key", "u1", "k1"}, "ktmr5v2y3bep85g6pgn5yzetdets22gc"},
		{[]string{"ref", "cart-1", "0"}, "kz55atcga2778ejyp7b44xhbhyaj1wex"},
		{nil, "kwerc8gmrzge196qvyk49jvxs4gktwgf"},
	} {
		if got := till.Number(c.parts...); got != c.want || !orderstore.ValidNumber(got) || len(got) != 32 {
			t.Errorf("%q: %s, want %s", c.parts, got, c.want)
		}
	}
	seen := make(map[string][]string)
	for _, parts := range [][]string{
		{"key", "u1", "k1"}, {"key", "u1k1", ""}, {"key", "", "u1k1"}, {"key", "u1", "k", "1"}, {"keyu1k1"}, {"ref", "u1", "k1"},
		{"key", "u1", "K1"}, {"key", "1:u", "k1"}, {"3:key2:u12:k1"}, {}, {""}, {"", ""},
	} {
		no := till.Number(parts...)
		if other, taken := seen[no]; taken {
			t.Errorf("%q and %q have one number", parts, other)
		}
		seen[no] = parts
		if strings.ContainsAny(no, "ilou") || strings.ToLower(no) != no {
			t.Errorf("%s has letters that people confuse", no)
		}
	}
}
