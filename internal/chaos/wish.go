package main

import "fmt"

// wish is one thing to buy.
type wish struct {
	product, goods, key string
}

// choose draws what to buy and how.
func (c *customer) choose() wish {
	products := [...]string{"app", "jsapi", "miniprogram", "h5", "native"}
	w := wish{product: products[c.dice.IntN(len(products))], goods: goodsOf(c.dice.IntN(6))}
	if c.dice.IntN(2) == 0 {
		w.key = fmt.Sprintf("%s-%d", c.name, c.n)
	}
	return w
}

// goodsOf makes months more common than years.
func goodsOf(n int) string {
	switch n {
	case 0:
		return "vip-year"
	case 1:
		return "vip-season"
	}
	return "vip-month"
}

// months is what the shop grants for its goods.
func months(goods string) int {
	return map[string]int{"vip-month": 1, "vip-season": 3, "vip-year": 12}[goods]
}
