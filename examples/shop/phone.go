package main

import (
	"strings"

	"github.com/wxpaykit/wxpay"
)

// simulatorSeed gives every run the same account, so that the orders of the
// last run still belong to it.
const simulatorSeed = 8080

// phoneOf is the page of a simulated customer, which stands where the
// simulator does; empty for the real WeChat Pay. Plain http is how they are
// told apart: the kit takes it for simulators only.
func phoneOf(m wxpay.Merchant) string {
	if !strings.HasPrefix(m.APIBase, "http://") {
		return ""
	}
	return strings.TrimRight(m.APIBase, "/") + "/"
}
