// Package wxapi is a client of WeChat Pay API v3 (微信支付): prepay, query,
// close, refunds, bills, and the download of platform certificates. It signs
// every request, verifies every answer before believing a byte of it, and tries
// again where that is safe.
//
//	c, err := wxapi.New(wxapi.Config{Signer: signer, Keys: keys, APIv3Key: key})
//	t, err := c.Query(ctx, outTradeNo)
//	if err == nil && t.Paid() { … }
//
// # What an error means
//
// A request may have been carried out although its answer never came. So there
// are more than two outcomes, and [errors.Is] and [errors.As] tell them apart:
//
//   - nil: done, and the answer was verified;
//   - [ErrUnknown]: nobody can say whether WeChat Pay did it. It is a state of
//     its own and not a failure: query the order, or send the same call again;
//   - [ErrUnreachable]: no try got as far as a connection. Nothing happened;
//   - [*Error] without ErrUnknown: WeChat Pay refused, and said why;
//   - [ErrRequest], [context.Canceled] and others without any of these: nothing
//     was sent.
//
// All calls are idempotent by their order or refund number, which is why
// repeating them is safe: the same method, path and bytes, signed anew. One call
// is at most three tries. A request is repeated after a transport error, 5xx,
// 429, 202 and an answer whose signature does not hold, never after another 4xx.
//
// Applications for refunds are the exception: they are repeated only when there
// was no connection, and 429 is [ErrUnknown]. [Client.QueryRefund] comes first.
//
// # Bills
//
// [Client.TradeBill] downloads the bill of a day (交易账单) into a file and checks
// all of it before it returns, so that no row of a damaged bill is ever seen.
// [ErrNoBill], [ErrBillNotReady] and [ErrBillDamaged] are its own errors, and
// nothing it does changes anything at WeChat Pay.
//
// # Keys
//
// Answers are verified with [Config].Keys. When that set holds no usable key,
// when an answer names an unknown one, and every twelve hours for merchants
// that have platform certificates, [Client.RefreshCertificates] runs by itself
// inside the call that needs it. There are no goroutines.
//
// Package apiv2 below this one is a client of the legacy API v2, in the types
// and errors of this one; it sends its calls with a [Courier].
//
// Nothing here logs. Errors carry no key, no header, no body and no query, and
// no openid. Money is integer fen.
package wxapi
