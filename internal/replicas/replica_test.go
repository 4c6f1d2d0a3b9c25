package replicas

import (
	"context"
	"database/sql"
	"log"
	"log/slog"
	"os"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/mysql"
	"github.com/wxpaykit/wxpay/orderstore/postgres"
	"github.com/wxpaykit/wxpay/worker"
)

// TestMain is a replica when a test starts it as a process.
func TestMain(m *testing.M) {
	if os.Getenv("REPLICA_NAME") == "" {
		os.Exit(m.Run())
	}
	if err := replica(context.Background(), os.Getenv("REPLICA_NAME"), os.Getenv("REPLICA_DRIVER"), os.Getenv("REPLICA_DSN")); err != nil {
		log.Fatal(err)
	}
}

// hanging is the replica whose application never answers: it holds what it has
// claimed until it is killed.
const hanging = "hanging"

// deadline is what a call of the application gets.
const deadline = 2 * time.Second

// replica works until it is killed. What it does it writes into the table
// deeds.
func replica(ctx context.Context, name, driver, dsn string) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(12)
	store, err := newStore(ctx, driver, db)
	if err != nil {
		return err
	}
	do := func(ctx context.Context, deed string, o orderstore.Order) error {
		_, err := db.ExecContext(ctx, bind(driver, "INSERT INTO deeds (deed, out_trade_no, replica, at) VALUES (?, ?, ?, ?)"),
			deed, o.OutTradeNo, name, time.Now().UnixMicro())
		return err
	}
	return worker.New(worker.Config{
		Store: store,
		OnPaid: func(ctx context.Context, o orderstore.Order) error {
			if name == hanging {
				_ = do(ctx, "held", o)
				select {}
			}
			return do(ctx, "handed over", o)
		},
		OnRefunded: func(context.Context, orderstore.Order, orderstore.Refund) error { return nil },
		Deadline:   deadline,
		MayAsk:     func(string, time.Time) bool { return true },
		Ask:        func(ctx context.Context, o orderstore.Order) error { return do(ctx, "asked", o) },
		Close:      func(ctx context.Context, o orderstore.Order) error { return do(ctx, "closed", o) },
		StepRefund: func(context.Context, orderstore.Order, orderstore.Refund) error { return nil },
		Interval:   200 * time.Millisecond,
		Parallel:   8,
		Now:        time.Now,
		Logger:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}).Run(ctx)
}

func newStore(ctx context.Context, driver string, db *sql.DB) (orderstore.Store, error) {
	if driver == "pgx" {
		return postgres.New(ctx, db, postgres.Options{Undurable: true})
	}
	return mysql.New(ctx, db, mysql.Options{Undurable: true})
}
