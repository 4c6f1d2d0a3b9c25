package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"

	"github.com/mattn/go-sqlite3"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxapi"
)

// least is a handler that does no more than it must to keep payments in SQLite.
// It reads as the kit does. One goroutine writes what waits to naive's table, by
// one statement for each payment and on the driver itself. There is no history,
// nobody is told of a payment, a slow disk keeps WeChat Pay waiting, and what
// does not fit its order is an error to all who wait with it. It shows
// about what a handler can reach on this machine.
type least struct {
	waiting chan *toWrite
	log     *slog.Logger
}

// toWrite is a payment that waits to be written.
type toWrite struct {
	payment wxapi.Transaction
	result  chan error
}

func (c config) openLeast(a account, log *slog.Logger) (http.Handler, func() error, error) {
	kit, err := newKit(a, memory.New(), log)
	if err != nil {
		return nil, nil, err
	}
	conn, err := new(sqlite3.SQLiteDriver).Open(naiveSource(filepath.Join(c.folder, naiveFile)))
	if err != nil {
		return nil, nil, err
	}
	w, err := newLeastWriter(conn)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	h, ended := &least{make(chan *toWrite, 1024), log}, make(chan struct{})
	go func() {
		defer close(ended)
		w.run(h.waiting)
	}()
	shut := func() error {
		close(h.waiting)
		<-ended
		return conn.Close()
	}
	return kit.VerifyNotify(h), shut, nil
}

func (l *least) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, _ := wxpay.NotificationFrom(r.Context())
	t, err := wxapi.ParseTransaction(n.Plaintext)
	if err == nil && !t.Paid() {
		err = errors.New("not paid")
	}
	if err == nil {
		waiting := &toWrite{t, make(chan error, 1)}
		l.waiting <- waiting
		err = <-waiting.result
	}
	if err != nil {
		l.log.ErrorContext(r.Context(), "payment not stored", "order_no", t.OutTradeNo, "cause", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	l.log.InfoContext(r.Context(), "payment stored", "order_no", t.OutTradeNo, "notification_id", n.ID)
	w.WriteHeader(http.StatusNoContent)
}

// leastWriter has the statements, all that there are.
type leastWriter struct{ begin, pay, commit, rollback *sqlite3.SQLiteStmt }

func newLeastWriter(conn driver.Conn) (w leastWriter, err error) {
	for _, s := range []struct {
		stmt **sqlite3.SQLiteStmt
		text string
	}{
		{&w.begin, "BEGIN IMMEDIATE"},
		{&w.pay, `UPDATE pay_order_record SET pay_status = 1, pay_status_des = '已支付', trade_no = ?1, pay_time = ?2
			WHERE out_trade_no = ?3 AND total = ?4 AND mchid = ?5 AND appid = ?6 AND currency = ?7 AND (pay_status = 0 OR trade_no = ?1)`},
		{&w.commit, "COMMIT"},
		{&w.rollback, "ROLLBACK"},
	} {
		prepared, err := conn.Prepare(s.text)
		if err != nil {
			return w, err
		}
		var ok bool
		if *s.stmt, ok = prepared.(*sqlite3.SQLiteStmt); !ok {
			return w, fmt.Errorf("prepared a %T", prepared)
		}
	}
	return w, nil
}

// run writes what waits, all in one transaction, until the channel is closed.
func (w leastWriter) run(waiting <-chan *toWrite) {
	for p := range waiting {
		var group []*toWrite
		_, err := execute(w.begin)
		for ; p != nil; p = oneMore(waiting) {
			group = append(group, p)
			if err == nil {
				err = w.write(p.payment)
			}
		}
		if err == nil {
			_, err = execute(w.commit)
		}
		if err != nil {
			_, _ = execute(w.rollback) // fails if there is no transaction
		}
		for _, p := range group {
			p.result <- err
		}
	}
}

// oneMore is another one that waits, or nil. On one core nobody can join while
// the writer runs, so it lets the others run once.
func oneMore(waiting <-chan *toWrite) *toWrite {
	for range 2 {
		select {
		case p := <-waiting:
			return p
		default:
			runtime.Gosched()
		}
	}
	return nil
}

func (w leastWriter) write(t wxapi.Transaction) error {
	n, err := execute(w.pay, t.TransactionID, t.SuccessTime.UnixMicro(), t.OutTradeNo, t.Amount.Total, t.MchID, t.AppID, t.Amount.Currency)
	if err == nil && n != 1 {
		err = fmt.Errorf("%s: not this order's payment", t.OutTradeNo)
	}
	return err
}

// execute runs a statement and returns how many rows it changed.
func execute(stmt *sqlite3.SQLiteStmt, args ...driver.Value) (int64, error) {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
	}
	result, err := stmt.ExecContext(context.Background(), named)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
