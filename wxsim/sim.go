package wxsim

import (
	"cmp"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Sim is one fake WeChat Pay with one merchant account. It is an
// [http.Handler] that serves the API, the controls under /_sim/ and the phone
// page. All methods may be called concurrently.
type Sim struct {
	keys       *keyring
	log        *slog.Logger
	notify     *http.Client
	conf       Config
	mux        http.Handler
	misuse     func(format string, args ...any) // where a wrong Fault goes: the log, or the test
	closed     chan struct{}
	once       sync.Once
	background sync.WaitGroup // sends that no call waits for

	advancing sync.Mutex // one Advance at a time; held while sending, so never needed by a call

	mu     sync.Mutex // guards what follows; never held while sending or sleeping
	url    string
	clock  clock
	dice   *rand.Rand // faults with a rate
	orders map[string]*order
	placed []string          // out_trade_no in order of creation
	paid   map[string]string // transaction_id -> out_trade_no
	codes  map[string]string // live prepay_id, code_url -> out_trade_no

	refunds   map[string]*refund
	refunded  []string          // out_refund_no in order of acceptance
	refundIDs map[string]string // refund_id -> out_refund_no
	fates     []string          // decided about refunds to come
	penniless bool              // the merchant's account is empty

	refundCallback string               // configured on the merchant platform
	logins         map[string]loginCode // by code
	loginsMade     int

	bills     map[string]billFile // token -> bill applied for
	billsMade int

	queue    schedule
	flying   map[*delivery]uint64 // notifications being sent, with their takeOffs
	takeOffs uint64
	held     []*delivery   // by the reorder fault
	changed  chan struct{} // closed and replaced when queue or flying change
	sent     []Sent
	faults   []*faultRule
	rotation int // newest platform certificate in use
	rotating bool
	calls    journal
}

// New builds a simulator. It starts no goroutine and opens no socket.
func New(conf Config) (*Sim, error) {
	conf = conf.withDefaults()
	keys, err := keyringOf(conf.Seed)
	if err != nil {
		return nil, fmt.Errorf("wxsim: %w", err)
	}
	s := &Sim{
		keys:      keys,
		log:       conf.Logger,
		notify:    conf.NotifyClient,
		conf:      conf,
		closed:    make(chan struct{}),
		clock:     clock{header: conf.Now},
		dice:      rand.New(stream(keys.seed, "dice")),
		orders:    map[string]*order{},
		paid:      map[string]string{},
		codes:     map[string]string{},
		refunds:   map[string]*refund{},
		refundIDs: map[string]string{},
		logins:    map[string]loginCode{},
		bills:     map[string]billFile{},
		flying:    map[*delivery]uint64{},
		changed:   make(chan struct{}),
		calls:     journal{counts: map[string]int{}},
	}
	s.misuse = func(format string, args ...any) { s.log.Error(fmt.Sprintf(format, args...)) }
	s.mux = s.routes()
	return s, nil
}

// ServeHTTP answers as WeChat Pay, as its controls and as the customer's phone.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close lets go of answers that a timeout fault is holding back and of idle
// connections, and waits for sends that are under way. The simulator still
// answers afterwards; only stop the server around it for that.
func (s *Sim) Close() {
	s.mu.Lock()
	s.once.Do(func() { close(s.closed) })
	s.mu.Unlock()
	s.background.Wait()
	s.notify.CloseIdleConnections()
}

// URL is the base of the API, without a slash at the end. It is empty until
// Start or SetURL says where the simulator is served.
func (s *Sim) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// base is the URL a client reached the simulator by, unless it was set. The
// caller holds mu.
func (s *Sim) base(r *http.Request) string { return cmp.Or(s.url, "http://"+r.Host) }

// SetURL says where the simulator is served; h5_url and download_url begin
// with it.
func (s *Sim) SetURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = base
}

// Account returns the merchant's identities and keys. A public-key merchant
// has no platform certificate.
func (s *Sim) Account() Account {
	a := s.keys.account
	if s.conf.PublicKeyOnly {
		return a
	}
	if signer, err := s.keys.platformSigner(s.newestPlatform()); err == nil {
		a.PlatformSerial, a.PlatformCertPEM = signer.serial, signer.pem
	}
	return a
}

// Now is the business time.
func (s *Sim) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock.now().In(beijing)
}

// Orders returns a copy of every order, oldest first.
func (s *Sim) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	out := make([]Order, 0, len(s.placed))
	for _, no := range s.placed {
		o := s.orders[no]
		o.settle(now)
		out = append(out, o.Order)
	}
	return out
}

// Order returns a copy of one order.
func (s *Sim) Order(outTradeNo string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.find(outTradeNo)
	if !ok {
		return Order{}, false
	}
	return o.Order, true
}

// find returns the live order, settled to the present. The caller holds mu.
func (s *Sim) find(outTradeNo string) (*order, bool) {
	o, ok := s.orders[outTradeNo]
	if ok {
		o.settle(s.clock.now())
	}
	return o, ok
}
