package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"strings"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // the driver "sqlite3"
)

// database is where the shops have their orders, and what the books are read
// from.
type database struct {
	*sql.DB
	driver string
	names  []string     // what the shops take as -db, one after the other
	drop   func() error // ends what the run has made on a server
	left   string       // says what that is
}

// openDatabase returns a file in dir, or a new database on the servers of
// dsns, which are one cluster: it is made and read through the first of them.
func openDatabase(ctx context.Context, dir string, dsns []string) (*database, error) {
	if len(dsns) == 0 {
		return openFile(filepath.Join(dir, "shop.db"))
	}
	server, err := openServer(dsns[0])
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("chaos_%08x", rand.Uint32()) // not of the seed: two runs may share a server
	if _, err := server.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, errors.Join(fmt.Errorf("make a database: %w", err), server.Close())
	}
	d, err := openServer(within(dsns[0], name))
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	d.left = " and in the database " + name
	for _, dsn := range dsns {
		d.names = append(d.names, within(dsn, name))
	}
	d.drop = func() error {
		drop := "DROP DATABASE " + name
		if server.driver == "pgx" {
			drop += " WITH (FORCE)" // the server may not have noticed that all are gone
		}
		_, err := server.ExecContext(context.WithoutCancel(ctx), drop)
		return errors.Join(err, server.Close())
	}
	return d, nil
}

// openFile reads a file of SQLite beside the shops, and writes nothing.
func openFile(path string) (*database, error) {
	file := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"mode": {"ro"}, "_busy_timeout": {"10000"}}.Encode()}
	db, err := sql.Open("sqlite3", file.String())
	return &database{DB: db, driver: "sqlite3", names: []string{path}, drop: func() error { return nil }}, err
}

// openServer opens what the shop takes as -db.
func openServer(dsn string) (*database, error) {
	driver := "pgx"
	if rest, ok := strings.CutPrefix(dsn, "mysql://"); ok {
		driver, dsn = "mysql", driverDSN(rest)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	return &database{DB: db, driver: driver}, nil
}

// driverDSN writes user@host:port/name as the driver of MySQL has it:
// user@tcp(host:port)/name.
func driverDSN(dsn string) string {
	before, _, _ := strings.Cut(dsn, "?")
	from, to := strings.LastIndex(before, "@")+1, strings.LastIndex(before, "/")
	if strings.Contains(before, "(") || to < from {
		return dsn
	}
	return dsn[:from] + "tcp(" + dsn[from:to] + ")" + dsn[to:]
}

// within is the DSN of another database on the same server.
func within(dsn, name string) string {
	before, settings, more := strings.Cut(dsn, "?")
	dsn = before[:strings.LastIndex(before, "/")+1] + name
	if more {
		dsn += "?" + settings
	}
	return dsn
}

// sql writes the placeholders of a query as the database has them.
func (d *database) sql(query string) string {
	for i := 1; d.driver == "pgx" && strings.Contains(query, "?"); i++ {
		query = strings.Replace(query, "?", fmt.Sprint("$", i), 1)
	}
	return query
}

// kind is the server's own word for itself.
func (d *database) kind(ctx context.Context) string {
	query := "SELECT version()"
	if d.driver == "sqlite3" {
		query = "SELECT 'SQLite ' || sqlite_version()"
	}
	var says string
	if err := d.QueryRowContext(ctx, query).Scan(&says); err != nil {
		return err.Error()
	}
	says, _, _ = strings.Cut(says, " (")
	return says
}
