package orderstore

import (
	"context"
	"errors"
)

// Goods is a row of goods_info, the reference catalogue of the tutorials.
type Goods struct {
	GoodsID     string
	Description string
	Total       Fen
}

// QuoteRequest asks what a purchase costs. Nothing in it was priced by the
// client.
type QuoteRequest struct {
	UserID   string
	GoodsID  string // one of GoodsID and OrderRef is set
	OrderRef string // the application's own order
	Product  Product
}

// Quote is the server's own price.
type Quote struct {
	Total       Fen    // at least 1
	Description string // shown to the customer; cut to WeChat's 127 bytes
	// Ref names the application's own order, when there is one: it is paid
	// once, over however many attempts and products.
	Ref string
	// Attach comes back in query and notification, at most 128 bytes.
	Attach string
	// OrderNumber says which purchase of this user it is, for the record.
	OrderNumber int
}

// ErrNoGoods is what a quote returns for goods or an order it does not know,
// or that are not this user's.
var ErrNoGoods = errors.New("orderstore: no such goods")

// Catalog is a fixed list of goods.
type Catalog []Goods

// Quote prices goods by their GoodsID; it returns [ErrNoGoods].
func (c Catalog) Quote(_ context.Context, r QuoteRequest) (Quote, error) {
	for _, g := range c {
		if r.GoodsID != "" && g.GoodsID == r.GoodsID {
			return Quote{Total: g.Total, Description: g.Description}, nil
		}
	}
	return Quote{}, ErrNoGoods
}
