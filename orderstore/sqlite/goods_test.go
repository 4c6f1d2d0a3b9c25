//go:build cgo

package sqlite_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := open(t, path)
	month := orderstore.Goods{GoodsID: "vip-month", Description: "1个月会员", Total: 100}
	year := orderstore.Goods{GoodsID: "vip-year", Description: "12个月会员 😀", Total: 1<<53 + 1}
	free := orderstore.Goods{GoodsID: "free"}
	if err := s.PutGoods(t.Context(), month, year, free); err != nil {
		t.Fatal(err)
	}
	if err := s.PutGoods(t.Context()); err != nil {
		t.Errorf("no goods: %v", err)
	}
	month.Total = 200
	if err := s.PutGoods(t.Context(), month); err != nil {
		t.Fatal(err)
	}
	run(t, plain(t, path), "INSERT INTO goods_info (goods_id, description, total) VALUES ('by-hand', 'x', -1)")
	for id, want := range map[string]orderstore.Quote{
		"vip-month": {Total: 200, Description: "1个月会员"},
		"vip-year":  {Total: 1<<53 + 1, Description: "12个月会员 😀"},
		"free":      {}, // as it is: whether it can be sold is not the catalogue's question
		"by-hand":   {Total: -1, Description: "x"},
	} {
		if got, err := s.Quote(t.Context(), orderstore.QuoteRequest{GoodsID: id}); err != nil || got != want {
			t.Errorf("Quote of %s is %+v (%v), want %+v", id, got, err, want)
		}
	}
	for _, r := range []orderstore.QuoteRequest{
		{}, {GoodsID: "VIP-MONTH"}, {GoodsID: "vip-"}, {OrderRef: "vip-month"}, {UserID: "vip-month"},
	} {
		if q, err := s.Quote(t.Context(), r); !errors.Is(err, orderstore.ErrNoGoods) || q != (orderstore.Quote{}) {
			t.Errorf("Quote of %+v is %+v (%v), want ErrNoGoods", r, q, err)
		}
	}
}

func TestPutGoodsIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s := open(t, newPath(t))
	err := s.PutGoods(t.Context(), orderstore.Goods{GoodsID: "vip-month", Total: 100}, orderstore.Goods{Total: 100})
	if err == nil || !strings.Contains(err.Error(), "goods_id") {
		t.Errorf("goods without an id: %v", err)
	}
	if _, err := s.Quote(t.Context(), orderstore.QuoteRequest{GoodsID: "vip-month"}); !errors.Is(err, orderstore.ErrNoGoods) {
		t.Errorf("half of the goods were put: %v", err)
	}
}
