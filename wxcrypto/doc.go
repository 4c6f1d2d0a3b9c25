// Package wxcrypto is the cryptography of WeChat Pay's API v3, and of the legacy API v2 beside it, and nothing else: it
// opens no connection, reads no file, keeps no clock and holds no state but keys. Every moment it needs is an argument.
//
// A payment passes through it five times:
//
//  1. A request leaves for WeChat Pay. [Signer.Authorization] signs method, path and body with the merchant's
//     [PrivateKey] and returns the Authorization header.
//  2. The answer comes back, signed by WeChat Pay. [KeySet.Verify] looks up the key named in Wechatpay-Serial and
//     checks the clock and the signature before anybody reads the body.
//  3. The prepay_id of that answer goes to the customer's device. [PrivateKey.SignJSAPI],
//     [PrivateKey.SignMiniProgram] and [PrivateKey.SignApp] return exactly the object its SDK takes.
//  4. The customer has paid and WeChat Pay calls the notify URL. [KeySet.Verify] again: headers and received bytes
//     first, JSON later.
//  5. The verified notification carries an encrypted resource. [APIv3Key.Open] decrypts it.
//
// WeChat Pay's keys come in two kinds, platform certificates ([ParseCertificate]) and public keys
// ([ParsePublicKey]). A merchant that moves from one to the other receives both for a week, so a [KeySet] holds any
// number of both in one map.
//
// API v2 has one shared secret for all of it, the [APIv2Key], which signs, verifies and opens. MD5 and AES-ECB in it are
// WeChat Pay's choice; nothing of API v3 stands on them.
//
// Keys are opaque and built by parsing. The errors of the parsers say how to mend the input and never repeat it.
// [PrivateKey], [APIv3Key] and [APIv2Key] print as "redacted" whichever way they reach a log. All types are safe
// for concurrent use.
package wxcrypto
