package mysql_test

import (
	"context"
	"database/sql"
	"log"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/mysql"
)

// The tables are made when the program starts. Any number of processes may do
// that at once.
func ExampleMigrate() {
	db, err := sql.Open("mysql", "app@tcp(db.internal)/shop?interpolateParams=true&timeout=5s&readTimeout=30s&writeTimeout=30s")
	if err != nil {
		log.Fatal(err)
	}
	if err := mysql.Migrate(context.Background(), db, mysql.Options{}); err != nil {
		log.Fatal(err)
	}
}

// The store shares the application's connections, and a membership is granted
// in the transaction that marks its order paid: there is no moment at which
// one is stored and the other is not.
func ExampleNew() {
	db, err := sql.Open("mysql", "app@tcp(db.internal)/shop?interpolateParams=true&timeout=5s&readTimeout=30s&writeTimeout=30s")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	db.SetConnMaxLifetime(3 * time.Minute)
	store, err := mysql.New(context.Background(), db, mysql.Options{
		OnPaidTx: func(ctx context.Context, tx *sql.Tx, o orderstore.Order) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO membership (user_id, months) VALUES (?, 1)
				ON DUPLICATE KEY UPDATE months = months + 1`, o.UserID)
			return err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	var _ orderstore.Store = store // as Options.Store of the kit
}
