package wxsim

import (
	"net/http/httptest"
)

// TB is what Start needs of a *testing.T or *testing.B. It is spelt out here
// so that a program with the simulator in it does not link package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Start serves a simulator on loopback until the test ends. Without a seed it
// uses the keys all tests of the process share, so that only the first Start
// pays for making them. It does not call [Sim.Run].
func Start(t TB, conf ...Config) *Sim {
	t.Helper()
	var c Config
	switch len(conf) {
	case 0:
	case 1:
		c = conf[0]
	default:
		t.Fatalf("wxsim: Start takes one Config, got %d", len(conf))
	}
	if c.Seed == 0 {
		c.Seed = sharedSeed
	}
	s, err := New(c)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	s.misuse = func(format string, args ...any) {
		t.Helper()
		t.Fatalf(format, args...)
	}
	server := httptest.NewServer(s)
	s.SetURL(server.URL)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return s
}
