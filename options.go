package wxpay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/internal/seal"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// The types of package orderstore that an app meets when it writes its
// [Options].
type (
	OrderStore   = orderstore.Store
	Order        = orderstore.Order
	Refund       = orderstore.Refund
	QuoteRequest = orderstore.QuoteRequest
	Quote        = orderstore.Quote
)

// ErrNoGoods is what Options.Quote returns for goods it does not sell, or for
// an order that is not the asking user's: the client gets 404.
var ErrNoGoods = orderstore.ErrNoGoods

// LatePayment says what becomes of money that arrives after its order was
// closed.
type LatePayment int

// What can become of it. Either way it is an anomaly for the hooks and the log.
const (
	AcceptLate LatePayment = iota // the order is paid and handed over like any other
	RefundLate                    // it goes back to the customer, and nothing is handed over
)

// Options say what a [Kit] works with. Merchant, Store, Identify, Quote and a
// notify URL are required; every other zero value means its default.
type Options struct {
	// Merchant is the account at WeChat Pay; see [MerchantFromEnv].
	Merchant Merchant

	// NotifyURL is where WeChat Pay reports payments: the public https address
	// of this kit's /notify, without query. Plain http is taken for loopback
	// hosts only. Defaults to Merchant.NotifyURL.
	NotifyURL string

	// API is which of WeChat Pay's APIs new orders and refunds go through; what
	// was placed through the other stays there. Defaults to APIv3.
	API API
	// NotifyURLv2 is where WeChat Pay reports what was ordered through API v2:
	// this kit's /notify/v2, under the rules of NotifyURL. Defaults to NotifyURL
	// with /v2 behind it, if that ends in /notify.
	NotifyURLv2 string
	// SignTypeV2 is how what goes through API v2 is signed: wxcrypto.SignMD5 or
	// wxcrypto.SignHMACSHA256. Defaults to MD5, as WeChat Pay's own does.
	SignTypeV2 wxcrypto.SignType
	// OAuthRedirectURL is the public address of /oauth/callback, on the domain
	// that the service account names for it (网页授权域名); pages must open
	// /oauth/start on that host too. Defaults to the scheme and host of NotifyURL
	// with the path under which the client reached the kit.
	OAuthRedirectURL string

	// Store keeps the orders. Package orderstore/sqlite is the reference.
	Store OrderStore

	// Identify says who is asking. An error or an empty user is answered with
	// 401. One user never sees, pays or closes another's order.
	Identify func(r *http.Request) (userID string, err error)

	// Quote is the server's own price of what the client named. It returns
	// [ErrNoGoods] for what is not sold, or is not this user's.
	Quote func(context.Context, QuoteRequest) (Quote, error)

	// OnLogin is told of everybody whom WeChat has proven by POST /login or
	// /oauth/callback, before the answer is written: it may keep the openid with
	// the app's own user, and set the app's session cookie on w. An error is
	// answered with 500. It is told again of one login when WeChat or the browser
	// comes back twice. Defaults to nothing.
	OnLogin func(w http.ResponseWriter, r *http.Request, l Login) error
	// OpenID looks up the openid by which WeChat knows userID under appID, for
	// prepays of jsapi and miniprogram: the client then need not send it, and is
	// refused when it sends another. Empty means unknown, and the client must
	// send it. Defaults to what the client sends.
	OpenID func(ctx context.Context, userID, appID string) (string, error)

	// OnPaid takes over an order that is durably paid: grant the membership,
	// ship the goods. [Kit.Run] calls it at least once, and again with growing
	// delays until it returns nil, so it must do its work once per
	// Order.OutTradeNo. Defaults to taking every order over silently.
	OnPaid func(context.Context, Order) error
	// OnRefunded takes over a refund whose money is back with the customer, in
	// the same way: once per Refund.OutRefundNo. It may be called before or
	// beside OnPaid of the same order, and OnPaid is called for refunded orders
	// too: a refund that comes first must keep the goods from being given
	// later. Order.Refunded says how much is back in all, and Order.GivenBack
	// that OnPaid is never called for the order. Defaults to taking every
	// refund over silently.
	OnRefunded func(context.Context, Order, Refund) error
	// OnPaidDeadline ends the context of one call of OnPaid or OnRefunded. An
	// order whose process died during the call is handed over again when the
	// deadline and fifteen seconds have passed. Defaults to 30s.
	OnPaidDeadline time.Duration
	// RunInterval is how often [Kit.Run] asks the store what is due. Payments
	// that this process hears of do not wait for it. Defaults to 1s.
	RunInterval time.Duration

	// AuthorizeRefund says whether userID may refund the order, see it and read
	// its history; nil says yes, an error is answered with 403. Without it nobody
	// may: POST /orders/{out_trade_no}/refunds and GET
	// /orders/{out_trade_no}/events do not exist then.
	AuthorizeRefund func(r *http.Request, userID string, o Order) error
	// LatePayment says what becomes of money that arrives after closing.
	// Defaults to AcceptLate.
	LatePayment LatePayment

	// ReconcileDaily lets [Kit.Run] compare every day with WeChat Pay's bill,
	// after ten in the morning of Beijing; see [Kit.Reconcile]. Switch it on in
	// one process, or in several: they only fetch the bill more than once.
	ReconcileDaily bool

	// Prefix is the path the endpoints stand under. Defaults to "/pay".
	Prefix string
	// OrderTTL is the time to pay. Defaults to 30m; 1m to 7 days, shorter only
	// against a WeChat on loopback. Source: prepay, time_expire.
	OrderTTL time.Duration
	// OrderNumber makes the out_trade_no of a new order: 6 to 32 of
	// [0-9A-Za-z_\-|*]. When the number is taken it is asked again with a
	// later time. Defaults to a random number that sorts by time; see also
	// [TutorialNumber].
	OrderNumber func(userID string, at time.Time) string

	// ClientIP is the customer's address, which H5 must tell WeChat. Defaults
	// to the connection's address; behind proxies use [TrustedProxies].
	ClientIP func(*http.Request) netip.Addr
	// Origins are the origins ("https://m.example.com") besides the kit's own
	// host whose pages may post to it. Posts from pages of any other origin
	// are refused, and H5 prepays need an Origin header at all. This is no
	// CORS: an app with pages elsewhere answers their preflights itself.
	// Source: H5 支付, Origin white-list.
	Origins []string

	// AskInterval is the least time between two queries at WeChat for one
	// order, however many pages poll however many replicas. AskRate is the most
	// queries a second of this process for all orders. Default to 2s and 50.
	AskInterval time.Duration
	AskRate     float64

	// Secret keeps what leaves the kit and comes back from being altered: links
	// to the cashier, the state of a login. At least 32 random characters, the
	// same in every replica. Defaults to a key derived from Merchant.APIv3Key,
	// or from APIv2Key where there is none.
	Secret string

	// Cashier is how the page looks on which customers pay.
	Cashier Cashier

	// Hooks tell metrics and alarms what happens; see package wxprom.
	Hooks Hooks
	// Logger gets one line per request and per change of an order, never a
	// key, body or openid. Defaults to slog.Default().
	Logger *slog.Logger
	// HTTPClient calls WeChat Pay. Defaults to package wxapi's own.
	HTTPClient *http.Client
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
	// NewNonce makes nonces. Defaults to wxcrypto.NewNonce.
	NewNonce func() string
}

