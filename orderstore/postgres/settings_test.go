package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstoretest"
	"github.com/wxpaykit/wxpay/orderstore/postgres"
)

// What is committed must be on the disk, unless somebody says that it need not.
func TestNewRefusesWhatIsNotDurable(t *testing.T) {
	t.Parallel()
	s := server(t)
	name := s.Create(t)
	db := s.Connect(t, s.Addr, name, sqlstoretest.Settings{"synchronous_commit": "off"})
	if err := postgres.Migrate(t.Context(), db, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := postgres.New(t.Context(), db, postgres.Options{}); err == nil || !strings.Contains(err.Error(), "add synchronous_commit=on to the DSN") {
		t.Errorf("New with synchronous_commit=off: %v", err)
	}
	if _, err := postgres.New(t.Context(), db, postgres.Options{Undurable: true}); err != nil {
		t.Error(err)
	}
	db = s.Connect(t, s.Addr, name, sqlstoretest.Settings{"synchronous_commit": "local"})
	if _, err := postgres.New(t.Context(), db, postgres.Options{}); err != nil {
		t.Errorf("New with synchronous_commit=local: %v", err)
	}
}

// A role that may only read, or only write orders but no history, is found out
// before the first payment.
func TestNewRefusesARoleWithoutRights(t *testing.T) {
	t.Parallel()
	s := server(t)
	name := s.Create(t)
	db := s.Connect(t, s.Addr, name, nil)
	if err := postgres.Migrate(t.Context(), db, postgres.Options{}); err != nil {
		t.Fatal(err)
	}
	do := func(text string) {
		t.Helper()
		if _, err := db.Exec(strings.ReplaceAll(text, "THEM", name)); err != nil {
			t.Fatal(err)
		}
	}
	do("CREATE ROLE THEM")
	t.Cleanup(func() {
		for _, text := range []string{"DROP OWNED BY ", "DROP ROLE "} {
			if _, err := db.Exec(text + name); err != nil {
				t.Error(err)
			}
		}
	})
	do("GRANT USAGE ON SCHEMA THEM TO THEM")
	as := s.Connect(t, s.Addr, name, sqlstoretest.Settings{"role": name})
	for _, c := range []struct{ grant, says string }{
		{"GRANT SELECT ON ALL TABLES IN SCHEMA THEM TO THEM", "orders cannot be written"},
		{"GRANT INSERT, UPDATE ON pay_order_record TO THEM", "orders cannot be written"},
		{"GRANT INSERT ON pay_order_event TO THEM", ""},
	} {
		do(c.grant)
		_, err := postgres.New(t.Context(), as, postgres.Options{})
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("after %s: %v, want %q", c.grant, err, c.says)
		}
	}
	// These rights are enough.
	store, err := postgres.New(t.Context(), as, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := sqlstoretest.NewOrder("tzxz_1")
	if err := errors.Join(store.Create(t.Context(), o), store.Save(t.Context(), o.Saved())); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for code, want := range map[string][2]bool{ // tried again, certainly not committed
		"40001": {true, true}, "40P01": {true, true}, "55P03": {true, true}, "23503": {false, true}, "23505": {false, true},
		"25006": {false, true}, "40003": {}, "57P01": {}, "57P02": {}, "57014": {}, "08006": {}, "08007": {}, "53100": {}, "58030": {}, "XX000": {},
	} {
		err := fmt.Errorf("commit: %w", &pgconn.PgError{Code: code})
		if got := [2]bool{postgres.GaveUp(err), postgres.Refused(err)}; got != want {
			t.Errorf("%s: %v, want %v", code, got, want)
		}
	}
	for _, err := range []error{context.Canceled, errors.New("unexpected EOF")} {
		if postgres.GaveUp(err) || postgres.Refused(err) {
			t.Errorf("%v counts as the server's answer", err)
		}
	}
}
