package mysql_test

import (
	"context"
	"database/sql"
	"maps"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstoretest"
	"github.com/wxpaykit/wxpay/orderstore/mysql"
)

// server is the one that WXPAY_TEST_MYSQL_DSN names.
func server(t testing.TB) sqlstoretest.Server {
	t.Helper()
	dsn := sqlstoretest.DSN(t, "WXPAY_TEST_MYSQL_DSN")
	config, err := driver.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	admin := connect(t, config)
	var maria bool
	if err := admin.QueryRow("SELECT version() LIKE '%MariaDB%'").Scan(&maria); err != nil {
		t.Fatal(err)
	}
	return sqlstoretest.Server{
		Addr: config.Addr,
		Create: func(t testing.TB) string {
			name := sqlstoretest.NewName()
			for text, run := range map[string]func(func()){
				"CREATE DATABASE " + name: func(f func()) { f() }, "DROP DATABASE " + name: t.Cleanup,
			} {
				run(func() {
					if _, err := admin.Exec(text); err != nil {
						t.Error(err)
					}
				})
			}
			return name
		},
		Connect: func(t testing.TB, addr, name string, settings sqlstoretest.Settings) *sql.DB {
			c := config.Clone()
			c.Addr, c.DBName = addr, name
			if c.Params == nil {
				c.Params = make(map[string]string)
			}
			maps.Copy(c.Params, settings)
			again, err := driver.ParseDSN(c.FormatDSN()) // some of the settings are the driver's
			if err != nil {
				t.Fatal(err)
			}
			return connect(t, again)
		},
		Migrate: func(ctx context.Context, db *sql.DB, o sqlstoretest.Options) error {
			return mysql.Migrate(ctx, db, mysql.Options{TablePrefix: o.TablePrefix})
		},
		New: func(ctx context.Context, db *sql.DB, o sqlstoretest.Options) (sqlstoretest.Store, error) {
			return mysql.New(ctx, db, mysql.Options{TablePrefix: o.TablePrefix, OnPaidTx: o.OnPaidTx})
		},
		Commit: []byte("\x03COMMIT"),
		Isolation: func(level string) sqlstoretest.Settings {
			levels := map[string]string{
				"READ COMMITTED": "'READ-COMMITTED'", "REPEATABLE READ": "'REPEATABLE-READ'", "SERIALIZABLE": "'SERIALIZABLE'",
			}
			if maria {
				return sqlstoretest.Settings{"tx_isolation": levels[level]}
			}
			return sqlstoretest.Settings{"transaction_isolation": levels[level]}
		},
		Variants: map[string]sqlstoretest.Settings{
			"interpolateParams": {"interpolateParams": "true"},
			"clientFoundRows":   {"clientFoundRows": "true", "interpolateParams": "true", "multiStatements": "true"},
			"parseTime":         {"parseTime": "true", "loc": "Asia/Shanghai", "time_zone": "'+08:00'"},
			"another collation": {"collation": "utf8mb4_unicode_ci", "columnsWithAlias": "true"},
		},
		ReadOnly: map[bool]sqlstoretest.Settings{
			true: {"tx_read_only": "1"}, false: {"transaction_read_only": "1"},
		}[maria],
		Impatient: sqlstoretest.Settings{"innodb_lock_wait_timeout": "1"},
		Multi:     sqlstoretest.Settings{"multiStatements": "true"},
		Fast:      sqlstoretest.Settings{"interpolateParams": "true"},
		Queries:   mysql.Queries(),
		Plans: map[string][]string{
			"Get":    {"|const|PRIMARY|"},
			"Due":    {"|range|pay_order_record_due|", "!filesort"},
			"Find":   {"|ref|pay_order_record_ref|"},
			"Paid":   {"|range|", "|pay_order_record_paid|", "!filesort"},
			"Events": {"|ref|PRIMARY|", "!filesort"},
			"Quote":  {"|const|PRIMARY|"},
		},
		Analyze: func(t testing.TB, db *sql.DB) {
			if _, err := db.Exec("ANALYZE TABLE pay_order_record, pay_order_event, goods_info"); err != nil {
				t.Error(err)
			}
		},
		Tables: "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1",
		KillOthers: func(t testing.TB, db *sql.DB) {
			rows, err := db.Query("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> connection_id()")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					t.Fatal(err)
				}
				_, _ = admin.Exec("KILL " + id) // it may have ended by itself
			}
		},
	}
}

func connect(t testing.TB, config *driver.Config) *sql.DB {
	t.Helper()
	config.Logger = &driver.NopLogger{}
	connector, err := driver.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(sqlstoretest.Pool)
	db.SetMaxIdleConns(sqlstoretest.Pool)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestLaws(t *testing.T)    { t.Parallel(); sqlstoretest.Laws(t, server(t)) }
func TestWriters(t *testing.T) { t.Parallel(); sqlstoretest.Writers(t, server(t)) }

func TestLostCommits(t *testing.T)          { sqlstoretest.LostCommits(t, server(t)) }
func TestLostCommitsAndOthers(t *testing.T) { sqlstoretest.LostCommitsAndOthers(t, server(t)) }
func TestLostCommitAndHook(t *testing.T)    { sqlstoretest.LostCommitAndHook(t, server(t)) }
func TestLostCommitAndServer(t *testing.T)  { sqlstoretest.LostCommitAndServer(t, server(t)) }
func TestOutage(t *testing.T)               { sqlstoretest.Outage(t, server(t)) }
func TestKilled(t *testing.T)               { sqlstoretest.Killed(t, server(t)) }
func TestGroups(t *testing.T)               { sqlstoretest.Groups(t, server(t)) }
func TestHooks(t *testing.T)                { sqlstoretest.Hooks(t, server(t)) }
func TestLocks(t *testing.T)                { sqlstoretest.Locks(t, server(t)) }
func TestSchema(t *testing.T)               { sqlstoretest.Schema(t, server(t)) }
func TestValues(t *testing.T)               { sqlstoretest.Values(t, server(t)) }

func BenchmarkStore(b *testing.B)   { sqlstoretest.Benchmark(b, server(b)) }
func BenchmarkUpdates(b *testing.B) { sqlstoretest.BenchmarkUpdates(b, server(b)) }
