package main

import (
	"testing"

	"github.com/wxpaykit/wxpay/examples/internal/playground/playgroundtest"
)

// TestBuy buys without a browser; the page itself is tried in internal/browser.
func TestBuy(t *testing.T) {
	t.Parallel()
	playgroundtest.BuyOnPage(t, "jsapi", newApp)
}
