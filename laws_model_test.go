package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
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
	client    *http.Client // of the customers
	weChat    *http.Client // of the kits, to the simulator
	notifier  *http.Client // of the simulator, to the kits
	closers   []func()
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
	signed   map[string][]string    // second transactions by order
	kept     []mail                 // genuine notifications, to be sent again
	keyed    map[string]string      // Idempotency-Key of a user to number
	paid     map[string]wxpay.Order // as first seen paid
	last     map[string]wxpay.Order // as last seen
	events   map[string][]orderstore.Event
	bodies   map[string]string // of the first prepay
}

// mail is a notification as it was sent.
type mail struct {
	header http.Header
	body   []byte
	no     string
}

// process is one kit that runs.
type process struct {
	store *faltering
	kit   *wxpay.Kit
	stop  func()
}

const simURL, shopURL = "http://127.0.0.1:81", "http://127.0.0.1:82"

// begin opens the shop, with store for what is durable.
func begin(rt *rapid.T, store orderstore.Store) *history {
	h := &history{
		rt: rt, store: store, start: time.Now(), prices: map[string]int{},
		handing: map[string]int{}, granted: map[string]int{}, excused: map[string]int{}, signed: map[string][]string{},
		keyed: map[string]string{}, paid: map[string]wxpay.Order{}, last: map[string]wxpay.Order{},
		events: map[string][]orderstore.Event{}, bodies: map[string]string{},
	}
	shop := newPipe()
	h.client, h.notifier = shop.client(), shop.client()
	sim, err := wxsim.New(wxsim.Config{Seed: 1, Now: time.Now, PublicKeyOnly: true, NotifyClient: h.notifier})
	if err != nil {
		rt.Fatal(err)
	}
	h.sim = sim
	sim.SetURL(simURL)
	bank := newPipe()
	h.road.RoundTripper = bank.client().Transport
	h.weChat = &http.Client{Transport: &h.road}
	h.closers = append(h.closers, bank.serve(sim), shop.serve(h))
	ctx, cancel := context.WithCancel(context.Background())
	go func() { _ = sim.Run(ctx) }()
	h.closers = append(h.closers, cancel)
	h.apiv3, err = wxcrypto.ParseAPIv3Key(sim.Account().APIv3Key)
	if err != nil {
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
		NotifyURL:  shopURL + "/pay/notify",
		Identify:   func(r *http.Request) (string, error) { return r.Header.Get("X-User"), nil },
		Quote:      h.quote,
		OnPaid:     h.onPaid,
		ClientIP:   func(*http.Request) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, 7}) },
		HTTPClient: h.weChat,
		Logger:     slog.New(slog.DiscardHandler),
		OrderTTL:   rapid.SampledFrom([]time.Duration{30 * time.Minute, 30 * time.Minute, 2 * time.Minute, 3 * time.Hour}).Draw(h.rt, "time to pay"),
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
	p.store, p.kit = store, kit
	p.stop = func() { cancel(); run.Wait() }
}

