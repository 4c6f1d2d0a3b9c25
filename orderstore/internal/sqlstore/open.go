package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Open returns the store in the tables whose names begin with prefix. It
// changes nothing, and reports an error unless they are this package's and can
// be written.
func (e Engine) Open(ctx context.Context, db *sql.DB, prefix string, onPaidTx OnPaidTx) (*Store, error) {
	if err := CheckPrefix(prefix); err != nil {
		return nil, err
	}
	version, err := e.version(ctx, db, prefix)
	if err != nil {
		return nil, err
	}
	steps, err := e.steps()
	if err != nil {
		return nil, err
	}
	if version < len(steps) {
		return nil, fmt.Errorf("the tables have schema version %d, this program needs %d: run Migrate, or the files of the schema", version, len(steps))
	}
	s := &Store{db: db, sql: e.Statements(prefix), engine: e, prefix: prefix, onPaidTx: onPaidTx}
	return s, s.sql.try(ctx, db)
}

// CheckTables reports whether the store's tables are still this package's and
// can be written. It changes nothing. It is no method because those are the
// public stores', too.
func CheckTables(ctx context.Context, s *Store) error {
	version, err := s.engine.version(ctx, s.db, s.prefix)
	if err != nil {
		return err
	}
	steps, err := s.engine.steps()
	if err != nil {
		return err
	}
	if version < len(steps) {
		return fmt.Errorf("the tables have schema version %d, this program needs %d", version, len(steps))
	}
	return s.sql.try(ctx, s.db)
}

// try runs statements like those of the store, which change nothing: tables
// that are not the ones expected, or that may not be written, are found out
// now, not at the first payment.
func (s Statements) try(ctx context.Context, db *sql.DB) error {
	for _, trial := range s.trials() {
		if _, err := db.ExecContext(ctx, trial); err != nil {
			return fmt.Errorf("the tables are not this package's: %w", err)
		}
	}
	for _, write := range []string{
		s.text("UPDATE pay_order_record SET version = version WHERE out_trade_no = ''"),
		s.insertNothing("pay_order_record", s.written(orderColumns)),
		s.insertNothing("pay_order_event", s.eventColumns()),
	} {
		if _, err := db.ExecContext(ctx, write); err != nil {
			return fmt.Errorf("orders cannot be written: %w", err)
		}
	}
	return nil
}

// trials name every column of every table, by the table's name.
func (s Statements) trials() map[string]string {
	trials := make(map[string]string)
	for name, columns := range map[string][]string{
		"pay_order_record": s.written(orderColumns),
		"pay_order_event":  s.eventColumns(),
		"goods_info":       namesOf(goodsColumns),
	} {
		trials[s.text("%s", name)] = s.text("SELECT %s FROM %s WHERE 1 = 0", list(columns, "%s"), name)
	}
	return trials
}

func (s Statements) insertNothing(table string, columns []string) string {
	all := list(columns, "%s")
	return s.text("INSERT INTO %s (%s) SELECT %s FROM %s WHERE 1 = 0", table, all, all, table)
}

// eventColumns are the columns of an event's row.
func (s Statements) eventColumns() []string {
	return append([]string{"out_trade_no", "seq"}, namesOf(eventColumns)...)
}

// SQLState returns the five characters with which an error names its kind, as
// standard SQL has them, if err tells them by a method.
func SQLState(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}
