package main

import (
	"database/sql"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
)

// deal is an order of xiaoming's, of which refunded has gone back.
func deal(no, goodsID string, refunded orderstore.Fen) wxpay.Order {
	goods, _ := membershipOf(goodsID)
	return wxpay.Order{OutTradeNo: no, UserID: "xiaoming", GoodsID: goodsID, Total: goods.Total, Refunded: refunded}
}

type ledger struct {
	*members
	t *testing.T
}

func newLedger(t *testing.T, db string) ledger {
	t.Helper()
	return ledger{openAll(t, db, 1)[0], t}
}

func (l ledger) give(o wxpay.Order) {
	l.t.Helper()
	if err := l.grant(l.t.Context(), o); err != nil {
		l.t.Fatal(err)
	}
}

func (l ledger) take(o wxpay.Order) {
	l.t.Helper()
	if err := l.revoke(l.t.Context(), o, wxpay.Refund{}); err != nil {
		l.t.Fatal(err)
	}
}

// xiaoming is what the shop knows of the one customer here.
func (l ledger) xiaoming() member {
	l.t.Helper()
	who, err := l.of(l.t.Context(), "xiaoming")
	if err != nil {
		l.t.Fatal(err)
	}
	return who
}

// TestRevoke takes back what one order brought, and only that, however often
// and from however many places it is asked for.
func TestRevoke(t *testing.T) {
	t.Parallel()
	everyDatabase(t, revokeOne)
}

func revokeOne(t *testing.T, db string) {
	l := newLedger(t, db)
	l.give(deal("month", "vip-month", 0))
	before := l.xiaoming().VIPUntil
	l.give(deal("year", "vip-year", 0))
	l.take(deal("year", "vip-year", 959)) // not all of it
	if got, want := l.xiaoming().VIPUntil, before.AddDate(0, 12, 0); !got.Equal(want) {
		t.Errorf("after a part was refunded: until %v, want %v", got, want)
	}
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if err := l.revoke(t.Context(), deal("year", "vip-year", 960), wxpay.Refund{}); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	who := l.xiaoming()
	if !who.VIPUntil.Equal(before) || len(who.Grants) != 2 || !who.Grants[0].Revoked() || who.Grants[1].Revoked() {
		t.Errorf("after the refund: %+v, want until %v", who, before)
	}
	l.give(deal("year", "vip-year", 960)) // handed over again, late
	if again := l.xiaoming(); !again.VIPUntil.Equal(before) || !again.Grants[0].RevokedAt.Equal(who.Grants[0].RevokedAt) {
		t.Errorf("after another call: %+v", again)
	}
	l.take(deal("month", "vip-month", 100))
	if who := l.xiaoming(); who.VIPUntil.After(time.Now()) || len(who.Grants) != 2 {
		t.Errorf("after everything was refunded: %+v", who)
	}
}

// TestRevokeFirst hands the refund over before the order.
func TestRevokeFirst(t *testing.T) {
	t.Parallel()
	everyDatabase(t, revokeFirst)
}

func revokeFirst(t *testing.T, db string) {
	l := newLedger(t, db)
	l.take(deal("first", "vip-month", 100))
	l.give(deal("first", "vip-month", 100))
	l.give(deal("first", "vip-month", 0)) // as it was read before the refund
	l.take(deal("first", "vip-month", 100))
	if who := l.xiaoming(); len(who.Grants) != 0 || !who.VIPUntil.IsZero() {
		t.Errorf("granted although the money is back: %+v", who)
	}
	l.give(deal("second", "vip-month", 0))
	if who := l.xiaoming(); len(who.Grants) != 1 || !who.VIPUntil.Equal(who.Grants[0].At.AddDate(0, 1, 0)) {
		t.Errorf("the next order: %+v", who)
	}
}

// TestRevokeSpent refunds a month that is long over. The one that runs was
// paid for with another order.
func TestRevokeSpent(t *testing.T) {
	t.Parallel()
	everyDatabase(t, revokeSpent)
}

func revokeSpent(t *testing.T, db string) {
	l := newLedger(t, db)
	l.give(deal("spent", "vip-month", 0))
	if _, err := l.db.ExecContext(t.Context(), l.sql(`UPDATE grants SET granted_at = ?`), time.Now().AddDate(0, -6, 0).UnixMicro()); err != nil {
		t.Fatal(err)
	}
	l.give(deal("running", "vip-month", 0))
	l.take(deal("spent", "vip-month", 100))
	who := l.xiaoming()
	if want := who.Grants[0].At.AddDate(0, 1, 0); !who.VIPUntil.Equal(want) {
		t.Errorf("until %v, want %v", who.VIPUntil, want)
	}
}

// TestMigrate opens the file of a shop that knew no refunds, twice.
func TestMigrate(t *testing.T) {
	t.Parallel()
	path := oldShop(t)
	for i := range 2 {
		l := newLedger(t, path)
		if who := l.xiaoming(); len(who.Grants) != 1 || who.Grants[0].Revoked() != (i > 0) {
			t.Errorf("opened for the %d. time: %+v", i+1, who)
		}
		l.take(deal("old", "vip-year", 960))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// oldShop is such a file, with a grant in it.
func oldShop(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "shop.db")
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `
		CREATE TABLE grants (out_trade_no TEXT NOT NULL PRIMARY KEY, user TEXT NOT NULL, goods TEXT NOT NULL, granted_at INTEGER NOT NULL) STRICT;
		CREATE INDEX grants_user ON grants (user, granted_at);
		CREATE TABLE members (user TEXT NOT NULL PRIMARY KEY, vip_until INTEGER NOT NULL) STRICT;
		INSERT INTO grants VALUES ('old', 'xiaoming', 'vip-year', 1760000000000000);
		INSERT INTO members VALUES ('xiaoming', 1791536000000000)`)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
