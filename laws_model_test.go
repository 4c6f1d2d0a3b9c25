package wxpay_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
	"github.com/wxpaykit/wxpay/wxsim"
)

// history is one random life of a shop: some processes with the kit on one
// store, the simulator, and its customers. It is lived in a synctest bubble, so
// that hours pass in no time and quiet can be waited for; HTTP goes through
// pipes, because a bubble's clock stands still while a socket is read.
type history struct {
	rt        *rapid.T
	start     time.Time
	store     orderstore.Store // what is durable
	sim       *wxsim.Sim
	apiv3     wxcrypto.APIv3Key
	options   wxpay.Options
	processes []*process
	client    *http.Client  // of the customers
	weChat    *http.Client  // of the kits, to the simulator
	platform  *wxapi.Client // of the merchant's people, to the simulator
	notifier  *http.Client  // of the simulator, to the kits
	desk      *http.Client  // of the platform
	closers   []func()
	dead      []func()     // wait for processes that died
	turn      atomic.Int64 // which process gets the next request
	issued    atomic.Int64 // order numbers
	refusals  atomic.Int64 // calls that a store refused
	storming  bool         // operations overlap
	checked   int          // calls of the simulator that were looked at
	road      road         // to WeChat

	mu       sync.Mutex
	broken   []string       // laws, as seen from other goroutines
	numbers  []string       // of all orders, in the order they were stored
	prices   map[string]int // of the carts
	hookDown int            // calls of OnPaid that fail
	hookSlow time.Duration
	handing  map[string]int         // calls of OnPaid under way
	granted  map[string]int         // how often it returned nil
	excused  map[string]int         // how often it may have to do so again
	kept     []mail                 // genuine notifications, to be sent again
	keyed    map[string]string      // Idempotency-Key of a user to number
	paid     map[string]wxpay.Order // as first seen paid
	last     map[string]wxpay.Order // as last seen
	events   map[string][]orderstore.Event
	bodies   map[string]string // of the first prepay
	early    map[string]bool   // orders closed here as if WeChat had said so
	calling  map[string]int    // calls of WeChat under way
	refunds  refundBook
}

// process is one kit that runs.
type process struct {
	store  *faltering
	kit    *wxpay.Kit
	stop   func() // waits
	cancel func()
}

const simURL, shopURL = "http://127.0.0.1:81", "http://127.0.0.1:82"

// begin opens the shop, with store for what is durable.
func begin(rt *rapid.T, store orderstore.Store) *history {
	h := &history{
		rt: rt, store: store, start: time.Now(), prices: map[string]int{},
		handing: map[string]int{}, granted: map[string]int{}, excused: map[string]int{}, early: map[string]bool{}, calling: map[string]int{}, refunds: newRefundBook(),
		keyed: map[string]string{}, paid: map[string]wxpay.Order{}, last: map[string]wxpay.Order{},
		events: map[string][]orderstore.Event{}, bodies: map[string]string{},
	}
	shop := newPipe()
	bank := newPipe()
	h.client, h.notifier, h.desk = shop.client(), shop.client(), bank.client()
	delay := rapid.SampledFrom([]time.Duration{5 * time.Second, time.Second, -1}).Draw(rt, "refunds take") // before the answer, too
	sim, err := wxsim.New(wxsim.Config{Seed: 1, Now: time.Now, PublicKeyOnly: true, NotifyClient: h.notifier, RefundDelay: delay})
	if err != nil {
		rt.Fatal(err)
	}
	h.sim = sim
	sim.SetURL(simURL)
	h.road.RoundTripper = bank.client().Transport
	h.road.h = h
	h.weChat = &http.Client{Transport: &h.road}
	h.closers = append(h.closers, bank.serve(sim), shop.serve(h))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = sim.Run(ctx) }()
	h.closers = append(h.closers, cancel)
	h.apiv3, err = wxcrypto.ParseAPIv3Key(sim.Account().APIv3Key)
	if err != nil {
		rt.Fatal(err)
	}
	if h.platform, err = h.newPlatform(h.desk); err != nil {
		rt.Fatal(err)
	}
	h.options = h.newOptions()
	for range rapid.IntRange(1, 2).Draw(rt, "processes") {
		p := new(process)
		h.processes = append(h.processes, p)
		h.boot(p)
	}
	return h
}

func (h *history) newOptions() wxpay.Options {
	acct := h.sim.Account()
	return wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: acct.MchID, CertSerial: acct.SerialNo, PrivateKey: acct.PrivateKeyPEM, APIv3Key: acct.APIv3Key,
			PublicKeyID: acct.PublicKeyID, PublicKey: acct.PublicKeyPEM,
			AppID: acct.AppID, AppIDApp: acct.AppIDApp, AppIDJSAPI: acct.AppIDJSAPI, APIBase: simURL,
		},
		NotifyURL:       shopURL + "/pay/notify",
		Identify:        func(r *http.Request) (string, error) { return r.Header.Get("X-User"), nil },
		Quote:           h.quote,
		OnPaid:          h.onPaid,
		OnRefunded:      h.onRefunded,
		AuthorizeRefund: authorizeRefund,
		LatePayment:     rapid.SampledFrom([]wxpay.LatePayment{wxpay.AcceptLate, wxpay.RefundLate}).Draw(h.rt, "late payment"),
		ClientIP:        func(*http.Request) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, 7}) },
		HTTPClient:      h.weChat,
		Logger:          slog.New(slog.DiscardHandler),
		OrderTTL:        rapid.SampledFrom([]time.Duration{30 * time.Minute, 30 * time.Minute, 2 * time.Minute, 3 * time.Hour}).Draw(h.rt, "time to pay"),
		// Rarely, so that an hour is over soon.
		RunInterval: 20 * time.Second,
		// Every fourth number is taken already.
		OrderNumber: func(string, time.Time) string {
			n := h.issued.Add(1)
			if n%4 == 0 {
				n--
			}
			return fmt.Sprintf("order-%03d", n)
		},
	}
}

// die ends a process where it stands: nothing that it does from now on is
// stored. Another takes its place.
func (h *history) die(p *process) {
	p.store.falter(0, 1<<30, false)
	p.cancel()
	h.dead = append(h.dead, p.stop)
	p.stop = nil
	h.boot(p)
}

// boot starts a process, or replaces one that is stopped in good order.
func (h *history) boot(p *process) {
	if p.stop != nil {
		p.stop()
	}
	o := h.options
	store := &faltering{Store: h.store, h: h}
	o.Store = store
	kit, err := wxpay.New(o)
	if err != nil {
		h.rt.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = kit.Run(ctx) })
	h.mu.Lock()
	defer h.mu.Unlock()
	p.store, p.kit, p.cancel = store, kit, cancel
	p.stop = func() { cancel(); run.Wait() }
}

// end stops everything that was started.
func (h *history) end() {
	h.sim.ClearFaults()
	time.Sleep(2 * time.Minute) // what is still on its way arrives: a bubble must be empty when it ends
	for _, p := range h.processes {
		p.stop()
	}
	for _, wait := range h.dead {
		wait()
	}
	for _, c := range []*http.Client{h.desk, h.client, h.weChat, h.notifier} {
		defer c.CloseIdleConnections()
	}
	for _, stop := range h.closers {
		stop()
	}
	h.sim.Close()
}

// violate remembers that a law was broken; see [history.check].
func (h *history) violate(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = append(h.broken, fmt.Sprintf(format, args...))
}
