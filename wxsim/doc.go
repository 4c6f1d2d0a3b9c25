// Package wxsim is a stateful fake WeChat Pay (微信支付) API v3.
//
// It speaks the wire protocol for clients in any language: it checks the
// Authorization header of every call, refuses wrong parameters with WeChat's
// own codes, signs its answers, encrypts and signs payment notifications and
// re-sends them on WeChat's schedule. A page at / plays the customer's phone.
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
//	GET    /_sim/clock             {"now","ahead"}: business time
//	POST   /_sim/clock             {"advance":"10m"}: moves it
//	GET    /_sim/faults            {"faults":[…]}
//	POST   /_sim/faults            {"target","fault","count","rate","delay"}, see [Fault]
//	DELETE /_sim/faults            clears them
//
// A refused control answers {"error":"one sentence"} with 400, 404 (no such
// order) or 409 (the order's state forbids it). Browsers may use them only
// from the simulator's own pages.
//
// # Two clocks
//
// Business time is movable with [Sim.Advance]: order expiry, success_time and
// the notification schedule follow it. Header time is [Config].Now: the
// timestamps that are signed and judged follow it, so that a simulator moved
// by a week still gets on with a program that was not moved.
//
// # What is played
//
// Prepay (jsapi, app, h5, native), query, close and certificates of API v3,
// and TRANSACTION.SUCCESS notifications. The mini-program uses /jsapi with its
// own appid, as at WeChat. An unpaid order cannot be paid after its
// time_expire but reads NOTPAY until it is closed, by the merchant or seven
// days after it was placed. Where WeChat's documents leave a point open the
// stricter reading is played.
//
// One thing is laxer than at WeChat: a notify_url on loopback may be http.
//
// # What is repeatable
//
// With one seed the keys, identities, prepay_id, transaction_id and the draws
// of faults with a rate are the same in every run. Header nonces are not.
//
// wxsim imports nothing else of this module on purpose: it signs and checks
// with its own few lines, so that a mistake in the kit cannot pass because the
// simulator made it too.
package wxsim
