package storetest_test

import (
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/orderstore/storetest"
)

func TestRunFaultyWithHonestStore(t *testing.T) {
	t.Parallel()
	storetest.RunFaulty(t, serveDatabase(t), func(t *testing.T, addr string) orderstore.Store {
		// The database is shared; each law has numbers of its own.
		return &wireStore{addr: addr}
	})
}

func TestEveryLieOfALostConnectionIsCaught(t *testing.T) {
	t.Parallel()
	cases, proved := storetest.LostCases(), make(map[string]bool)
	for _, lie := range []struct {
		name   string
		tell   func(*wireStore)
		caught []string
	}{
		{"events are written in a transaction of their own", func(s *wireStore) { s.apart = true }, []string{"Lost/Create", "Lost/Save"}},
		{"a lost write is sent again", func(s *wireStore) { s.repeat = true }, []string{"Lost/Create", "Lost/Save", "Lost/Storm"}},
		{"a lost write is taken for done", func(s *wireStore) { s.trust = true }, []string{"Lost/Create", "Lost/Save", "Lost/Storm"}},
		{"the rows before the end are the answer", func(s *wireStore) { s.partial = true }, []string{"Lost/Reads"}},
		{"what cannot be read does not exist", func(s *wireStore) { s.missing = true }, []string{"Lost/Reads"}},
		{"the context is not heard", func(s *wireStore) { s.deaf = true }, []string{"Lost/Silence"}},
		{"a lost connection stays lost", func(s *wireStore) { s.forever = true }, []string{"Lost/Create"}},
	} {
		for _, name := range lie.caught {
			proved[name] = true
			t.Run(lie.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				run, ok := cases[name]
				if !ok {
					t.Fatalf("there is no case %q", name)
				}
				err := run(t.Context(), serveDatabase(t), func(addr string) orderstore.Store {
					s := &wireStore{addr: addr}
					lie.tell(s)
					return s
				})
				if err == nil {
					t.Fatal("it was not caught")
				}
				t.Log(err)
			})
		}
	}
	for name, run := range cases {
		if !proved[name] {
			t.Errorf("no lie proves that case %s can fail", name)
		}
		// A store that goes past the proxy would be tested against nothing.
		past := func(string) orderstore.Store { return memory.New() }
		if err := run(t.Context(), serveDatabase(t), past); err == nil {
			t.Errorf("%s took a store that has another way to its database", name)
		}
	}
}

// A team's test of its own store behind connections that break.
func ExampleRunFaulty() {
	test := func(t *testing.T) {
		storetest.RunFaulty(t, "127.0.0.1:5432", func(t *testing.T, addr string) orderstore.Store {
			return memory.New() // yours: empty, its database at addr
		})
	}
	_ = test
}

// A team's test that two processes may use its store.
func ExampleRunPair() {
	test := func(t *testing.T) {
		storetest.RunPair(t, func(t *testing.T) (a, b orderstore.Store) {
			s := memory.New() // yours: opened twice, on one empty database
			return s, s
		})
	}
	_ = test
}
