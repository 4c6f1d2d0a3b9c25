package postgres_test

import (
	"context"
	"database/sql"
	"maps"
	"net"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/wxpaykit/wxpay/orderstore/internal/sqlstoretest"
	"github.com/wxpaykit/wxpay/orderstore/postgres"
)

// server is the one that WXPAY_TEST_POSTGRES_DSN names. A test has a schema of
// its own in that database.
func server(t testing.TB) sqlstoretest.Server {
	t.Helper()
	dsn := sqlstoretest.DSN(t, "WXPAY_TEST_POSTGRES_DSN")
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	admin := connect(t, config)
	return sqlstoretest.Server{
		Addr: net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))),
		Create: func(t testing.TB) string {
			name := sqlstoretest.NewName()
			if _, err := admin.Exec("CREATE SCHEMA " + name); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if _, err := admin.Exec("DROP SCHEMA " + name + " CASCADE"); err != nil {
					t.Error(err)
				}
			})
			return name
		},
		Connect: func(t testing.TB, addr, name string, settings sqlstoretest.Settings) *sql.DB {
			c := config.Copy()
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(port)
			if err != nil {
				t.Fatal(err)
			}
			c.Host, c.Port, c.Fallbacks = host, uint16(n), nil
			c.RuntimeParams["search_path"] = name
			c.RuntimeParams["application_name"] = name
			settings = maps.Clone(settings)
			if mode, ok := settings["mode"]; ok {
				c.DefaultQueryExecMode = map[string]pgx.QueryExecMode{
					"exec": pgx.QueryExecModeExec, "simple": pgx.QueryExecModeSimpleProtocol, "describe": pgx.QueryExecModeDescribeExec,
				}[mode]
				delete(settings, "mode")
			}
			maps.Copy(c.RuntimeParams, settings)
			return connect(t, c)
		},
		Migrate: func(ctx context.Context, db *sql.DB, o sqlstoretest.Options) error {
			return postgres.Migrate(ctx, db, postgres.Options{TablePrefix: o.TablePrefix})
		},
		New: func(ctx context.Context, db *sql.DB, o sqlstoretest.Options) (sqlstoretest.Store, error) {
			return postgres.New(ctx, db, postgres.Options{TablePrefix: o.TablePrefix, OnPaidTx: o.OnPaidTx})
		},
		Commit: []byte("commit\x00"),
		Isolation: func(level string) sqlstoretest.Settings {
			return sqlstoretest.Settings{"default_transaction_isolation": level}
		},
		Variants: map[string]sqlstoretest.Settings{
			"the simple protocol": {"mode": "simple"}, // of PgBouncer
			"the exec mode":       {"mode": "exec"},
			"the describe mode":   {"mode": "describe"},
			"another time zone":   {"TimeZone": "Asia/Shanghai", "DateStyle": "German"},
		},
		ReadOnly:  sqlstoretest.Settings{"default_transaction_read_only": "on"},
		Impatient: sqlstoretest.Settings{"lock_timeout": "1s"},
		Multi:     sqlstoretest.Settings{"mode": "simple"},
		Queries:   postgres.Queries(),
		Plans: map[string][]string{
			"Get":    {"Index Scan using pay_order_record_pkey"},
			"Due":    {"Index Scan using pay_order_record_due", "!Sort"},
			"Find":   {"pay_order_record_ref"},
			"Paid":   {"Index Scan using pay_order_record_paid", "!Sort"},
			"Events": {"pay_order_event_pkey"},
			"Quote":  {"goods_info_pkey"},
		},
		Analyze: func(t testing.TB, db *sql.DB) {
			if _, err := db.Exec("ANALYZE pay_order_record, pay_order_event, goods_info"); err != nil {
				t.Error(err)
			}
		},
		Tables: "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1",
		KillOthers: func(t testing.TB, db *sql.DB) {
			_, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE application_name = current_schema() AND pid <> pg_backend_pid()`)
			if err != nil {
				t.Error(err)
			}
		},
	}
}

func connect(t testing.TB, config *pgx.ConnConfig) *sql.DB {
	t.Helper()
	db := stdlib.OpenDB(*config)
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
