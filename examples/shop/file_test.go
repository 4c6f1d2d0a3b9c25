package main

import "database/sql"

// sql runs statements on the shop's file, beside the shop.
func (o *site) sql(statements string) {
	o.t.Helper()
	db := o.file()
	defer db.Close()
	if _, err := db.ExecContext(o.t.Context(), statements); err != nil {
		o.t.Fatalf("%s: %v", statements, err)
	}
}

// count is the one number of a query.
func (o *site) count(query string, args ...any) (n int) {
	o.t.Helper()
	db := o.file()
	defer db.Close()
	if err := db.QueryRowContext(o.t.Context(), query, args...).Scan(&n); err != nil {
		o.t.Fatal(err)
	}
	return n
}

func (o *site) file() *sql.DB {
	o.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+o.db+"?_busy_timeout=10000")
	if err != nil {
		o.t.Fatal(err)
	}
	return db
}
