// Package ledger holds the store against the bill that WeChat Pay makes of
// every day (交易账单): the last look at a payment that no notification told of
// and no query asked about, and the only one at what the store says and WeChat
// does not.
//
// A bill is a fact like others: what it says reaches an order through the same
// transitions, and only the two functions in [Config] write. What they cannot
// mend is a [Difference] with a remedy for people.
package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// Days that have no bill. Nothing was asked and nothing changed.
var (
	ErrTooEarly = errors.New("ledger: a bill is made in the morning after its day")
	ErrTooOld   = errors.New("ledger: bills are kept for three months")
)

// kept is longer than any three months; WeChat knows the exact day.
const kept = 93

// Config says what a [Ledger] works with. All fields are required.
type Config struct {
	Store Store
	// MchID is the merchant whose bills come. A store may have orders of
	// several; those of others are not missed.
	MchID string
	// Bill gets the bill of the day in Beijing that begins at day, checked from
	// end to end. [wxapi.ErrNoBill] means that nothing happened that day.
	Bill func(ctx context.Context, day time.Time) (Bill, error)
	// Settle and SettleRefund take what the bill says to the order, as any
	// other fact, and return the order as it is then. An
	// [orderstore.ErrMismatch] is an answer; any other error, with which they
	// return no order, ends the comparison.
	Settle       func(context.Context, orderstore.Payment) (orderstore.Order, error)
	SettleRefund func(context.Context, orderstore.RefundResult) (orderstore.Order, error)
	Now          func() time.Time
}

// Store is what is read of an [orderstore.Store].
type Store interface {
	Get(ctx context.Context, outTradeNo string) (orderstore.Order, error)
	Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error)
}

// Bill is a bill that can be read any number of times. It is a
// [*wxapi.BillFile].
type Bill interface {
	Rows() iter.Seq2[wxapi.BillRow, error]
	Close() error
}

var _ Bill = (*wxapi.BillFile)(nil)

// Ledger is safe for concurrent use, also by several processes on one store.
type Ledger struct{ cfg Config }

// New returns a Ledger. It starts nothing.
func New(cfg Config) *Ledger { return &Ledger{cfg: cfg} }

// Report is what a comparison found.
type Report struct {
	Day      time.Time // the midnight in Beijing at which it begins
	NoBill   bool      // WeChat Pay has none: nothing happened that day
	Payments int       // in the bill
	Refunds  int       // in the bill
	// Differences are in the order of the bill: payments, then refunds, then
	// what the bill lacks. Of each kind the first [MaxListed] are here; Counts
	// has them all, and has no entry for a kind that was not found.
	Differences []Difference
	Counts      map[Kind]Count
}

// Count is how many differences of a kind were found, and how many of these
// were repaired.
type Count struct{ Found, Repaired int }

// MaxListed is how many differences of one kind a report lists. Another system
// that sells on the same merchant account must not fill the memory.
const MaxListed = 1000

// Compare holds the store against the bill of the day of Beijing in which the
// moment lies, repairs what the bill proves, and returns all differences. The
// next comparison of that day finds only what was not repaired.
//
// A day without a bill is [ErrTooEarly] or [ErrTooOld]; what Config.Bill
// returned is passed on, and nothing was changed then. After any other error,
// of the store or of reading the bill, the report has what was found before:
// compare again.
//
// It reads one order for each row of the bill, one after another, and then the
// orders paid that day in pages. In memory it keeps 16 bytes, with what a map
// adds about 40, for each row of an order that the store has.
func (l *Ledger) Compare(ctx context.Context, day time.Time) (Report, error) {
	c := comparison{cfg: l.cfg, from: midnight(day), seen: make(seen)}
	c.report.Day = c.from
	if err := reachable(c.from, midnight(l.cfg.Now())); err != nil {
		return c.report, err
	}
	bill, err := l.cfg.Bill(ctx, c.from)
	switch {
	case errors.Is(err, wxapi.ErrNoBill):
		bill, c.report.NoBill = noBill{}, true
	case err != nil:
		return c.report, err
	}
	if err = c.compare(ctx, bill); err != nil {
		err = fmt.Errorf("compare with the bill of %s: %w", c.from.Format(time.DateOnly), err)
	}
	return c.report, errors.Join(err, bill.Close())
}

// reachable refuses days that surely have no bill.
func reachable(day, today time.Time) error {
	switch {
	case !day.Before(today):
		return fmt.Errorf("%w: %s", ErrTooEarly, day.Format(time.DateOnly))
	case day.Before(today.AddDate(0, 0, -kept)):
		return fmt.Errorf("%w: %s", ErrTooOld, day.Format(time.DateOnly))
	}
	return nil
}

// comparison is one run of Compare.
type comparison struct {
	cfg    Config
	from   time.Time
	seen   seen // of the bill, in orders that the store has
	report Report
}

// compare reads the bill twice: a refund may stand before the payment that
// makes its order a paid one.
func (c *comparison) compare(ctx context.Context, bill Bill) error {
	if err := each(bill, false, func(row wxapi.BillRow) error { return c.payment(ctx, row) }); err != nil {
		return err
	}
	if err := each(bill, true, func(row wxapi.BillRow) error { return c.refund(ctx, row) }); err != nil {
		return err
	}
	return c.missing(ctx)
}

func each(bill Bill, refunds bool, do func(wxapi.BillRow) error) error {
	for row, err := range bill.Rows() {
		if err != nil {
			return err
		}
		if (row.TradeState == wxapi.StateRefund) != refunds {
			continue
		}
		if err := do(row); err != nil {
			return fmt.Errorf("order %s: %w", row.OutTradeNo, err)
		}
	}
	return nil
}

// found writes the difference down, with a remedy.
func (c *comparison) found(d Difference) {
	if c.report.Counts == nil {
		c.report.Counts = make(map[Kind]Count)
	}
	n := c.report.Counts[d.Kind]
	if n.Found++; d.Repaired {
		n.Repaired++
	}
	c.report.Counts[d.Kind] = n
	d.Remedy = cmp.Or(d.Remedy, d.remedy())
	if n.Found <= MaxListed {
		c.report.Differences = append(c.report.Differences, d)
	}
}

// noBill is the bill of a day on which nothing happened.
type noBill struct{}

func (noBill) Rows() iter.Seq2[wxapi.BillRow, error] {
	return func(func(wxapi.BillRow, error) bool) {}
}

func (noBill) Close() error { return nil }

// beijing is where the days of bills begin. There is no summer time.
func beijing() *time.Location { return time.FixedZone("CST", 8*60*60) }

func midnight(at time.Time) time.Time {
	year, month, day := at.In(beijing()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, beijing())
}
