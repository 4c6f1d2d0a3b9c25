package main

import (
	"errors"
	"net/http"

	"github.com/wxpaykit/wxpay"
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