// end stops everything that was started.
func (h *history) end() {
	h.sim.ClearFaults()
	time.Sleep(2 * time.Minute) // what is still on its way arrives: a bubble must be empty when it ends
	for _, p := range h.processes {
		p.stop()
	}
	for _, c := range []*http.Client{h.client, h.weChat, h.notifier} {
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

// quote prices carts as they are now, and goods by the catalogue.
func (h *history) quote(ctx context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
	if q.OrderRef == "" {
		return catalog.Quote(ctx, q)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return wxpay.Quote{Total: orderstore.Fen(cartPrice + h.prices[q.OrderRef]), Description: "购物车", Ref: q.OrderRef}, nil
}

// cartPrice is what a cart costs at first; each change makes it a fen dearer.
const cartPrice = 250

// onPaid is the app: sometimes down, sometimes slow.
func (h *history) onPaid(ctx context.Context, o wxpay.Order) error {
	h.mu.Lock()
	h.handing[o.OutTradeNo]++
	twice := h.handing[o.OutTradeNo] > 1
	down, slow := h.hookDown > 0, h.hookSlow
	h.hookDown = max(0, h.hookDown-1)
	h.mu.Unlock()
	if twice {
		h.violate("law 6: %s is handed over twice at the same time", o.OutTradeNo)
	}
	if s, err := h.store.Get(ctx, o.OutTradeNo); err != nil || s.PayStatus != orderstore.Paid || s.TransactionID != o.TransactionID {
		h.violate("law 6: %s is handed over, but the store has %v %q, %v", o.OutTradeNo, s.PayStatus, s.TransactionID, err)
	}
	time.Sleep(slow)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.handing[o.OutTradeNo]--
	if down {
		return errors.New("the membership service is down")
	}
	h.granted[o.OutTradeNo]++
	return nil
}

// ServeHTTP takes the requests to the shop in turn. A notification is watched:
// what it speaks of must be durable when it is acknowledged.
func (h *history) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	kit := h.processes[int(h.turn.Add(1))%len(h.processes)].kit
	h.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/notify") {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		w = &watched{w, func() { h.acknowledged(body) }}
	}
	kit.ServeHTTP(w, r)
}

type watched struct {
	http.ResponseWriter
	acknowledged func()
}

func (w *watched) WriteHeader(status int) {
	if status < 300 {
		w.acknowledged()
	}
	w.ResponseWriter.WriteHeader(status)
}

// acknowledged looks into the store at the moment of a 2xx to WeChat.
func (h *history) acknowledged(body []byte) {
	var sealed struct{ Resource wxcrypto.Resource }
	var tx struct {
		OutTradeNo    string `json:"out_trade_no"`
		TransactionID string `json:"transaction_id"`
	}
	err := json.Unmarshal(body, &sealed)
	if err == nil {
		var plaintext []byte
		if plaintext, err = h.apiv3.Open(sealed.Resource); err == nil {
			err = json.Unmarshal(plaintext, &tx)
		}
	}
	if err != nil {
		h.violate("an unreadable notification was acknowledged: %v", err)
		return
	}
	o, err := h.store.Get(context.Background(), tx.OutTradeNo)
	if err != nil || o.PayStatus != orderstore.Paid || o.TransactionID != tx.TransactionID && !strings.Contains(o.Anomaly, tx.TransactionID) {
		h.violate("transaction %s of %s was acknowledged, but the store has %v %q, %v", tx.TransactionID, tx.OutTradeNo, o.PayStatus, o.TransactionID, err)
	}
}

// faltering is one process's way to the store: it breaks when a test wants it.
type faltering struct {
	orderstore.Store
	h *history

	mu         sync.Mutex
	skip, fail int  // calls that go well, and calls that fail after them
	late       bool // what fails was done, only the word of it is lost
}

var errFalters = errors.New("the connection to the database broke")

func (f *faltering) falter(skip, fail int, late bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.skip, f.fail, f.late = skip, fail, late
}

func (f *faltering) do(no string, op func() error) error {
	f.mu.Lock()
	fails, late := f.skip == 0 && f.fail > 0, f.late
	if fails {
		f.fail--
	}
	f.skip = max(0, f.skip-1)
	f.mu.Unlock()
	if !fails {
		return op()
	}
	if late {
		_ = op()
	}
	f.h.refusals.Add(1)
	f.h.mu.Lock()
	defer f.h.mu.Unlock()
	if f.h.granted[no] > 0 { // that it was handed over may not have been written down
		f.h.excused[no]++
	}
	return errFalters
}

func (f *faltering) Create(ctx context.Context, o orderstore.Order) error {
	return f.do(o.OutTradeNo, func() error {
		err := f.Store.Create(ctx, o)
		if err == nil {
			f.h.mu.Lock()
			defer f.h.mu.Unlock()
			f.h.numbers = append(f.h.numbers, o.OutTradeNo)
		}
		return err
	})
}

func (f *faltering) Get(ctx context.Context, no string) (o orderstore.Order, err error) {
	err = f.do(no, func() (err error) { o, err = f.Store.Get(ctx, no); return err })
	return o, err
}

func (f *faltering) Save(ctx context.Context, o orderstore.Order) error {
	return f.do(o.OutTradeNo, func() error { return f.Store.Save(ctx, o) })
}

func (f *faltering) Find(ctx context.Context, ref string) (found []orderstore.Order, err error) {
	err = f.do("", func() (err error) { found, err = f.Store.Find(ctx, ref); return err })
	return found, err
}

// road is the way to WeChat. Now and then it is long: a request arrives late,
// and even after whoever sent it has given up; or, where the time is negative,
// the answer comes late.
type road struct {
	http.RoundTripper
	mu   sync.Mutex
	long []time.Duration // of the next requests
}

func (r *road) lengthen(long ...time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.long = long
}

func (r *road) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	var long time.Duration
	if len(r.long) > 0 {
		long, r.long = r.long[0], r.long[1:]
	}
	r.mu.Unlock()
	if long <= 0 {
		resp, err := r.RoundTripper.RoundTrip(req)
		time.Sleep(-long)
		return resp, err
	}
	select {
	case <-time.After(long):
		return r.RoundTripper.RoundTrip(req)
	case <-req.Context().Done():
	}
	late := req.Clone(context.WithoutCancel(req.Context()))
	late.Body, _ = req.GetBody()
	go func() {
		time.Sleep(long / 2)
		if resp, err := r.RoundTripper.RoundTrip(late); err == nil {
			_ = resp.Body.Close()
		}
	}()
	return nil, req.Context().Err()
}

func (r *road) CloseIdleConnections() {
	if c, ok := r.RoundTripper.(*http.Transport); ok {
		c.CloseIdleConnections()
	}
}

// pipe is a network of one server, without sockets.
type pipe struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipe() *pipe { return &pipe{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipe) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (p *pipe) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipe) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: p.dial, MaxIdleConnsPerHost: 16}}
}

// serve serves handler until the function returned is called.
func (p *pipe) serve(handler http.Handler) (stop func()) {
	server := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(p) }()
	return func() { _ = server.Close() }
}
