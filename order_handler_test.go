package wxpay_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// changes collects what Hooks.Settled is told.
type changes struct {
	mu   sync.Mutex
	said []string
}

func (c *changes) hook(o *wxpay.Options) {
	o.Hooks.Settled = func(_ context.Context, i wxpay.SettledInfo) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.said = append(c.said, fmt.Sprint(i.Source, ": ", i.Outcome, " ", i.Order.OutTradeNo, " ", i.Anomaly(), " ", i.Err != nil))
	}
}

func (c *changes) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.said)
}

// status asks for an order as its owner.
func (s *shop) status(no string) order {
	s.t.Helper()
	return s.do("GET", "/pay/orders/"+no, "u1", "").order(s.t)
}

// TestOrderAnswer pins what front ends are told, before and after payment.
func TestOrderAnswer(t *testing.T) {
	t.Parallel()
	at := time.Now().UTC().Truncate(time.Second)
	s := open(t, func(o *wxpay.Options) { o.Now = func() time.Time { return at } })
	placed := s.do("POST", "/pay/prepay/native", "u1", cart("cart-7")).order(t)
	expire := at.Add(30 * time.Minute).In(time.FixedZone("", 8*3600)).Format(time.RFC3339)
	r := s.do("GET", "/pay/orders/"+placed.OutTradeNo, "u1", "")
	want := `{"code":200,"data":{"out_trade_no":"` + placed.OutTradeNo + `","order_ref":"cart-7","description":"购物车7","product":"native",` +
		`"pay_status":0,"pay_status_des":"已下单,未支付","trade_state":"NOTPAY","total":250,"amount":"2.50元","refunded":0,"pay_time":"","trade_no":"",` +
		`"time_expire":"` + expire + `"},"msg":"成功"}` + "\n"
	if r.status != 200 || r.raw != want {
		t.Errorf("unpaid:\n%s, want\n%s", r.raw, want)
	}
	s.pay(placed.OutTradeNo)
	o := s.stored(placed.OutTradeNo)
	weChats, _ := s.sim.Order(placed.OutTradeNo)
	r = s.do("GET", "/pay/orders/"+placed.OutTradeNo, "u1", "", "Accept-Language", "en")
	want = `{"code":200,"data":{"out_trade_no":"` + placed.OutTradeNo + `","order_ref":"cart-7","description":"购物车7","product":"native",` +
		`"pay_status":1,"pay_status_des":"支付成功","trade_state":"SUCCESS","total":250,"amount":"2.50元","refunded":0,` +
		`"pay_time":"` + weChats.PaidAt.In(time.FixedZone("", 8*3600)).Format("2006-01-02 15:04:05") + `","trade_no":"` + weChats.TransactionID + `",` +
		`"time_expire":"` + expire + `"},"msg":"OK"}` + "\n"
	if r.raw != want || o.TransactionID != weChats.TransactionID {
		t.Errorf("paid:\n%s, want\n%s", r.raw, want)
	}
}

// TestOrderBecomesPaidByAsking: no notification ever comes, and the customer
// gets what was paid for all the same.
func TestOrderBecomesPaidByAsking(t *testing.T) {
	t.Parallel()
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			heard := new(changes)
			s := open(t, heard.hook)
			no := s.buy(p.name, "u1").OutTradeNo
			if err := s.sim.PayQuietly(no); err != nil {
				t.Fatal(err)
			}
			if o := s.status(no); o.PayStatus != 1 || o.TradeState != "SUCCESS" || o.TradeNo == "" || o.Stale {
				t.Fatalf("status: %+v", o)
			}
			eventually(t, "the order is handed over", func() bool { return !s.stored(no).HandedOverAt.IsZero() })
			for range 3 { // what is paid is asked for no more
				s.clock.advance(time.Minute)
				s.status(no)
			}
			if s.grants.count(no) != 1 || s.sim.Requests("query") != 1 || len(s.sim.Notifications()) != 0 {
				t.Errorf("%d grants, %d queries", s.grants.count(no), s.sim.Requests("query"))
			}
			want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventPaid, orderstore.EventHandedOver}
			if got := s.events(no); !slices.Equal(got, want) {
				t.Errorf("history %v", got)
			}
			if got := heard.all(); !slices.Equal(got, []string{"query: paid " + no + " false false"}) {
				t.Errorf("hooks heard %q", got)
			}
		})
	}
}

