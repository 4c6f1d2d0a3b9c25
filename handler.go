package wxpay

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gorilla/mux"

	"github.com/wxpaykit/wxpay/internal/cashier"
	"github.com/wxpaykit/wxpay/internal/flight"
	"github.com/wxpaykit/wxpay/internal/probe"
	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/worker"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxlogin"
)

// Kit is WeChat Pay for one app. It is an [http.Handler] for all endpoints
// under its prefix; each endpoint is also a method that returns a handler of
// its own, for apps that wire just one.
//
// A Kit is safe for concurrent use. What several requests share outlives the
// first of them by some seconds at most; the work between requests is done by
// [Kit.Run].
type Kit struct {
	opt        Options
	acct       account
	api        *wxapi.Client // nil without the keys of API v3
	logins     map[orderstore.Product]*wxlogin.Client
	till       *till.Till
	worker     *worker.Worker
	ledger     *ledger.Ledger
	routes     *http.ServeMux
	running    atomic.Int32
	complained atomic.Int64 // when the log was last told that nobody runs, in nanoseconds
	checks     probe.Arrivals
	ready      readiness
	unknown    atomic.Int32 // notifications with unknown serials that wait for certificates

	asks       *flight.Throttle
	refreshing flight.Group[fresh]
	exchanging flight.Group[wxlogin.User]

	screens *cashier.Screens
	live    live
}

// New returns a Kit, or every fault of the options at once.
func New(o Options) (*Kit, error) {
	o = o.withDefaults()
	acct, err := o.validate()
	if err != nil {
		return nil, err
	}
	k := &Kit{opt: o, acct: acct, asks: flight.NewThrottle(o.AskInterval, o.AskRate), live: newLive(o)}
	if k.screens, err = cashier.New(o.Cashier.theme()); err != nil {
		return nil, err
	}
	api, err := k.connect()
	if err != nil {
		return nil, err
	}
	if k.logins, err = newLogins(o, acct); err != nil {
		return nil, err
	}
	k.till = till.New(till.Config{
		Store:         o.Store,
		API:           api,
		NotifyURL:     o.notifyURL(),
		Now:           o.Now,
		AskFailed:     k.asks.Fail, // pages are not to take the silence for an answer
		RefundLate:    o.LatePayment == RefundLate,
		Settled:       k.settled,
		SettledRefund: k.settledRefund,
		Placed:        o.Hooks.Placed,
	})
	k.worker = worker.New(worker.Config{
		Store:       o.Store,
		OnPaid:      o.OnPaid,
		OnRefunded:  o.OnRefunded,
		Deadline:    o.OnPaidDeadline,
		MayAsk:      k.mayAsk,
		Ask:         k.askQuietly,
		Close:       k.closeExpired,
		StepRefund:  k.stepRefund,
		RefundLease: till.RefundLease,
		Interval:    o.RunInterval,
		Parallel:    8,
		Now:         o.Now,
		Logger:      o.Logger,
		Context:     tracedBy,
		Observe:     k.handedOver,
		Backlog:     k.backlog,
	})
	k.ledger = k.newLedger()
	k.routes = k.newRoutes()
	k.tellKeys(context.Background())
	return k, nil
}

// Mount makes a Kit and mounts it on router under Options.Prefix. router is an
// *http.ServeMux, a *mux.Router of gorilla, a chi.Router, or anything else
// with a Mount(string, http.Handler) or Handle(string, http.Handler) method.
//
// For any other router use [New]: the Kit is an [http.Handler] that finds its
// endpoints with or without the prefix in front.
func Mount(router any, o Options) (*Kit, error) {
	k, err := New(o)
	if err != nil {
		return nil, err
	}
	prefix := k.opt.Prefix
	switch r := router.(type) {
	case *http.ServeMux:
		// One pattern per method, so that an app's own "GET /" is no conflict.
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			r.Handle(method+" "+prefix+"/", k)
		}
	case *mux.Router:
		r.PathPrefix(prefix + "/").Handler(k)
	case interface{ Mount(string, http.Handler) }: // chi
		r.Mount(prefix, k)
	case interface{ Handle(string, http.Handler) }:
		r.Handle(prefix+"/", k)
	default:
		return nil, fmt.Errorf("wxpay: Mount cannot use a %T: pass an *http.ServeMux, *mux.Router or chi.Router, or mount the handler that New returns", router)
	}
	return k, nil
}

