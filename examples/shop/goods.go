package main

import "github.com/wxpaykit/wxpay/orderstore"

// membership is what the shop sells.
type membership struct {
	orderstore.Goods
	Months int
}

// memberships are the goods. What was sold once stays in the list, or its
// grants cannot be counted any more.
var memberships = []membership{
	{orderstore.Goods{GoodsID: "vip-month", Description: "1个月会员", Total: 100}, 1},
	{orderstore.Goods{GoodsID: "vip-season", Description: "3个月会员", Total: 270}, 3},
	{orderstore.Goods{GoodsID: "vip-year", Description: "12个月会员", Total: 960}, 12},
}

func membershipOf(goodsID string) (membership, bool) {
	for _, m := range memberships {
		if m.GoodsID == goodsID {
			return m, true
		}
	}
	return membership{}, false
}

// prices are the rows of goods_info.
func prices() []orderstore.Goods {
	var goods []orderstore.Goods
	for _, m := range memberships {
		goods = append(goods, m.Goods)
	}
	return goods
}

// Monthly is the price of one of the months, in yuan.
func (m membership) Monthly() string { return yuan(m.Total / orderstore.Fen(m.Months)) }
