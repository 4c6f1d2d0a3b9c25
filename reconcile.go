package wxpay

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/wxpaykit/wxpay/ledger"
	"github.com/wxpaykit/wxpay/wxapi"
)

// Reconcile compares the store with WeChat Pay's bill of the day of Beijing in
// which the moment lies (T+1 对账): payments that nobody told us of become paid
// through the same rules as any other, and every difference is returned with
// its remedy. Bills are there from ten o'clock of the next morning on, for three
// months.
//
// Expect [ledger.ErrTooEarly], [ledger.ErrTooOld], [wxapi.ErrBillNotReady] and
// [wxapi.ErrBillDamaged]. Doing it again is always safe.
func (k *Kit) Reconcile(ctx context.Context, day time.Time) (ledger.Report, error) {
	report, err := k.ledger.Compare(ctx, day)
	k.reconciled(ctx, report, err)
	return report, err
}

// newLedger compares this merchant's bills with the store.
func (k *Kit) newLedger() *ledger.Ledger {
	return ledger.New(ledger.Config{
		Store: k.opt.Store,
		MchID: k.acct.signer.MchID,
		Bill: func(ctx context.Context, day time.Time) (ledger.Bill, error) {
			if k.api == nil {
				return nil, errNoAPIv3
			}
			bill, err := k.api.TradeBill(ctx, day, wxapi.BillOptions{})
			if err != nil {
				return nil, err // never a nil *wxapi.BillFile in an interface
			}
			return bill, nil
		},
		Settle:       k.till.Settle,
		SettleRefund: k.till.SettleRefund,
		Now:          k.opt.Now,
	})
}

// reconcileDaily compares every day, until ctx ends. Processes that start
// together do not ask together.
func (k *Kit) reconcileDaily(ctx context.Context) {
	k.ledger.RunDaily(ctx, rand.N(ledger.Retry), func(report ledger.Report, err error) { k.reconciled(ctx, report, err) })
}

// reconciled tells log and hooks what a comparison found.
func (k *Kit) reconciled(ctx context.Context, report ledger.Report, err error) {
	log := k.opt.Logger.With(slog.String("day", report.Day.Format(time.DateOnly)))
	for _, d := range report.Differences {
		level := slog.LevelError // somebody must act
		if d.Repaired {
			level = slog.LevelWarn
		}
		log.LogAttrs(ctx, level, "bill and store differ", slog.String("kind", string(d.Kind)),
			slog.String("order_no", d.OutTradeNo), slog.String("refund_no", d.OutRefundNo), slog.String("transaction_id", d.TransactionID),
			slog.String("here", d.Here), slog.String("there", d.There), slog.Bool("repaired", d.Repaired), slog.String("remedy", d.Remedy))
	}
	switch {
	case err == nil:
		log.InfoContext(ctx, "bill compared", slog.Int("payments", report.Payments), slog.Int("refunds", report.Refunds), slog.Int("differences", len(report.Differences)))
	case errors.Is(err, wxapi.ErrBillNotReady):
		log.InfoContext(ctx, "bill is still being made")
	default:
		log.ErrorContext(ctx, "bill could not be compared", slog.Any("cause", err))
	}
	k.opt.Hooks.Reconciled(ctx, ReconciledInfo{Report: report, Err: err})
}
