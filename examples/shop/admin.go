package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
)

// admin is the one person who may refund. A real shop asks its own roles here.
const admin = "admin"

var errNotAdmin = errors.New("only the user admin may refund")

// authorizeRefund is the kit's AuthorizeRefund: it stands before refunds and
// before the history of an order.
func authorizeRefund(_ *http.Request, userID string, _ wxpay.Order) error {
	if userID != admin {
		return errNotAdmin
	}
	return nil
}

// adminView is what the page of an order shows to the admin only.
type adminView struct {
	Owner    string
	Left     orderstore.Fen // to refund
	Timeline string
}

func (p *pages) adminViewOf(ctx context.Context, o wxpay.Order) (*adminView, error) {
	events, err := p.orders.Events(ctx, o.OutTradeNo)
	if err != nil {
		return nil, err
	}
	return &adminView{Owner: o.UserID, Left: o.Refundable(), Timeline: orderstore.Timeline(o, events)}, nil
}