// TestPollingAtOnce: any number of pages that poll one order are one question,
// and no page is told "not paid" without WeChat having been asked.
func TestPollingAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	s.sim.Fault(wxsim.Fault{Target: "query", Fault: "slow", Delay: 300 * time.Millisecond, Count: 1})
	var answers [64]order
	together(len(answers), func(i int) { answers[i] = s.status(no) })
	wrong := 0
	for _, o := range answers {
		if o.PayStatus != 1 && !o.Stale {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d were told that a paid order is not paid, as if WeChat had said so", wrong, len(answers))
	}
	if n := s.sim.Requests("query"); n != 1 {
		t.Errorf("%d queries", n)
	}
	if o := s.status(no); o.PayStatus != 1 {
		t.Errorf("afterwards: %+v", o)
	}
}

// TestOrderPaidMeanwhile: the notification comes between the moment a poll has
// read the order and the moment it is answered without asking.
func TestOrderPaidMeanwhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		polls   func(s *shop, no string) // before, so that the next poll is not worth a question
		queries int
	}{
		{"asked just now", func(s *shop, no string) { s.status(no) }, 1},
		{"the budget is used up", func(s *shop, _ string) { s.status(s.buy("native", "u1").OutTradeNo) }, 1},
		{"about to ask", func(*shop, string) {}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			late := new(afterGet)
			s := open(t, newFrozen().use, func(o *wxpay.Options) { late.Store, o.Store, o.AskRate = o.Store, late, 1 })
			no := s.buy("native", "u1").OutTradeNo
			c.polls(s, no)
			pay := func() { s.pay(no) }
			late.do.Store(&pay)
			if o := s.status(no); o.PayStatus != 1 || o.Stale {
				t.Errorf("status: %+v", o)
			}
			if n := s.sim.Requests("query"); n != c.queries {
				t.Errorf("%d queries, want %d", n, c.queries)
			}
		})
	}
}

// afterGet is a store that does something once, after the next Get.
type afterGet struct {
	orderstore.Store
	do atomic.Pointer[func()]
}

func (a *afterGet) Get(ctx context.Context, no string) (orderstore.Order, error) {
	o, err := a.Store.Get(ctx, no)
	if do := a.do.Swap(nil); do != nil {
		(*do)()
	}
	return o, err
}

// TestAskInterval: between two questions about one order the store answers.
func TestAskInterval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		interval time.Duration // Options.AskInterval
		wait     time.Duration
		queries  int
	}{
		{"default, too soon", 0, 1900 * time.Millisecond, 1},
		{"default, in time", 0, 2 * time.Second, 2},
		{"own, too soon", time.Minute, 59 * time.Second, 1},
		{"own, in time", time.Minute, time.Minute, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := newFrozen()
			s := open(t, now.use, func(o *wxpay.Options) { o.AskInterval = c.interval })
			no, other := s.buy("native", "u1").OutTradeNo, s.buy("native", "u1").OutTradeNo
			if o := s.status(no); o.PayStatus != 0 || o.Stale {
				t.Errorf("status: %+v", o)
			}
			now.advance(c.wait)
			if o := s.status(no); o.PayStatus != 0 || o.Stale {
				t.Errorf("status: %+v", o)
			}
			if n := s.sim.Requests("query"); n != c.queries {
				t.Errorf("%d queries, want %d", n, c.queries)
			}
			s.status(other) // another order is another question
			if n := s.sim.Requests("query"); n != c.queries+1 {
				t.Errorf("%d queries, want %d", n, c.queries+1)
			}
		})
	}
}

// TestReplicasShareQuestions: pages that poll one order of four processes cost
// WeChat one question an interval, as if there were one process.
func TestReplicasShareQuestions(t *testing.T) {
	t.Parallel()
	const replicas, pages, interval = 4, 8, 2 * time.Second
	now := newFrozen()
	s := open(t, now.use)
	for i := range replicas {
		o := s.options()
		o.Store, o.Now = s.store, now.now
		kit, err := wxpay.New(o)
		if err != nil {
			t.Fatal(err)
		}
		s.mux.Handle(fmt.Sprintf("/replica-%d/", i), kit)
	}
	no := s.buy("native", "u1").OutTradeNo
	for round := 1; round <= 3; round++ {
		var answers [replicas * pages]order
		together(len(answers), func(i int) {
			path := fmt.Sprintf("/replica-%d/pay/orders/%s", i%replicas, no)
			answers[i] = s.do("GET", path, "u1", "").order(t)
		})
		for _, o := range answers {
			if o.PayStatus != 0 || o.Stale {
				t.Errorf("round %d: %+v", round, o)
			}
		}
		if n := s.sim.Requests("query"); n != round {
			t.Errorf("%d queries in %d rounds", n, round)
		}
		now.advance(interval)
	}
}

