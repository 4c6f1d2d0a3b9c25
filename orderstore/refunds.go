package orderstore

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Refunds are the refunds of an order, the oldest first. To a database they
// are one column of JSON text, empty for none: Refunds is a driver.Valuer and
// a sql.Scanner, so that a store writes them with the order in one statement.
type Refunds []Refund

// sum is what has gone back, and the state that most needs attention.
func (list Refunds) sum() (refunded Fen, status RefundStatus) {
	urgency := []RefundStatus{RefundClosed, RefundRefused, RefundSuccess, RefundProcessing, RefundApplying, RefundAbnormal}
	most := -1
	for _, r := range list {
		if r.Status == RefundSuccess {
			refunded += r.Amount
		}
		if i := slices.Index(urgency, r.Status); i > most {
			most, status = i, r.Status
		}
	}
	return refunded, status
}

// Stored returns a copy as stores keep it: times in UTC at microseconds, and
// nil for none.
func (list Refunds) Stored() Refunds {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	for i := range list {
		r := &list[i]
		for _, at := range []*time.Time{
			&r.CreatedAt, &r.AppliedAt, &r.AcceptedAt, &r.RefundedAt, &r.OnItsWayUntil, &r.NextActionAt, &r.HandedOverAt,
		} {
			*at = at.UTC().Truncate(time.Microsecond)
		}
	}
	return list
}

// Value is the column's text.
func (list Refunds) Value() (driver.Value, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list.Stored())
	return string(text), err
}

// Scan reads the column; NULL and the empty text are no refunds.
func (list *Refunds) Scan(src any) error {
	var text []byte
	switch v := src.(type) {
	case nil:
	case string:
		text = []byte(v)
	case []byte:
		text = v
	default:
		return fmt.Errorf("refunds are stored as %T, not as text", src)
	}
	var read Refunds
	if len(text) > 0 {
		if err := json.Unmarshal(text, &read); err != nil {
			return fmt.Errorf("refunds: %w", err)
		}
	}
	*list = read.Stored() // JSON has no UTC, only an offset of zero
	return nil
}
