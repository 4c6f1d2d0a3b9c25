package postgres_test

import (
	"context"
	"database/sql"
	"log"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/postgres"
)

// The tables are made when the program starts. Any number of processes may do
// that at once.
func ExampleMigrate() {
	db, err := sql.Open("pgx", "postgres://app@db.internal/shop")
	if err != nil {
		log.Fatal(err)
	}
	if err := postgres.Migrate(context.Background(), db, postgres.Options{}); err != nil {
		log.Fatal(err)
	}
}

// The store shares the application's connections, and a membership is granted
// in the transaction that marks its order paid: there is no moment at which
// one is stored and the other is not.
func ExampleNew() {
	db, err := sql.Open("pgx", "postgres://app@db.internal/shop")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	db.SetConnMaxLifetime(30 * time.Minute)
	store, err := postgres.New(context.Background(), db, postgres.Options{
		OnPaidTx: func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO membership (user_id, months) VALUES ($1, 1)
				ON CONFLICT (user_id) DO UPDATE SET months = membership.months + 1`, o.UserID)
			return err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	var _ orderstore.Store = store // as Options.Store of the kit
}