// frozen is a clock that stands still until it is moved.
type frozen struct {
	mu sync.Mutex
	at time.Time
}

func newFrozen() *frozen { return &frozen{at: time.Now()} }

func (f *frozen) use(o *wxpay.Options) { o.Now = f.now }

func (f *frozen) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *frozen) advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = f.at.Add(d)
}

// TestAskRate: when the common rate is used up the answer says that it is not
// fresh, and the next second there is room again.
func TestAskRate(t *testing.T) {
	t.Parallel()
	now := newFrozen()
	s := open(t, now.use, func(o *wxpay.Options) { o.AskRate = 2 })
	var orders []string
	for range 3 {
		no := s.buy("native", "u1").OutTradeNo
		if err := s.sim.PayQuietly(no); err != nil {
			t.Fatal(err)
		}
		orders = append(orders, no)
	}
	for i, no := range orders {
		if o := s.status(no); o.Stale != (i == 2) || o.PayStatus != map[bool]int{true: 1, false: 0}[i < 2] {
			t.Errorf("order %d: %+v", i, o)
		}
	}
	if n := s.sim.Requests("query"); n != 2 {
		t.Errorf("%d queries", n)
	}
	now.advance(500 * time.Millisecond)
	if o := s.status(orders[2]); o.Stale || o.PayStatus != 1 {
		t.Errorf("half a second later: %+v", o)
	}
}

// TestOrderWhenWeChatIsDown: what the store holds, marked as such, on every
// poll and not only the first.
func TestOrderWhenWeChatIsDown(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	defer all.Wait()
	for _, fault := range []string{"status_500", "status_429", "unsigned", "bad_signature", "garbage", "reset"} {
		atOnce(t, &all, fault, func(t *testing.T) {
			s := open(t)
			no := s.buy("native", "u1").OutTradeNo
			if err := s.sim.PayQuietly(no); err != nil {
				t.Fatal(err)
			}
			s.sim.Fault(wxsim.Fault{Target: "query", Fault: fault})
			r := s.do("GET", "/pay/orders/"+no, "u1", "")
			if o := r.order(t); !o.Stale || o.PayStatus != 0 || o.TradeState != "NOTPAY" || o.Total != 100 || r.Code != 200 {
				t.Errorf("first poll: %s", r.raw)
			}
			if o := s.status(no); !o.Stale || o.PayStatus != 0 {
				t.Errorf("second poll, WeChat is still down: %+v", o)
			}
			s.sim.ClearFaults()
			s.clock.advance(2 * time.Second)
			if o := s.status(no); o.Stale || o.PayStatus != 1 {
				t.Errorf("WeChat is up: %+v", o)
			}
			if got := s.events(no); slices.Contains(got, orderstore.EventMismatch) {
				t.Errorf("history %v", got)
			}
		})
	}
}

// TestOrderWhenTheStoreCannotSave: WeChat said paid, and that cannot be kept;
// the customer is told what is kept.
func TestOrderWhenTheStoreCannotSave(t *testing.T) {
	t.Parallel()
	heard := new(changes)
	s, l := openWatched(t, heard.hook)
	no := s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	l.breakDown("save")
	if o := s.status(no); !o.Stale || o.PayStatus != 0 {
		t.Errorf("status: %+v", o)
	}
	if got := heard.all(); len(got) != 0 {
		t.Errorf("hooks heard %q", got)
	}
	l.breakDown()
	s.clock.advance(2 * time.Second)
	if o := s.status(no); o.Stale || o.PayStatus != 1 {
		t.Errorf("afterwards: %+v", o)
	}
}

// TestOrderClosedElsewhere: WeChat closes what nobody paid for a week.
func TestOrderClosedElsewhere(t *testing.T) {
	t.Parallel()
	heard := new(changes)
	s := open(t, heard.hook)
	no := s.buy("native", "u1").OutTradeNo
	s.clock.advance(7 * 24 * time.Hour)
	for range 2 {
		if o := s.status(no); o.PayStatus != 2 || o.TradeState != "CLOSED" || o.Stale {
			t.Errorf("status: %+v", o)
		}
		s.clock.advance(time.Minute)
	}
	if n := s.sim.Requests("query"); n != 1 {
		t.Errorf("%d queries", n)
	}
	if got := heard.all(); !slices.Equal(got, []string{"query: closed " + no + " false false"}) {
		t.Errorf("hooks heard %q", got)
	}
}

