// Package apiv2 is a client of WeChat Pay's legacy API v2 (XML, one shared key):
// order, query, close, refunds, and the reading of its notifications. It speaks
// in the types and errors of package wxapi, so that whoever keeps orders need
// not know which of the two APIs they are at:
//
//	c, err := apiv2.New(apiv2.Config{MchID: mchID, Key: key})
//	body, err := c.EncodePrepay(wxapi.JSAPI, request) // keep it with the order
//	cred, err := c.Prepay(ctx, wxapi.JSAPI, body)
//
// # What an error means
//
// What it means in package wxapi: nil, [wxapi.ErrUnknown],
// [wxapi.ErrUnreachable], [*wxapi.Error] and so on. API v2 answers everything
// with 200 and says in the body what became of it; the Status of an Error is the
// one with which API v3 refuses the same, and its Code is spelt so that
// [wxapi.IsCode] finds it under API v3's name.
//
// An answer is believed when its sign holds and it names this merchant and the
// appid, order and refund that were asked for. A refusal of the communication
// layer (return_code) has no sign, as no refusal of API v3 has: it is good for
// deciding what to try next, not for moving money.
//
// # Frozen parameters
//
// EncodePrepay and EncodeRefund return the parameters as XML, without nonce and
// sign: these are made afresh for every call, and all others sent as they were
// kept. [IsFrozen] tells such a body from one of API v3.
//
// Nothing here logs. Errors carry no key and no body. Money is integer fen.
// Source: API v2, wire facts §9.
package apiv2
