// Package wxpay puts WeChat Pay (微信支付, API v3) into an existing Go web app:
// drop-in handlers, one [Mount], and an [OrderStore] on the app's own database.
//
// # The flow
//
// A front end posts what it wants to buy to /pay/prepay/{product}. The kit asks
// the app who is asking (Options.Identify) and what it costs (Options.Quote),
// writes the order down, places it at WeChat Pay with the parameters frozen in
// the order, and answers what the front end passes on to WeChat unread.
//
// WeChat Pay reports the payment to /pay/notify. The kit checks the signature
// over the received bytes, decrypts, compares merchant, app, amount and
// currency with the order, and writes "paid" together with "to be handed over"
// in one write. Only then does it acknowledge. [Kit.Run] calls Options.OnPaid
// until it returns nil.
//
// A refund is stored before WeChat hears of it, and [Kit.Run] brings it to its
// end. Options.OnRefunded learns of it as OnPaid does of a payment.
//
// Notifications are not promised to come. A front end that asks
// /pay/orders/{out_trade_no} gets the truth all the same, because an unpaid
// order is asked for at WeChat Pay; and [Kit.Run] asks on WeChat's schedule,
// and closes what was not paid in time.
//
// # Where things stand
//
//   - handler.go, options.go and one file per endpoint: this package
//   - worker: asks about silent orders, closes expired ones, brings refunds to
//     their end, hands over what was paid and refunded
//   - ledger: compares the store with WeChat Pay's bill of a day
//   - wxapi: the client of WeChat Pay; wxlogin: of WeChat's login
//   - orderstore: the order, its rules, the interface of a store; the stores
//     below it; storetest to prove one's own
//   - wxcrypto: signatures and encryption
//   - wxsim: a WeChat Pay to develop and test against
//   - wxprom: Prometheus
package wxpay
