//go:build prometheus

package watch

import (
	"testing"
	"time"
)

// playClock: the shop's clock goes 45 seconds before WeChat Pay's, and is put
// right.
func playClock(t *testing.T, seen *record) {
	const off = 45 * time.Second
	var c clock
	s := newStall(t, &c, time.Now)
	s.open(asItIs)
	m := watch(t, s.addr, seen)
	beside(t, s.trade)
	m.clear()

	m.fires(func() { c.jump(off) }, "WxpayClockSkew")
	c.jump(-off)
	m.clear()
}
