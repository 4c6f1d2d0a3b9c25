package storetest_test

import (
	"context"
	"encoding/gob"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// query is what a wireStore asks its database.
type query struct {
	Do       string
	Order    orderstore.Order
	Text     string
	From, To time.Time
	Limit    int
}

// row is one line of the answer; the last says End.
type row struct {
	End   bool
	Err   string
	Order orderstore.Order
	Event orderstore.Event
}

// database is a memory store behind a socket.
type database struct {
	*memory.Store
	apart eventTable // events that came in a request of their own
}

// serveDatabase returns the address of an empty one.
func serveDatabase(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	db := &database{Store: memory.New(), apart: eventTable{lists: make(map[string][][]orderstore.Event)}}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer conn.Close()
				decoder, encoder := gob.NewDecoder(conn), gob.NewEncoder(conn)
				for {
					var q query
					if decoder.Decode(&q) != nil {
						return
					}
					db.answer(q, func(r row) { _ = encoder.Encode(r) })
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		work.Wait()
	})
	return listener.Addr().String()
}

func (db *database) answer(q query, send func(row)) {
	ctx, end := context.Background(), row{End: true}
	var orders []orderstore.Order
	var events []orderstore.Event
	var err error
	switch q.Do {
	case "create":
		err = db.Create(ctx, q.Order)
	case "save":
		err = db.Save(ctx, q.Order)
	case "append":
		db.apart.add(q.Order.OutTradeNo, q.Order.Events)
	case "get":
		var o orderstore.Order
		o, err = db.Get(ctx, q.Text)
		orders = []orderstore.Order{o}
	case "due":
		orders, err = db.Due(ctx, q.To, q.Limit)
	case "find":
		orders, err = db.Find(ctx, q.Text)
	case "paid":
		orders, err = db.Paid(ctx, q.From, q.To, q.Text, q.Limit)
	case "events":
		events, err = db.Events(ctx, q.Text)
		db.apart.mu.Lock()
		for _, list := range db.apart.lists[q.Text] {
			events = append(events, list...)
		}
		db.apart.mu.Unlock()
	}
	if err != nil {
		end.Err = err.Error()
	} else {
		for _, o := range orders {
			send(row{Order: o})
		}
		for _, e := range events {
			send(row{Event: e})
		}
	}
	send(end)
}

// wireStore asks a database over TCP; honest, but for what is set.
type wireStore struct {
	addr string

	apart   bool // events are a request of their own
	repeat  bool // a write whose answer was lost is sent again
	trust   bool // a write whose answer was lost is done
	partial bool // a list whose end was lost is a list
	missing bool // an order that was not found out about does not exist
	deaf    bool // the context is not heard
	forever bool // the first connection is the only one

	mu    sync.Mutex
	first net.Conn
}

var errLost = errors.New("connection lost")

// ask sends a query and hands over the rows of the answer.
func (s *wireStore) ask(ctx context.Context, q query, each func(row)) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return errors.Join(errLost, err)
	}
	if s.forever {
		defer s.mu.Unlock()
	} else {
		defer conn.Close()
	}
	if !s.deaf {
		defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	}
	if err := gob.NewEncoder(conn).Encode(q); err != nil {
		return errors.Join(errLost, err)
	}
	for decoder := gob.NewDecoder(conn); ; {
		var r row
		if err := decoder.Decode(&r); err != nil {
			return errors.Join(errLost, err)
		}
		if r.End {
			for _, known := range []error{orderstore.ErrExists, orderstore.ErrConflict, orderstore.ErrNotFound} {
				if r.Err == known.Error() {
					return known
				}
			}
			return nil
		}
		each(r)
	}
}

// connect returns a connection; the only one comes locked.
func (s *wireStore) connect(ctx context.Context) (net.Conn, error) {
	if s.forever {
		s.mu.Lock()
		if s.first != nil {
			return s.first, nil
		}
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if s.forever {
		if err != nil {
			s.mu.Unlock()
		}
		s.first = conn
	}
	return conn, err
}

func (s *wireStore) write(ctx context.Context, do string, o orderstore.Order) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q := query{Do: do, Order: o}
	if s.apart {
		q.Order.Events = nil
	}
	err := s.ask(ctx, q, nil)
	if s.repeat && errors.Is(err, errLost) {
		err = s.ask(ctx, q, nil)
	}
	if s.trust && errors.Is(err, errLost) {
		err = nil
	}
	if s.apart && err == nil {
		err = s.ask(ctx, query{Do: "append", Order: o}, nil)
	}
	return err
}

func (s *wireStore) Create(ctx context.Context, o orderstore.Order) error {
	return s.write(ctx, "create", o)
}

func (s *wireStore) Save(ctx context.Context, o orderstore.Order) error {
	return s.write(ctx, "save", o)
}

func (s *wireStore) Get(ctx context.Context, number string) (orderstore.Order, error) {
	var got orderstore.Order
	err := s.ask(ctx, query{Do: "get", Text: number}, func(r row) { got = r.Order })
	if s.missing && errors.Is(err, errLost) {
		err = orderstore.ErrNotFound
	}
	return got, err
}

func (s *wireStore) list(ctx context.Context, q query) (list []orderstore.Order, err error) {
	err = s.ask(ctx, q, func(r row) { list = append(list, r.Order) })
	if s.partial && errors.Is(err, errLost) && len(list) > 0 {
		err = nil
	}
	return list, err
}

func (s *wireStore) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	return s.list(ctx, query{Do: "due", To: now, Limit: limit})
}

func (s *wireStore) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	return s.list(ctx, query{Do: "find", Text: ref})
}

func (s *wireStore) Paid(ctx context.Context, from, to time.Time, after string, limit int) ([]orderstore.Order, error) {
	return s.list(ctx, query{Do: "paid", From: from, To: to, Text: after, Limit: limit})
}

func (s *wireStore) Events(ctx context.Context, number string) (list []orderstore.Event, err error) {
	err = s.ask(ctx, query{Do: "events", Text: number}, func(r row) { list = append(list, r.Event) })
	return list, err
}