func (o Options) withDefaults() Options {
	set(&o.NotifyURL, o.Merchant.NotifyURL)
	set(&o.Prefix, "/pay")
	set(&o.OrderTTL, 30*time.Minute)
	set(&o.OnPaidDeadline, 30*time.Second)
	set(&o.RunInterval, time.Second)
	set(&o.AskInterval, 2*time.Second)
	set(&o.AskRate, 50)
	set(&o.Cashier.Accent, "#077f3c")
	if o.OnPaid == nil {
		o.OnPaid = func(context.Context, Order) error { return nil }
	}
	if o.OnRefunded == nil {
		o.OnRefunded = func(context.Context, Order, Refund) error { return nil }
	}
	if o.OrderNumber == nil {
		o.OrderNumber = timeNumber
	}
	if o.ClientIP == nil {
		o.ClientIP = connectionIP
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Logger = slog.New(traceLog{o.Logger.Handler()})
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewNonce == nil {
		o.NewNonce = wxcrypto.NewNonce
	}
	o.NotifyURL = strings.TrimSpace(o.NotifyURL)
	if strings.HasSuffix(o.NotifyURL, "/notify") {
		set(&o.NotifyURLv2, o.NotifyURL+"/v2")
	}
	set(&o.SignTypeV2, wxcrypto.SignMD5)
	o.Prefix = "/" + strings.Trim(o.Prefix, "/")
	o.Hooks = o.Hooks.withDefaults()
	return o
}

// set gives *field its default if it has no value.
func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate parses the account and reports every fault at once.
func (o Options) validate() (account, error) {
	acct, errs := o.Merchant.parse(o.API)
	fault := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("wxpay: Options."+format, args...))
		}
	}
	fault(o.Store == nil, "Store is required: sqlite.Open(\"pay.db\") is a good first one")
	fault(o.Identify == nil, "Identify is required: return the signed-in user of the request")
	fault(o.Quote == nil, "Quote is required: return the server's own price of the goods")
	fault(o.Prefix == "/", "Prefix is \"/\": give the kit a path of its own such as /pay")
	fault(strings.ContainsAny(o.Prefix, "{}*? #%"), "Prefix %q has a character that means something to a router", o.Prefix)
	fault(path.Clean(o.Prefix) != o.Prefix, "Prefix %q has empty or dot segments: routers would redirect it", o.Prefix)
	fault(o.OrderTTL > 7*24*time.Hour, "OrderTTL is %v: WeChat Pay takes at most 7 days", o.OrderTTL)
	fault(o.OrderTTL < 0 || o.OrderTTL < time.Minute && !acct.loopback,
		"OrderTTL is %v: WeChat Pay gives a customer at least 1m", o.OrderTTL)
	fault(o.OnPaidDeadline < 0 || o.RunInterval < 0 || o.AskInterval < 0 || o.AskRate < 1,
		"OnPaidDeadline, RunInterval and AskInterval must be positive, AskRate at least 1")
	fault(o.Secret != "" && len(o.Secret) < 32, "Secret is shorter than 32 characters")
	fault(o.LatePayment != AcceptLate && o.LatePayment != RefundLate, "LatePayment is %d: use AcceptLate or RefundLate", o.LatePayment)
	if err := checkNotifyURL("NotifyURL", "/notify", o.NotifyURL); err != nil {
		errs = append(errs, err)
	}
	fault(!isCallback(o.OAuthRedirectURL), "OAuthRedirectURL is not a URL like https://shop.example.com/pay/oauth/callback, without query (http is taken for loopback hosts only)")
	errs = append(errs, o.validateV2(acct)...)
	acct.secretDerived = o.Secret == ""
	set(&o.Secret, o.Merchant.APIv3Key)
	set(&o.Secret, o.Merchant.APIv2Key)
	var err error
	acct.seal, err = seal.New(o.Secret)
	fault(err != nil, "Secret: %v", err)
	errs = append(errs, o.Cashier.check()...)
	acct.cross = http.NewCrossOriginProtection()
	for _, origin := range o.Origins {
		err := acct.cross.AddTrustedOrigin(origin)
		fault(err != nil, "Origins: %q is not an origin like https://m.example.com", origin)
	}
	return acct, errors.Join(errs...)
}
