package worker

import (
	"context"
	"log/slog"

	"github.com/wxpaykit/wxpay/orderstore"
)

// stepRefund takes the next step of a refund at WeChat. What it learnt is
// stored; the next appointment is made already.
func (w *Worker) stepRefund(ctx context.Context, o orderstore.Order, claim orderstore.Refund) {
	if err := w.cfg.StepRefund(ctx, o, claim); err != nil {
		w.cfg.Logger.WarnContext(ctx, "refund is not done yet",
			slog.String("order_no", o.OutTradeNo), slog.String("refund_no", claim.OutRefundNo), slog.Any("cause", err))
	}
}

// reconcile learns from WeChat what became of an order of which nothing was
// heard, and closes one whose time to pay is over. The next appointment is
// made already: what fails here is tried again then.
func (w *Worker) reconcile(ctx context.Context, o orderstore.Order) {
	step, what := w.cfg.Ask, "order could not be asked for at WeChat"
	expired := o.Expired(w.cfg.Now())
	if expired {
		step, what = w.cfg.Close, "expired order could not be closed"
		w.expired.add(o.OutTradeNo, o.ExpiresAt)
	}
	err := step(ctx, o)
	if expired && err == nil {
		w.expired.drop(o.OutTradeNo)
	}
	if err != nil {
		w.cfg.Logger.WarnContext(ctx, what, slog.String("order_no", o.OutTradeNo), slog.Any("cause", err))
	}
}
