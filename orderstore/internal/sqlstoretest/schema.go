package sqlstoretest

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Schema tests how the tables come to be.
func Schema(t *testing.T, s Server) {
	for name, test := range map[string]func(*testing.T, Server){
		"missing": schemaMissing, "made by many at once": schemaAtOnce, "newer": schemaNewer, "older": schemaOlder,
		"somebody else's": schemaOthers, "prefix": schemaPrefix, "plain files": schemaFiles, "read-only": schemaReadOnly,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, s) })
	}
}

// empty returns connections to an empty database, and its name.
func (s Server) empty(t *testing.T) (*sql.DB, string) {
	t.Helper()
	name := s.Create(t)
	return s.Connect(t, s.Addr, name, nil), name
}

func (s Server) tables(t *testing.T, db *sql.DB) (tables []string) {
	t.Helper()
	rows, err := db.Query(s.Tables)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	return tables
}

// refuses reports unless New and Migrate, where it is given, say that.
func (s Server) refuses(t *testing.T, db *sql.DB, opts Options, says string, migrateToo bool) {
	t.Helper()
	before := s.tables(t, db)
	_, err := s.New(t.Context(), db, opts)
	if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "open order store: ") {
		t.Errorf("New returned %v, want an error that says %q", err, says)
	}
	if migrateToo {
		err := s.Migrate(t.Context(), db, opts)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "migrate order store: ") {
			t.Errorf("Migrate returned %v, want an error that says %q", err, says)
		}
	}
	if after := s.tables(t, db); !slices.Equal(before, after) {
		t.Errorf("the tables were %v and are %v", before, after)
	}
}

// checks reports unless an open store says that of itself; "" is nothing.
func (s Server) checks(t *testing.T, store Store, says string) {
	t.Helper()
	switch err := store.Check(t.Context()); {
	case says == "" && err != nil:
		t.Errorf("Check returned %v of a good store", err)
	case says != "" && (err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "check order store: ")):
		t.Errorf("Check returned %v, want an error that says %q", err, says)
	}
}

