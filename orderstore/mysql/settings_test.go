package mysql_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	gomysql "github.com/go-sql-driver/mysql"

	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstoretest"
	"github.com/wxpaykit/wxpay/orderstore/mysql"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

// A connection that would change text without a word is refused.
func TestNewRefusesWhatChangesText(t *testing.T) {
	t.Parallel()
	s := server(t)
	name := s.Create(t)
	if err := mysql.Migrate(t.Context(), s.Connect(t, s.Addr, name, nil), mysql.Options{}); err != nil {
		t.Fatal(err)
	}
	for says, c := range map[string]struct {
		name     string
		settings sqlstoretest.Settings
	}{
		"STRICT_TRANS_TABLES is needed": {name, sqlstoretest.Settings{"sql_mode": "''"}},
		"add charset=utf8mb4":           {name, sqlstoretest.Settings{"charset": "latin1"}},
		"the DSN names no database":     {"", nil},
	} {
		if _, err := mysql.New(t.Context(), s.Connect(t, s.Addr, c.name, c.settings), mysql.Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("New returned %v, want an error that says %q", err, says)
		}
	}
	for _, mode := range []string{"'STRICT_ALL_TABLES'", "'TRADITIONAL'", "'STRICT_TRANS_TABLES,ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"} {
		db := s.Connect(t, s.Addr, name, sqlstoretest.Settings{"sql_mode": mode, "interpolateParams": "true"})
		store, err := mysql.New(t.Context(), db, mysql.Options{})
		if err != nil {
			t.Errorf("New with sql_mode %s: %v", mode, err)
			continue
		}
		o := sqlstoretest.NewOrder("tzxz_" + strings.ToLower(mode[1:9]))
		o.Device = `\' "OR" 1=1 -- \`
		if err := store.Create(t.Context(), o); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		if got, err := store.Get(t.Context(), o.OutTradeNo); err != nil || got.Device != o.Device {
			t.Errorf("%s: %q, %v", mode, got.Device, err)
		}
	}
}

// MariaDB can refuse to write what has changed since it was read, and newer
// versions do.
func TestLawsWithSnapshotIsolation(t *testing.T) {
	t.Parallel()
	s := server(t)
	name := s.Create(t)
	var there int
	plain := s.Connect(t, s.Addr, name, nil)
	err := plain.QueryRow("SELECT count(*) FROM information_schema.system_variables WHERE variable_name = 'innodb_snapshot_isolation'").Scan(&there)
	if err != nil || there == 0 {
		t.Skipf("this server has no innodb_snapshot_isolation (%v)", err)
	}
	isolated := sqlstoretest.Settings{"innodb_snapshot_isolation": "1"}
	s.Isolation = func(string) sqlstoretest.Settings { return isolated }
	t.Run("hooks", func(t *testing.T) { sqlstoretest.Hooks(t, s) })
	t.Run("writers", func(t *testing.T) { sqlstoretest.Writers(t, s) })
	if err := mysql.Migrate(t.Context(), plain, mysql.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range storetest.Cases() {
		if strings.HasPrefix(c.Name, "Race/") {
			store, err := mysql.New(t.Context(), s.Connect(t, s.Addr, name, isolated), mysql.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Run(t.Context(), store); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for number, want := range map[uint16]bool{1213: true, 1205: true, 1020: true, 1062: false, 1047: false, 1290: false, 1406: false, 12130: false} {
		for _, state := range []string{"", "HY000"} {
			e := &gomysql.MySQLError{Number: number, Message: "Deadlock found"}
			copy(e.SQLState[:], state)
			for _, err := range []error{e, fmt.Errorf("write: save order: %w", e), fmt.Errorf("OnPaidTx: %w", errors.Join(e, errors.New("and more")))} {
				if got := mysql.GaveUp(err); got != want {
					t.Errorf("%v: %t, want %t", err, got, want)
				}
			}
		}
	}
	for _, err := range []error{nil, driver.ErrBadConn, gomysql.ErrInvalidConn, errors.New("order Error 1213")} {
		if mysql.GaveUp(err) || mysql.Refused(err) {
			t.Errorf("%v counts as the server's answer", err)
		}
	}
}
