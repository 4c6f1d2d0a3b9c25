// Package miniprogram has nothing but a test: it runs the WeChat mini-program
// that lies beside it, in Node with a phone to stand in for WeChat, against
// examples/shop and the simulated WeChat Pay.
//
//	go test -count=1 ./examples/miniprogram
//
// -count=1, because go test does not see when the shop, which it builds, has
// changed. Without Node or OpenSSL in PATH the test is skipped, or fails if CI is
// set.
//
// On a real phone the mini-program needs a real account: neither wx.login nor
// wx.requestPayment knows the simulator. Start examples/shop with the variables
// of MerchantFromEnv, name it in config.js and your appid in
// project.config.json, and open this directory in the WeChat developer tools
// (微信开发者工具).
package miniprogram
