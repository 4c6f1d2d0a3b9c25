package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/mysql"
	"github.com/wxpaykit/wxpay/orderstore/postgres"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
	"github.com/wxpaykit/wxpay/wxprom"
)

// orderStore is the kit's store, with the prices of goods_info. All stores of
// the kit have them.
type orderStore interface {
	wxpay.OrderStore
	Quote(context.Context, orderstore.QuoteRequest) (orderstore.Quote, error)
	PutGoods(context.Context, ...orderstore.Goods) error
}

// openDatabase opens what -db names, a file or a server, and makes the tables
// that are not there yet. Several processes may do so at the same time.
func openDatabase(ctx context.Context, name string) (orderStore, *members, error) {
	kind, rest, server := strings.Cut(name, "://")
	switch {
	case !server:
		return openSQLite(ctx, name)
	case kind == "postgres", kind == "postgresql":
		return openPostgres(ctx, name)
	case kind == "mysql":
		return openMySQL(ctx, rest)
	}
	return nil, nil, fmt.Errorf("-db: the shop does not know %s://, give a file, postgres:// or mysql://", kind)
}

// openSQLite opens two handles on one file, as SQLite has it: the store's own,
// and one of the shop's.
func openSQLite(ctx context.Context, path string) (orderStore, *members, error) {
	store, err := sqlite.OpenWith(path, sqlite.Options{Committed: wxprom.SQLite(prometheus.DefaultRegisterer)})
	if err != nil {
		return nil, nil, err
	}
	db, err := openFile(path)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return withMembers(ctx, store, &members{db: db, dialect: sqliteDialect, close: store.Close})
}

func openPostgres(ctx context.Context, dsn string) (orderStore, *members, error) {
	conf, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, nil, err // without the password
	}
	db := pooled(stdlib.OpenDB(*conf))
	m := &members{db: db, dialect: postgresDialect}
	if err := postgres.Migrate(ctx, db, postgres.Options{}); err != nil {
		return nil, nil, errors.Join(err, m.Close())
	}
	store, err := postgres.New(ctx, db, postgres.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, m.Close())
	}
	return withMembers(ctx, store, m)
}

func openMySQL(ctx context.Context, dsn string) (orderStore, *members, error) {
	conf, err := mysqlConfig(dsn)
	if err != nil {
		return nil, nil, err
	}
	connector, err := mysqldriver.NewConnector(conf)
	if err != nil {
		return nil, nil, err
	}
	db := pooled(sql.OpenDB(connector))
	m := &members{db: db, dialect: mysqlDialect}
	if err := mysql.Migrate(ctx, db, mysql.Options{}); err != nil {
		return nil, nil, errors.Join(err, m.Close())
	}
	store, err := mysql.New(ctx, db, mysql.Options{})
	if err != nil {
		return nil, nil, errors.Join(err, m.Close())
	}
	return withMembers(ctx, store, m)
}

// withMembers adds the shop's own tables.
func withMembers(ctx context.Context, store orderStore, m *members) (orderStore, *members, error) {
	if err := m.migrate(ctx); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("create the shop's tables: %w", err), m.Close())
	}
	return store, m, nil
}

// pooled bounds what the shop takes of a server, which may have no more than a
// hundred connections for all of its users, and lets them follow when another
// server takes over.
func pooled(db *sql.DB) *sql.DB {
	db.SetMaxOpenConns(10)
	db.SetMaxIdleConns(10)
	db.SetConnMaxLifetime(3 * time.Minute)
	return db
}

// mysqlConfig reads user:password@host:port/name?settings, a URL as people
// write it, or what the driver itself takes: user:password@tcp(host:port)/name.
// Settings that are not given are those that the package mysql recommends.
func mysqlConfig(dsn string) (*mysqldriver.Config, error) {
	const recommended = "interpolateParams=true&rejectReadOnly=true&timeout=5s&readTimeout=30s&writeTimeout=30s"
	before, settings, _ := strings.Cut(dsn, "?")
	settings = strings.TrimSuffix(recommended+"&"+settings, "&") // the last one counts
	if strings.Contains(before, "(") {
		return mysqldriver.ParseDSN(before + "?" + settings)
	}
	u, err := url.Parse("mysql://" + before)
	if err != nil {
		return nil, errors.New("the database is not of the form mysql://user:password@host:port/name") // err has the password
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	conf, err := mysqldriver.ParseDSN("tcp(" + net.JoinHostPort(u.Hostname(), port) + ")" + u.EscapedPath() + "?" + settings)
	if err != nil {
		return nil, err
	}
	conf.User = u.User.Username()
	conf.Passwd, _ = u.User.Password()
	return conf, nil
}

// shown is the name of a database for people: without the password, and
// without the settings, in which there may be one as well.
func shown(name string) string {
	kind, rest, server := strings.Cut(name, "://")
	if !server {
		return name
	}
	rest, _, _ = strings.Cut(rest, "?")
	return kind + "://" + rest[strings.LastIndex(rest, "@")+1:]
}
