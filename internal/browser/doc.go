// Package browser has nothing but a test: a person buys in examples/shop,
// examples/jsapi and examples/h5 with a real Chromium. It is a module of its own,
// so that what drives the browser does not become a dependency of the kit.
//
//	cd internal/browser && go test -count=1 ./...
//
// -count=1, because go test does not see when the shop, which it builds from
// the module above, has changed. WXPAY_SHOTS names a directory that gets the
// screenshots. Without a Chromium in PATH the tests are skipped, or fail if CI
// is set.
package browser
