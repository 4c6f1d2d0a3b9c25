package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// vanished is a server that has taken a connection, and never says anything
// any more.
type vanished struct{}

func (vanished) Connect(context.Context) (driver.Conn, error) { return vanished{}, nil }
func (vanished) Driver() driver.Driver                        { return nil }
func (vanished) Prepare(string) (driver.Stmt, error)          { return nil, driver.ErrSkip }
func (vanished) Close() error                                 { return nil }
func (vanished) Begin() (driver.Tx, error)                    { return vanished{}, nil }
func (vanished) Commit() error                                { return nil }
func (vanished) Rollback() error                              { return nil }

func (vanished) QueryContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Rows, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (vanished) ExecContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Result, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestVanished: nobody waits for ever for a server that says nothing, also not
// those whose own context has no end.
func TestVanished(t *testing.T) {
	t.Parallel()
	o := orderstore.Order{OutTradeNo: "tzxz_1", UserID: "u", Total: 1, Version: 1}
	for name, ask := range map[string]func(context.Context, *Store) error{
		"Create":   func(ctx context.Context, s *Store) error { return s.Create(ctx, o) },
		"Save":     func(ctx context.Context, s *Store) error { return s.Save(ctx, o) },
		"PutGoods": func(ctx context.Context, s *Store) error { return s.PutGoods(ctx, orderstore.Goods{GoodsID: "g"}) },
		"Update":   func(ctx context.Context, s *Store) error { _, err := Together(s)(ctx, "tzxz_1", nil); return err },
		"Get":      func(ctx context.Context, s *Store) error { _, err := s.Get(ctx, "tzxz_1"); return err },
		"Due":      func(ctx context.Context, s *Store) error { _, err := s.Due(ctx, time.Now(), 1); return err },
		"Find":     func(ctx context.Context, s *Store) error { _, err := s.Find(ctx, "ref"); return err },
		"Paid": func(ctx context.Context, s *Store) error {
			_, err := s.Paid(ctx, time.Now(), time.Now().Add(1), "", 1)
			return err
		},
		"Events": func(ctx context.Context, s *Store) error { _, err := s.Events(ctx, "tzxz_1"); return err },
		"Quote": func(ctx context.Context, s *Store) error {
			_, err := s.Quote(ctx, orderstore.QuoteRequest{GoodsID: "g"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				db := sql.OpenDB(vanished{})
				defer db.Close()
				engine := Engine{Retry: func(error) bool { return false }, Refused: func(error) bool { return false }}
				s := &Store{db: db, sql: engine.Statements(""), engine: engine}
				began := time.Now()
				err := ask(t.Context(), s)
				if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != maxAnswer {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}
