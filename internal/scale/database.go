package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"

	mysqldriver "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "github.com/mattn/go-sqlite3"    // the driver "sqlite3"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/mysql"
	"github.com/wxpaykit/wxpay/orderstore/postgres"
	"github.com/wxpaykit/wxpay/orderstore/sqlite"
)

// database is a new database with a store in it.
type database struct {
	kind         kind
	db           *sql.DB
	store        orderstore.Store
	orderColumns []string
	eventColumns []string
	closing      []func() error // the last first
}

// open makes a database: in a new directory below where for sqlite, on the
// server at where for the others.
func open(ctx context.Context, name, where string) (_ *database, err error) {
	k, known := kinds[name]
	if !known {
		return nil, fmt.Errorf("no store %q: sqlite, postgres or mysql", name)
	}
	d := &database{kind: k}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	switch name {
	case "sqlite":
		err = d.openFile(where)
	case "postgres":
		err = d.openPostgres(ctx, where)
	case "mysql":
		err = d.openMySQL(ctx, where)
	}
	if err != nil {
		return nil, err
	}
	if err := createTemplates(ctx, d.store); err != nil {
		return nil, err
	}
	return d, d.prepare(ctx)
}

// close deletes the database.
func (d *database) close() error {
	var errs []error
	for i := len(d.closing) - 1; i >= 0; i-- {
		errs = append(errs, d.closing[i]())
	}
	return errors.Join(errs...)
}

func (d *database) openFile(where string) error {
	dir, err := os.MkdirTemp(where, "wxpay-scale-")
	if err != nil {
		return err
	}
	d.closing = append(d.closing, func() error { return os.RemoveAll(dir) })
	path := filepath.Join(dir, "orders.db")
	store, err := sqlite.Open(path)
	if err != nil {
		return err
	}
	d.closing = append(d.closing, store.Close)
	d.store = store
	return d.connect("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_busy_timeout=10000")
}

func (d *database) openPostgres(ctx context.Context, where string) error {
	u, err := url.Parse(where)
	if err != nil {
		return err
	}
	if u.Path, err = d.newDatabase(ctx, "pgx", where); err != nil {
		return err
	}
	if err := d.connect("pgx", u.String()); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, d.db, postgres.Options{}); err != nil {
		return err
	}
	d.store, err = postgres.New(ctx, d.db, postgres.Options{})
	return err
}

func (d *database) openMySQL(ctx context.Context, where string) error {
	conf, err := mysqldriver.ParseDSN(where)
	if err != nil {
		return err
	}
	if conf.DBName, err = d.newDatabase(ctx, "mysql", where); err != nil {
		return err
	}
	conf.InterpolateParams = true
	if err := d.connect("mysql", conf.FormatDSN()); err != nil {
		return err
	}
	if err := mysql.Migrate(ctx, d.db, mysql.Options{}); err != nil {
		return err
	}
	d.store, err = mysql.New(ctx, d.db, mysql.Options{})
	return err
}

// newDatabase makes a database on a server, which is dropped in the end, and
// returns its name.
func (d *database) newDatabase(ctx context.Context, driver, dsn string) (string, error) {
	root, err := sql.Open(driver, dsn)
	if err != nil {
		return "", err
	}
	d.closing = append(d.closing, root.Close)
	name := fmt.Sprintf("wxpay_scale_%08x", rand.Uint32())
	if err := run(ctx, root, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	d.closing = append(d.closing, func() error { return run(context.WithoutCancel(ctx), root, "DROP DATABASE "+name) })
	return name, nil
}

func (d *database) connect(driver, dsn string) (err error) {
	if d.db, err = sql.Open(driver, dsn); err != nil {
		return err
	}
	d.closing = append(d.closing, d.db.Close)
	return nil
}