// Run does what nobody asks for until ctx ends: it asks WeChat about orders of
// which nothing was heard, closes those whose time to pay is over, brings
// refunds to their end, and hands what was paid to Options.OnPaid and what was
// refunded to Options.OnRefunded. It returns nil when all of that work has
// stopped. Any number of processes may run it on one store. When ctx ends the
// live streams do, too; see [Kit.CloseStreams].
func (k *Kit) Run(ctx context.Context) error {
	k.running.Add(1)
	defer k.running.Add(-1)
	defer context.AfterFunc(ctx, k.CloseStreams)()
	if k.opt.ReconcileDaily {
		var daily sync.WaitGroup
		daily.Go(func() { k.reconcileDaily(ctx) })
		defer daily.Wait()
	}
	return k.worker.Run(ctx)
}

// ServeHTTP serves every endpoint, with the prefix in front of it (also deeper
// in the path, under a sub-router) or without it (behind http.StripPrefix).
func (k *Kit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	whole := "/" + strings.TrimPrefix(r.URL.Path, "/") // StripPrefix may take the slash, too
	inner := r.WithContext(r.Context())
	for _, end := range k.ends(whole) {
		inner.URL = &url.URL{Path: end, RawQuery: r.URL.RawQuery}
		if k.knows(inner) && written(r.URL, end) {
			k.routes.ServeHTTP(w, inner)
			return
		}
	}
	k.notFound().ServeHTTP(w, r)
}

// maxPrefixes bounds how often the prefix is looked for in one path.
const maxPrefixes = 4

// ends are the ends of a path that may be an endpoint: what follows the prefix
// wherever it stands, and the whole. A path that is not clean has none: it
// means one thing to whoever guards paths in front of the kit and another
// here, and the ServeMux would redirect it to a place outside the kit.
func (k *Kit) ends(whole string) []string {
	if path.Clean(whole) != whole {
		return nil
	}
	var ends []string
	rest := whole
	for range maxPrefixes {
		_, after, ok := strings.Cut(rest, k.opt.Prefix+"/")
		if !ok {
			break
		}
		rest = "/" + after
		ends = append(ends, rest)
	}
	return append(ends, whole)
}

// knows reports whether the path, which is clean, is an endpoint.
func (k *Kit) knows(r *http.Request) bool {
	_, pattern := k.routes.Handler(r)
	return pattern != ""
}

// written reports whether the client wrote end with slashes where it has some:
// an escaped one (%2F) parts no segments. Source: RFC 3986, 2.2.
func written(u *url.URL, end string) bool {
	raw := u.EscapedPath()
	if p, err := url.PathUnescape(u.RawPath); err == nil && p == u.Path {
		raw = u.RawPath // also where it has a "|" of a number, which EscapedPath does not leave as it is
	}
	segments := strings.Split("/"+strings.TrimPrefix(raw, "/"), "/")
	own := segments[max(0, len(segments)-strings.Count(end, "/")):]
	p, err := url.PathUnescape("/" + strings.Join(own, "/"))
	return err == nil && p == end
}

type route struct {
	method, path string
	handler      http.Handler
}

// newRoutes is the table of endpoints.
func (k *Kit) newRoutes() *http.ServeMux {
	routes := http.NewServeMux()
	endpoints := []route{
		{"POST", "/prepay/{product}", k.Prepay()},
		{"POST", "/paysign", k.PaySign()},
		{"GET", "/orders/{out_trade_no}", k.OrderStatus()},
		{"GET", "/orders/{out_trade_no}/live", k.OrderLive()},
		{"GET", "/orders/{out_trade_no}/cashier", k.Cashier()},
		{"POST", "/orders/{out_trade_no}/close", k.CloseOrder()},
		{"GET", "/orders/{out_trade_no}/qr.svg", k.QRCodeSVG()},
		{"GET", "/orders/{out_trade_no}/qr.png", k.QRCodePNG()},
		{"GET", "/orders/{out_trade_no}/refunds/{out_refund_no}", k.RefundStatus()},
		{"POST", "/notify", k.Notify()},
	}
	if k.acct.v2 {
		endpoints = append(endpoints, route{"POST", "/notify/v2", k.NotifyV2()})
	}
	if k.opt.AuthorizeRefund != nil {
		endpoints = append(endpoints,
			route{"POST", "/orders/{out_trade_no}/refunds", k.CreateRefund()},
			route{"GET", "/orders/{out_trade_no}/events", k.OrderEvents()})
	}
	if k.logins[orderstore.MiniProgram] != nil {
		endpoints = append(endpoints, route{"POST", "/login", k.Login()})
	}
	if k.logins[orderstore.JSAPI] != nil {
		endpoints = append(endpoints,
			route{"GET", "/oauth/start", k.OAuthStart()},
			route{"GET", "/oauth/callback", k.OAuthCallback()})
	}
	for _, e := range endpoints {
		routes.Handle(e.method+" "+e.path, e.handler)
		routes.Handle(e.path, k.wrongMethod(e.method))
	}
	return routes
}