// TestOrderNotAtWeChat: one that never reached WeChat is unpaid, and that is
// fresh news.
func TestOrderNotAtWeChat(t *testing.T) {
	t.Parallel()
	s, l := openWatched(t)
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500", Count: 3})
	s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"))
	no := l.created()[0]
	if o := s.status(no); o.PayStatus != 0 || o.Stale || o.TradeState != "NOTPAY" {
		t.Errorf("status: %+v", o)
	}
	if n := s.sim.Requests("query"); n != 1 {
		t.Errorf("%d queries", n)
	}
}

// TestOrderExpiredIsNotClosed: only WeChat closes. A customer may have paid in
// the last second.
func TestOrderExpiredIsNotClosed(t *testing.T) {
	t.Parallel()
	s := open(t)
	no, paid := s.buy("native", "u1").OutTradeNo, s.buy("native", "u1").OutTradeNo
	if err := s.sim.PayQuietly(paid); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(time.Hour)
	if o := s.status(no); o.PayStatus != 0 || o.TradeState != "NOTPAY" {
		t.Errorf("status: %+v", o)
	}
	if o := s.status(paid); o.PayStatus != 1 {
		t.Errorf("status: %+v", o)
	}
}

// TestOrderOfAnotherAmount: money that does not fit is recorded once, however
// often pages poll, and never counts.
func TestOrderOfAnotherAmount(t *testing.T) {
	t.Parallel()
	heard := new(changes)
	s := open(t, heard.hook)
	no := s.buy("native", "u1").OutTradeNo
	o := s.stored(no)
	o.Total = 99 // as if the store had been tampered with
	if err := s.store.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if o := s.status(no); o.PayStatus != 0 || !o.Stale {
			t.Errorf("status: %+v", o)
		}
		s.clock.advance(3 * time.Second)
	}
	if n := s.sim.Requests("query"); n != 3 {
		t.Errorf("%d queries", n)
	}
	want := []orderstore.EventKind{orderstore.EventCreated, orderstore.EventPrepaid, orderstore.EventMismatch}
	if got := s.events(no); !slices.Equal(got, want) {
		t.Errorf("history %v, want %v", got, want)
	}
	if got := heard.all(); len(got) == 0 || got[0] != "query: mismatch "+no+" true true" {
		t.Errorf("hooks heard %q", got)
	}
	if o := s.stored(no); !strings.Contains(o.Anomaly, "amount.total") || s.grants.count(no) != 0 {
		t.Errorf("anomaly %q, %d grants", o.Anomaly, s.grants.count(no))
	}
}

// TestOrderOfAnotherApp: an answer about an order under another appid is
// none of this order's.
func TestOrderOfAnotherApp(t *testing.T) {
	t.Parallel()
	s := open(t)
	no := s.buy("native", "u1").OutTradeNo
	o := s.stored(no)
	o.AppID = "wx0000000000000000"
	if err := s.store.Save(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := s.sim.PayQuietly(no); err != nil {
		t.Fatal(err)
	}
	if o := s.status(no); o.PayStatus != 0 || !o.Stale {
		t.Errorf("status: %+v", o)
	}
	if o := s.stored(no); !strings.Contains(o.Anomaly, "appid") {
		t.Errorf("anomaly %q", o.Anomaly)
	}
}

// TestOrderWhileTheWorkerAsks: a page that comes just then waits for the
// worker's answer, and does not take its silence for one.
func TestOrderWhileTheWorkerAsks(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		asking, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		s := open(t, loud, func(o *wxpay.Options) {
			o.AskInterval = time.Hour
			o.HTTPClient = &http.Client{Transport: line{before: func(path string) {
				if strings.Contains(path, "/out-trade-no/") {
					once.Do(func() { close(asking); <-release })
				}
			}}}
		})
		no := s.buy("native", "u1").OutTradeNo
		if err := s.sim.PayQuietly(no); err != nil {
			t.Fatal(err)
		}
		if fails {
			s.sim.Fault(wxsim.Fault{Target: "query", Fault: "status_500"})
		}
		s.clock.advance(6 * time.Second) // the worker asks
		<-asking
		answered := make(chan order)
		go func() { answered <- s.status(no) }()
		select {
		case o := <-answered:
			t.Errorf("answered before WeChat: %+v", o)
		case <-time.After(50 * time.Millisecond):
			close(release)
			if o := <-answered; o.Stale != fails || (o.PayStatus == 1) == fails {
				t.Errorf("WeChat fails is %v, the answer %+v", fails, o)
			}
		}
		if o := s.status(no); o.Stale != fails {
			t.Errorf("a moment later, WeChat fails is %v, the answer %+v", fails, o)
		}
	}
}
