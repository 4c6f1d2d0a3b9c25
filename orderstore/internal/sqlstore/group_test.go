package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
)

// TestSettle: what a member hears of its group's transaction.
func TestSettle(t *testing.T) {
	t.Parallel()
	own, undone, lost := errors.New("own"), errors.New("deadlock"), fmt.Errorf("commit: %w", errCommit)
	saving := &saving{next: orderstore.Order{Version: 1}}
	for name, c := range map[string]struct {
		result  result
		err     error
		done    bool
		version int64 // of the order that is returned
		lost    error
	}{
		"saved":                    {result{done: true, saving: saving}, nil, true, 2, nil},
		"read":                     {result{done: true, order: orderstore.Order{Version: 1}}, nil, true, 1, nil},
		"not decided":              {result{}, nil, false, 0, nil},
		"own error":                {result{err: own}, nil, false, 0, nil},
		"saved, undone":            {result{done: true, saving: saving}, undone, false, 0, nil},
		"read, undone":             {result{done: true}, undone, false, 0, nil},
		"saved, nobody knows":      {result{done: true, saving: saving}, lost, false, 0, lost},
		"read, nobody knows":       {result{done: true}, lost, false, 0, nil},
		"own error, nobody knows":  {result{err: own}, lost, false, 0, nil},
		"not decided, nobody does": {result{}, lost, false, 0, nil},
	} {
		r := c.result
		r.settle(c.err)
		if r.done != c.done || c.done && r.order.Version != c.version || r.lost != c.lost || r.err != c.result.err {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestDecide: what a group does not write is left to Save, or is a mistake.
func TestDecide(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*orderstore.Order)
		saves  bool
		errs   bool
	}{
		"a field":         {func(o *orderstore.Order) { o.Platform++ }, true, false},
		"an event":        {func(o *orderstore.Order) { o.Events = []orderstore.Event{{Kind: "x", Note: "\xff"}} }, true, false},
		"the number":      {func(o *orderstore.Order) { o.OutTradeNo = "tzxz_2" }, false, true},
		"the version":     {func(o *orderstore.Order) { o.Version++ }, false, true},
		"no text":         {func(o *orderstore.Order) { o.Anomaly = "\xff" }, false, false},
		"a zero":          {func(o *orderstore.Order) { o.Anomaly = "\x00" }, false, false},
		"an event's text": {func(o *orderstore.Order) { o.Events = []orderstore.Event{{ID: "\xff"}} }, false, false},
		"too many events": {func(o *orderstore.Order) { o.Events = make([]orderstore.Event, 1000) }, false, false},
	} {
		m := newMember("tzxz_1", func(o orderstore.Order) (orderstore.Order, bool) { c.change(&o); return o, true })
		if m.decide(orderstore.Order{OutTradeNo: "tzxz_1", Version: 7}); (m.saving != nil) != c.saves || m.done != c.saves || (m.err != nil) != c.errs {
			t.Errorf("%s: saves %v, done %v, %v", name, m.saving != nil, m.done, m.err)
		}
	}
}

// forgetful is a server that writes one row, whatever it is asked.
type forgetful struct{ vanished }

func (forgetful) Connect(context.Context) (driver.Conn, error) { return forgetful{}, nil }

func (forgetful) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}

// TestSaveAllCounts: a statement that did not write every order wrote none.
func TestSaveAllCounts(t *testing.T) {
	t.Parallel()
	db := sql.OpenDB(forgetful{})
	defer db.Close()
	s := Dialect{EventsAtOnce: 1}.Statements("")
	var orders []*saving
	for n := range 3 {
		o := orderstore.Order{OutTradeNo: fmt.Sprint("tzxz_", n), Version: 1}
		orders = append(orders, newSaving(o, o, &Write{Version: 2}))
		if err := s.saveAll(t.Context(), On(db), orders); (err == nil) != (n == 0) {
			t.Errorf("of %d orders one was written: %v", n+1, err)
		}
	}
}

// broken is a server that refuses all statements.
type broken struct{ vanished }

func (broken) Connect(context.Context) (driver.Conn, error) { return broken{}, nil }

func (broken) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nil, errors.New("syntax error")
}

// TestGroupRests: after a group that failed others go alone, but not after one
// that nobody waited for.
func TestGroupRests(t *testing.T) {
	t.Parallel()
	db := sql.OpenDB(broken{})
	defer db.Close()
	engine := Engine{Retry: func(error) bool { return false }}
	for staying, rests := range map[int]bool{0: false, 1: true} {
		s := &Store{db: db, sql: engine.Statements(""), engine: engine}
		m := newMember("tzxz_1", nil)
		s.writeGroup(&group{members: []*member{m}, staying: staying})
		if _, open := <-m.turn; open || m.done || m.err != nil || !s.queue.rested.IsZero() != rests {
			t.Errorf("with %d staying: done %v, %v, others rest until %v", staying, m.done, m.err, s.queue.rested)
		}
	}
}
