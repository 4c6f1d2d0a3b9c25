package storetest

import (
	"context"
	"net"
	"sync"
	"time"
)

// network is a TCP proxy in front of a database, which breaks when told to.
type network struct {
	database string
	listener net.Listener
	work     sync.WaitGroup

	mu     sync.Mutex
	live   map[net.Conn]struct{} // both ends of what is connected
	fuse   fuse
	last   net.Conn      // where the last piece came from
	passed int           // pieces, in both directions
	down   bool          // connections are refused
	frozen chan struct{} // open while nothing passes, nil otherwise
}

// fuse says when the connections are cut.
type fuse struct {
	left  int  // pieces that still pass before the next one is cut off; negative: all
	turns bool // count only pieces that answer: those from the other end than the last
	half  bool // of the piece that is cut off, the first half passes
}

// newNetwork returns the network in front of the database at that address.
func newNetwork(ctx context.Context, database string) (*network, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &network{database: database, listener: listener, live: make(map[net.Conn]struct{}), fuse: fuse{left: -1}}
	n.work.Go(n.serve)
	return n, nil
}

// addr is where the database is to be looked for.
func (n *network) addr() string { return n.listener.Addr().String() }

func (n *network) close() {
	_ = n.listener.Close()
	n.refuse(true)
	n.work.Wait()
}

func (n *network) serve() {
	for {
		client, err := n.listener.Accept()
		if err != nil {
			return // closed
		}
		n.work.Go(func() { n.connect(client) })
	}
}

// connect carries bytes both ways until one end or the network hangs up.
func (n *network) connect(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", n.database, 10*time.Second)
	if err != nil {
		return // as if nobody listened
	}
	defer server.Close()
	defer n.leave(client, server)
	if !n.enter(client, server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { n.carry(server, client) })
	both.Go(func() { n.carry(client, server) })
	both.Wait()
}

// enter remembers what is connected, to cut it; false while the database
// cannot be reached.
func (n *network) enter(ends ...net.Conn) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range ends {
		n.live[conn] = struct{}{}
	}
	return !n.down
}

func (n *network) leave(ends ...net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, conn := range ends {
		delete(n.live, conn)
	}
}

// carry passes on what comes, piece by piece as it was sent.
func (n *network) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	piece := make([]byte, 16<<10)
	for {
		size, err := from.Read(piece)
		if size > 0 {
			may, burnt := n.allow(from, size)
			if _, err := to.Write(piece[:may]); err != nil {
				return
			}
			if burnt {
				n.cut()
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// allow returns how much of a piece may pass, and whether that is the end.
func (n *network) allow(from net.Conn, size int) (may int, burnt bool) {
	n.mu.Lock()
	frozen := n.frozen
	n.mu.Unlock()
	if frozen != nil {
		<-frozen
		return 0, true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.passed++
	counts := !n.fuse.turns || from != n.last
	n.last = from
	switch {
	case n.fuse.left < 0 || !counts:
		return size, false
	case n.fuse.left > 0:
		n.fuse.left--
		return size, false
	}
	n.fuse.left = -1
	if n.fuse.half {
		return size / 2, true
	}
	return 0, true
}

// light cuts everything where the fuse says; from then on connections hold
// again.
func (n *network) light(f fuse) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fuse, n.last = f, nil
}

// unlight lets all pass, and reports whether the fuse had burnt down.
func (n *network) unlight() (burnt bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	burnt = n.fuse.left < 0
	n.fuse.left = -1
	return burnt
}

// cut ends all connections.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for conn := range n.live {
		_ = conn.Close()
	}
}

// refuse makes the database unreachable, or reachable again.
func (n *network) refuse(down bool) {
	n.mu.Lock()
	n.down = down
	n.mu.Unlock()
	n.cut()
}

// freeze lets nothing pass and tells nobody, until thaw is called; then the
// connections of before are gone.
func (n *network) freeze() (thaw func()) {
	frozen := make(chan struct{})
	n.mu.Lock()
	n.frozen = frozen
	n.mu.Unlock()
	return func() {
		n.mu.Lock()
		n.frozen = nil
		n.mu.Unlock()
		close(frozen)
		n.cut()
	}
}

// pieces is how many have passed.
func (n *network) pieces() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.passed
}
