//go:build prometheus

package watch

import (
	"context"
	"testing"

	"github.com/wxpaykit/wxpay"
)

// playRun: nobody runs the kit while orders are placed; then somebody does, who
// may ask about one of them in a second; then somebody else helps.
func playRun(t *testing.T, seen *record) {
	var c clock
	s := newStall(t, &c, c.now)
	s.open(asItIs)
	m := watch(t, s.addr, seen)
	m.clear()

	m.fires(func() {
		s.build(func(o *wxpay.Options) { o.AskRate = 1 })
		for range 120 { // two minutes' work: of none of them is anything heard
			if s.buy() == "" {
				t.Fatal("an order was not placed")
			}
		}
	}, "WxpayNobodyRuns")
	m.fires(s.run, "WxpayOverdueWork")

	helper, err := wxpay.New(s.options)
	if err != nil {
		t.Fatal(err)
	}
	beside(t, func(ctx context.Context) { _ = helper.Run(ctx) }) // nil, as it promises
	m.clear()
}
