package main

import (
	"net"
	"sync"
	"testing"
)

// gate is the way to a database server, which can be shut.
type gate struct {
	server string
	listen net.Listener

	mu      sync.Mutex
	passing chan struct{} // closed while what is said is passed on
	never   chan struct{} // what the links that are lost wait for; closed with the test
	refuses bool
	links   map[*link]bool
}

// link is a connection through the gate.
type link struct {
	client, server net.Conn
	lost           bool
}

func newGate(t *testing.T, server string) *gate {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{server: server, listen: listen, passing: make(chan struct{}), never: make(chan struct{}), links: map[*link]bool{}}
	close(g.passing)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := listen.Accept()
			if err != nil {
				return
			}
			all.Go(func() { g.lead(client) })
		}
	})
	t.Cleanup(func() {
		listen.Close()
		g.open()
		close(g.never)
		g.cut()
		all.Wait()
	})
	return g
}

func (g *gate) addr() string { return g.listen.Addr().String() }

// refuse is a server that is gone: connections end, and none is taken.
func (g *gate) refuse() {
	g.mu.Lock()
	g.refuses = true
	g.mu.Unlock()
	g.cut()
}

// hold is a network that is gone: nothing ends, and nothing gets through. What
// was said meanwhile arrives when the gate is opened.
func (g *gate) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.passing = make(chan struct{})
}

// vanish is a server that has lost its power, and another that takes its place:
// nothing gets through, and what was connected never hears of anything again.
func (g *gate) vanish() {
	g.hold()
	g.mu.Lock()
	defer g.mu.Unlock()
	for l := range g.links {
		l.lost = true
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuses = false
	select {
	case <-g.passing:
	default:
		close(g.passing)
	}
}

func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for l := range g.links {
		l.client.Close()
		l.server.Close()
	}
}

// pass waits while the gate is held, and reports whether it is open then.
func (g *gate) pass(l *link) bool {
	g.mu.Lock()
	passing := g.passing
	if l.lost {
		passing = g.never
	}
	g.mu.Unlock()
	<-passing
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.refuses
}

// lead connects a client with the server until one of them hangs up.
func (g *gate) lead(client net.Conn) {
	defer client.Close()
	l := &link{client: client}
	if !g.pass(l) {
		return
	}
	server, err := net.Dial("tcp", g.server)
	if err != nil {
		return
	}
	defer server.Close()
	l.server = server
	g.mu.Lock()
	g.links[l] = true
	g.mu.Unlock()
	back := make(chan struct{})
	go func() {
		defer close(back)
		g.copy(l, client, server)
	}()
	g.copy(l, server, client)
	<-back
	g.mu.Lock()
	delete(g.links, l)
	g.mu.Unlock()
}

// copy passes on what one side says. When it hangs up the other is hung up on.
func (g *gate) copy(l *link, to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if !g.pass(l) || err != nil {
			return
		}
		_, _ = to.Write(buffer[:n]) // a side that is gone ends its own reading
	}
}