func schemaMissing(t *testing.T, s Server) {
	db, _ := s.empty(t)
	s.refuses(t, db, Options{}, "run Migrate", false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.New(ctx, db, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("New with a cancelled context: %v", err)
	}
	if err := s.Migrate(ctx, db, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Migrate with a cancelled context: %v", err)
	}
	if tables := s.tables(t, db); len(tables) != 0 {
		t.Errorf("there are tables: %v", tables)
	}
}

func schemaAtOnce(t *testing.T, s Server) {
	for _, level := range []string{"READ COMMITTED", "SERIALIZABLE"} { // the latter reads what was there before it waited
		t.Run(level, func(t *testing.T) { s.migrateAtOnce(t, s.Isolation(level)) })
	}
}

func (s Server) migrateAtOnce(t *testing.T, settings Settings) {
	_, name := s.empty(t)
	var wg sync.WaitGroup
	for range 4 {
		db := s.Connect(t, s.Addr, name, settings)
		for range 3 {
			wg.Go(func() {
				if err := s.Migrate(t.Context(), db, Options{}); err != nil {
					t.Error(err)
				}
				if _, err := s.New(t.Context(), db, Options{}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	db := s.Connect(t, s.Addr, name, nil)
	store := s.open(t, db, Options{})
	create(t, store, NewOrder("tzxz_1"))
	if err := s.Migrate(t.Context(), db, Options{}); err != nil {
		t.Error(err)
	}
	check(t, db, store, "tzxz_1", 1, 1)
}

func schemaNewer(t *testing.T, s Server) {
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	s.checks(t, store, "")
	run(t, db, "INSERT INTO pay_order_schema (version) VALUES (1000)")
	s.refuses(t, db, Options{}, "use a newer program", true)
	s.checks(t, store, "use a newer program")
}

func schemaOlder(t *testing.T, s Server) {
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	run(t, db, "DELETE FROM pay_order_schema")
	s.refuses(t, db, Options{}, "run Migrate", false)
	s.checks(t, store, "this program needs")
}

// A tutorial's table has the name, and other columns.
func schemaOthers(t *testing.T, s Server) {
	db, _ := s.empty(t)
	run(t, db, "CREATE TABLE pay_order_record (out_trade_no VARCHAR(32), total VARCHAR(32))")
	run(t, db, "INSERT INTO pay_order_record VALUES ('tzxz_1', '1.00')")
	err := s.Migrate(t.Context(), db, Options{})
	if err == nil || !strings.Contains(err.Error(), "choose a table prefix") {
		t.Errorf("Migrate beside a tutorial's table: %v", err)
	}
	if tables := s.tables(t, db); !slices.Equal(tables, []string{"pay_order_record"}) {
		t.Errorf("the tables are %v", tables)
	}
	if err := s.Migrate(t.Context(), db, Options{TablePrefix: "wx_"}); err != nil {
		t.Error(err)
	}
	create(t, s.open(t, db, Options{TablePrefix: "wx_"}), NewOrder("tzxz_1"))
	// A record of a version is no proof.
	run(t, db, "CREATE TABLE pay_order_schema (version INT)")
	run(t, db, "INSERT INTO pay_order_schema VALUES (1)")
	s.refuses(t, db, Options{}, "not this package's", true)
}

func schemaPrefix(t *testing.T, s Server) {
	db, _ := s.empty(t)
	for _, bad := range []string{
		"Pay_", "1_", "pay-", "pay.", "pay ", "`", "\"", "x; DROP TABLE users; --", "付", "?", "$1", "%s", strings.Repeat("a", 33),
	} {
		s.refuses(t, db, Options{TablePrefix: bad}, "the table prefix", true)
	}
	var stores []Store
	for _, good := range []string{"", "a_", "_", "pay_order_", "goods_info", strings.Repeat("a", 32)} {
		if err := s.Migrate(t.Context(), db, Options{TablePrefix: good}); err != nil {
			t.Errorf("prefix %q: %v", good, err)
			continue
		}
		stores = append(stores, s.open(t, db, Options{TablePrefix: good}))
	}
	for i, store := range stores { // each has its own orders
		o := NewOrder("tzxz_1")
		o.Platform = i
		o = create(t, store, o)
		if err := store.Save(t.Context(), touched(o)); err != nil {
			t.Error(err)
		}
		if err := store.PutGoods(t.Context(), orderstore.Goods{GoodsID: "vip", Total: orderstore.Fen(i + 1)}); err != nil {
			t.Error(err)
		}
	}
	for i, store := range stores {
		if o := get(t, store, "tzxz_1"); o.Platform != i || o.Version != 2 {
			t.Errorf("store %d has version %d of the order of %d", i, o.Version, o.Platform)
		}
		if q, err := store.Quote(t.Context(), orderstore.QuoteRequest{GoodsID: "vip"}); err != nil || q.Total != orderstore.Fen(i+1) {
			t.Errorf("store %d quotes %v (%v)", i, q.Total, err)
		}
	}
}

// Other tools run the files as they are.
func schemaFiles(t *testing.T, s Server) {
	name := s.Create(t)
	db := s.Connect(t, s.Addr, name, s.Multi)
	files, err := filepath.Glob("schema/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		run(t, db, string(text))
	}
	store := s.open(t, s.Connect(t, s.Addr, name, nil), Options{})
	create(t, store, NewOrder("tzxz_1"))
	if err := s.Migrate(t.Context(), db, Options{}); err != nil {
		t.Error(err)
	}
}

// A database that cannot be written is found out by New, and by a store to
// which it happens.
func schemaReadOnly(t *testing.T, s Server) {
	db, name := s.database(t, nil)
	s.refuses(t, s.Connect(t, s.Addr, name, s.ReadOnly), Options{}, "orders cannot be written", false)
	db.SetMaxOpenConns(1)
	store := s.open(t, db, Options{})
	o := create(t, store, NewOrder("tzxz_1"))
	for setting, value := range s.ReadOnly {
		run(t, db, "SET SESSION "+setting+" = "+value)
	}
	s.checks(t, store, "orders cannot be written")
	for _, err := range []error{store.Save(t.Context(), touched(o)), store.Create(t.Context(), NewOrder("tzxz_2"))} {
		if err == nil || orderstore.ErrConflict == err || !strings.Contains(strings.ReplaceAll(strings.ToLower(err.Error()), "read only", "read-only"), "read-only") {
			t.Errorf("a write to a read-only database: %v", err)
		}
	}
	if got := get(t, store, "tzxz_1"); got.Version != 1 {
		t.Errorf("version %d", got.Version)
	}
}
