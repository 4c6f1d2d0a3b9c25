package wxpay

import "net/http"

// CloseOrder gives an unpaid order up: POST /orders/{out_trade_no}/close. It
// is closed here only after WeChat has closed it; a customer who was quicker
// wins.
func (k *Kit) CloseOrder() http.Handler {
	return k.endpoint("close", func(_ http.ResponseWriter, r *http.Request) (answer, error) {
		userID, err := k.poster(r)
		if err != nil {
			return answer{}, err
		}
		o, err := k.ownOrder(r, userID, pathValue(r, "out_trade_no"))
		if err != nil {
			return answer{}, err
		}
		closed, err := k.till.Close(r.Context(), *o)
		if err != nil {
			return answer{}, err
		}
		return done(closed.OutTradeNo, show(&closed), text{"订单已关闭", "order closed"}), nil
	})
}
