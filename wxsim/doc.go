// Package wxsim is a stateful fake WeChat Pay (微信支付), API v3 and API v2.
//
// It speaks the wire protocol for clients in any language: it checks the
// Authorization header of every call, refuses wrong parameters with WeChat's
// own codes, signs its answers, encrypts and signs the notifications of payments
// and refunds and re-sends them on WeChat's schedule, and writes bills. A page
// at / plays the customer's phone.
//
// In a Go test:
//
//	sim := wxsim.Start(t)             // loopback server, stopped by t.Cleanup
//	… point the client at sim.URL() with sim.Account() …
//	sim.Pay("order-0001")             // the customer pays, the notification has been sent
//	sim.Advance(10 * time.Minute)     // due re-sends have been attempted
//
// # Controls
//
// From another language run the command in cmd/wxsim, and steer it with:
//
//	GET    /_sim/config            the account, see [Account]
//	GET    /_sim/orders            {"orders":[…]}, see [Order]
//	GET    /_sim/notifications     {"notifications":[…]}, see [Sent]
//	POST   /_sim/pay               {"out_trade_no","openid"}: the customer pays
//	POST   /_sim/cancel, /_sim/fail  {"out_trade_no"}: the customer does not
//	POST   /_sim/begin             {"out_trade_no"}: the customer enters the password
//	GET    /_sim/refunds           {"refunds":[…]}, see [Refund]
//	POST   /_sim/refunds/decide    {"out_refund_no","status"}: what becomes of a refund;
//	                               without a number, of the next; see [Sim.DecideRefund]
//	POST   /_sim/refunds/balance   {"enough"}: false empties the merchant's account
//	POST   /_sim/refunds/payer     {"out_trade_no","gone"}: whether the payer's account is closed
//	POST   /_sim/refunds/callback  {"url"}: the refund callback of the merchant platform;
//	                               see [Sim.SetRefundCallback]
//	POST   /_sim/login             {"openid","snapshot"}: {"code"}, as wx.login returns it
//	                               for this customer; without an openid for the phone's owner
//	POST   /_sim/bill/stray        {"out_trade_no","total","paid_at"}: a payment the
//	                               merchant never saw; paid_at is RFC 3339, now without it
//	GET    /_sim/clock             {"now","ahead"}: business time
//	POST   /_sim/clock             {"advance":"10m"}: moves it
//	GET    /_sim/faults            {"faults":[…]}
//	POST   /_sim/faults            {"target","fault","count","rate","delay"}, see [Fault]
//	DELETE /_sim/faults            clears them
//
// A refused control answers {"error":"one sentence"} with 400, 404 (no such
// order or refund) or 409 (its state forbids it). Browsers may use them only
// from the simulator's own pages.
//
// # Two clocks
//
// Business time is movable with [Sim.Advance]: order expiry, success_time, the
// notification schedule, the end of refunds and the days of bills follow it.
// What falls due happens in Advance and, as real time passes, in [Sim.Run].
// Header time is [Config].Now: the timestamps that are signed and judged follow
// it, so that a simulator moved by a week still gets on with a program that was
// not moved.
//
// # What is played
//
// Prepay (jsapi, app, h5, native), query, close, refunds, trade bills,
// certificates and the self-test /v3/security/echo of API v3, and the
// notifications of payments and refunds. API v2
// has a section of its own. The
// mini-program uses /jsapi with its own appid, as at WeChat. An unpaid order
// cannot be paid after its time_expire but reads NOTPAY until it is closed, by
// the merchant or seven days after it was placed. Where WeChat's documents leave
// a point open the stricter reading is played.
//
// A refund is PROCESSING for [Config].RefundDelay and then SUCCESS, unless it
// was decided otherwise, and its own notify_url is told; without one the callback
// of the merchant platform is, in the XML of API v2, if one is configured.
// Of one order there are at most fifty, a minute apart, within a year of the
// payment, and all that are not CLOSED sum up to its total at most. An ABNORMAL
// one goes on to a bank card when the merchant asks for it. From the first
// refund on the order reads REFUND.
//
// The trade bill of a day (ALL, SUCCESS, REFUND) can be had from ten o'clock of
// the next, for three months. It is made of the orders paid and the refunds
// accepted on that day; refunds read as they stood at nine.
//
// Login is GET /sns/jscode2session for the mini-program, and for pages of the
// service account GET /connect/oauth2/authorize with GET
// /sns/oauth2/access_token. A code is good once, for five minutes of business
// time, under its own appid; both appids have the one app_secret. The person in
// front of a page is the phone's owner, or whom the cookie wxsim_openid names;
// with the cookie wxsim_snapshot=1 WeChat shows it as a snapshot (快照页), as it
// does for a code of /_sim/login with "snapshot":true.
//
// Two things are laxer than at WeChat: a notify_url on loopback may be http, and
// a redirect_uri on loopback may be any.
//
// # API v2
//
// POST /pay/unifiedorder (JSAPI, NATIVE, APP, MWEB), /pay/orderquery,
// /pay/closeorder, /secapi/pay/refund and /pay/refundquery speak XML, signed
// with MD5 or HMAC-SHA256 under apiv2_key. They work on the same orders and
// refunds: either version can query, close and refund what the other placed, and
// a number that one has used the other answers with OUT_TRADE_NO_USED.
//
// Every answer is 200 with text/plain. A call that fails before its business is
// looked at (method, XML, sign, a parameter) gets return_code FAIL with
// return_msg and nothing else, unsigned; what the business refuses is signed and
// has an err_code. An order that is closed already is ORDERCLOSED. Closing is
// possible right after ordering, unless the fault too_early wants the five
// minutes of the documents. What the documents do not list among an operation's
// parameters is signed over and otherwise ignored.
//
// An order placed by API v2 is notified in XML, signed as it was placed, and a
// refund made by API v2 with an encrypted, unsigned req_info. Only 200 with the
// one line
//
//	<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>
//
// counts as accepted; the schedule of re-sends is that of API v3.
//
// Behind TLS, as with httptest.NewTLSServer, /secapi/pay/refund wants a client
// certificate with the merchant's serial number and key. Over plain HTTP there is
// none to want.
//
// # What is repeatable
//
// With one seed the keys, identities, prepay_id, transaction_id, refund_id and
// the draws of faults with a rate are the same in every run. Header nonces are
// not.
//
// wxsim imports nothing else of this module on purpose: it signs and checks
// with its own few lines, so that a mistake in the kit cannot pass because the
// simulator made it too.
package wxsim
