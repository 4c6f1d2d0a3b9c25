// Package sqlstoretest tests the stores on database servers, which differ in
// little: what holds on one must hold on the others.
package sqlstoretest

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Store is what the stores on database servers are.
type Store interface {
	orderstore.Store
	Quote(context.Context, orderstore.QuoteRequest) (orderstore.Quote, error)
	PutGoods(context.Context, ...orderstore.Goods) error
	Check(context.Context) error
}

// Hook is what an application does in the transaction.
type Hook = func(context.Context, *sql.Tx, orderstore.Order) error

// Options are those of the stores.
type Options struct {
	TablePrefix string
	OnPaidTx    Hook
}

// Settings are parameters of a connection; nil for none.
type Settings map[string]string

// Server is a database server, and the package that keeps orders on it.
type Server struct {
	// Addr is where it listens.
	Addr string
	// Create makes an empty database, or what is as good as one, and drops it
	// with the test.
	Create func(t testing.TB) (name string)
	// Connect opens a database at addr, which is Addr or what leads there.
	Connect func(t testing.TB, addr, name string, settings Settings) *sql.DB
	// Migrate and New are the package's.
	Migrate func(context.Context, *sql.DB, Options) error
	New     func(context.Context, *sql.DB, Options) (Store, error)

	// Commit is how a connection's driver asks for a commit.
	Commit []byte
	// Isolation sets the isolation of the transactions of a connection.
	Isolation func(level string) Settings
	// Variants are settings with which a store must work as with others.
	Variants map[string]Settings
	// ReadOnly makes a connection one that cannot write.
	ReadOnly Settings
	// Impatient makes a connection wait for a lock for a second only.
	Impatient Settings
	// Multi lets a connection run several statements at once.
	Multi Settings
	// Fast are the settings that the package recommends for speed.
	Fast Settings
	// Queries are the package's, by method. Plans has what EXPLAIN must say of
	// each, or must not, behind a !. Analyze makes it up to date.
	Queries map[string]string
	Plans   map[string][]string
	Analyze func(t testing.TB, db *sql.DB)
	// KillOthers ends all other connections to the database.
	KillOthers func(t testing.TB, db *sql.DB)
	// Tables lists all tables of the database.
	Tables string
}

// DSN returns the value of the variable that names the server for tests. Without
// it the test is skipped, and fails where nothing may be skipped.
func DSN(t testing.TB, variable string) string {
	t.Helper()
	dsn := os.Getenv(variable)
	switch {
	case dsn != "":
	case os.Getenv("CI") != "":
		t.Fatalf("CI is set and %s is not", variable)
	default:
		t.Skipf("%s is not set", variable)
	}
	return dsn
}

// NewName is a name for a database that no other test has.
func NewName() string { return fmt.Sprintf("wxpay_test_%x", rand.Uint64()) }

// Pool is how many connections a test has at most: other tests have theirs.
const Pool = 8

// database returns connections to a new database with the tables in it, and
// its name.
func (s Server) database(t testing.TB, settings Settings) (*sql.DB, string) {
	t.Helper()
	name := s.Create(t)
	db := s.Connect(t, s.Addr, name, settings)
	if err := s.Migrate(t.Context(), db, Options{}); err != nil {
		t.Fatal(err)
	}
	return db, name
}

// open returns a store on db.
func (s Server) open(t testing.TB, db *sql.DB, opts Options) Store {
	t.Helper()
	store, err := s.New(t.Context(), db, opts)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

var epoch = time.Date(2026, 3, 4, 5, 6, 7, 890123000, time.UTC)

// NewOrder is an order as the kit creates one.
func NewOrder(number string) orderstore.Order {
	return orderstore.Order{
		OutTradeNo: number, UserID: "3cca32f4bb", GoodsID: "vip-month", Description: "1个月会员",
		Total: 100, Currency: orderstore.CNY, Product: orderstore.App,
		MchID: "1900000001", AppID: "wxd678efh567hg6787",
		CreatedAt: epoch, UpdatedAt: epoch,
		Events: []orderstore.Event{{At: epoch, Kind: orderstore.EventCreated}},
	}
}

// touch is a change that leaves exactly one event.
func touch(o orderstore.Order) (orderstore.Order, bool) {
	o.HandOverTries++
	o.Events = append(o.Events, orderstore.Event{At: epoch, Kind: orderstore.EventHandOverFailed})
	return o, true
}

// touched is the order after one change.
func touched(o orderstore.Order) orderstore.Order { o, _ = touch(o); return o }

// paid returns the order as WeChat's notification makes it.
func paid(t testing.TB, o orderstore.Order) orderstore.Order {
	t.Helper()
	o, outcome, err := o.Apply(orderstore.Payment{
		OutTradeNo: o.OutTradeNo, MchID: o.MchID, AppID: o.AppID, TradeState: orderstore.TradeSuccess,
		TransactionID: "1217752501201407033233368018", Total: o.Total, PayerTotal: o.Total, Currency: o.Currency,
		PaidAt: epoch.Add(time.Second),
	}, epoch.Add(2*time.Second))
	if err != nil || outcome != orderstore.BecamePaid && outcome != orderstore.BecamePaidLate {
		t.Fatalf("the payment: %v, %v", outcome, err)
	}
	return o
}

func closed(t testing.TB, o orderstore.Order) orderstore.Order {
	t.Helper()
	o, err := o.Close(orderstore.FromClose, "", epoch.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// create stores a new order and returns it as it is stored.
func create(t testing.TB, s Store, o orderstore.Order) orderstore.Order {
	t.Helper()
	if err := s.Create(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return o.Saved()
}

func get(t testing.TB, s Store, number string) orderstore.Order {
	t.Helper()
	o, err := s.Get(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// check reports unless the order has that version, and as many events, none of
// them of a later write.
func check(t testing.TB, db *sql.DB, s Store, number string, version int64, events int) {
	t.Helper()
	o, err := s.Get(t.Context(), number)
	if err != nil && version > 0 || err == nil && o.Version != version {
		t.Errorf("%s has version %d (%v), want %d", number, o.Version, err, version)
	}
	var n, last int
	err = db.QueryRow("SELECT count(*), coalesce(max(seq), 0) FROM pay_order_event WHERE out_trade_no = '"+number+"'").Scan(&n, &last)
	if err != nil || n != events || int64(last)/1000 > version {
		t.Errorf("%s has %d events up to number %d (%v), want %d", number, n, last, err, events)
	}
}

// run runs a statement of the test's own.
func run(t testing.TB, db *sql.DB, text string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
