package worker

import (
	"context"
	"log/slog"

	"github.com/wxpaykit/wxpay/orderstore"
)

// reconcile learns from WeChat what became of an order of which nothing was
// heard, and closes one whose time to pay is over. The next appointment is
// made already: what fails here is tried again then.
func (w *Worker) reconcile(ctx context.Context, o orderstore.Order) {
	step, what := w.cfg.Ask, "order could not be asked for at WeChat"
	if o.Expired(w.cfg.Now()) {
		step, what = w.cfg.Close, "expired order could not be closed"
	}
	if err := step(ctx, o); err != nil {
		w.cfg.Logger.WarnContext(ctx, what, slog.String("order_no", o.OutTradeNo), slog.Any("cause", err))
	}
}
