package wxpay

import (
	"net/http"

	"github.com/wxpaykit/wxpay/orderstore"
)

// paySignAnswer is what POST /paysign answers.
type paySignAnswer struct {
	OutTradeNo string `json:"out_trade_no"`
	PrepayID   string `json:"prepay_id"`
	Pay        any    `json:"pay"`
}

// PaySign signs the parameters of an unpaid order afresh: POST /paysign, for a
// customer who cancelled and tries again, or opens a link to its cashier. When the prepay_id has grown old, the
// frozen prepay is sent again for a new one.
func (k *Kit) PaySign() http.Handler {
	return k.endpoint("paysign", func(w http.ResponseWriter, r *http.Request) (answer, error) {
		if err := k.acct.cross.Check(r); err != nil {
			return answer{}, problemOrigin.because(err)
		}
		v, err := k.viewer(r)
		if err != nil {
			return answer{}, err
		}
		var req struct {
			OutTradeNo string `json:"out_trade_no"`
		}
		if err := readJSON(w, r, &req); err != nil {
			return answer{}, err
		}
		o, _, err := k.seenOrder(r, v, req.OutTradeNo, k.ownOrder)
		if err != nil {
			return answer{}, err
		}
		if o.Product == orderstore.H5 || o.Product == orderstore.Native {
			return answer{}, problemNothingSign.because(nil)
		}
		placed, err := k.till.Place(r.Context(), *o)
		if err != nil {
			return answer{}, err
		}
		pay, err := k.signPay(placed)
		return done(placed.OutTradeNo, paySignAnswer{placed.OutTradeNo, placed.PrepayID, pay}, success), err
	})
}
