package sqlstore

import (
	"context"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// partly reads a row of which only some columns of text are filled in.
type partly map[string]string

func (r partly) Query(_ context.Context, _ string, _ []any, next func() []any) error {
	for i, place := range next() {
		if text, ok := r[readableOrder[i].name]; ok {
			*place.(*string) = text
		}
	}
	return nil
}

// TestLoadKeepsNothing: where a row goes is used again, and nothing that was read
// before is in an order that is read later.
func TestLoadKeepsNothing(t *testing.T) {
	t.Parallel()
	var s Statements
	for range 100 { // the pool need not keep anything
		var first, second orderstore.Order
		if err := s.Load(t.Context(), partly{"out_trade_no": "first", "openid": "o-1"}, "first", &first); err != nil || first.OpenID != "o-1" {
			t.Fatalf("%+v, %v", first, err)
		}
		if err := s.Load(t.Context(), partly{"out_trade_no": "second"}, "second", &second); err != nil || second.OutTradeNo != "second" || second.OpenID != "" {
			t.Fatalf("%+v, %v: want nothing of the first", second, err)
		}
	}
}
