package sqlstoretest

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy leads to a server, until it is told not to.
type proxy struct {
	server string
	commit []byte
	listen net.Listener
	down   atomic.Bool
	cut    atomic.Pointer[func(*link, []byte)] // what is done to the next commit
	passed atomic.Int64                        // commits that were asked for

	mu    sync.Mutex
	links map[*link]bool
}

// link is a connection through the proxy.
type link struct {
	client, server net.Conn
	muted          atomic.Bool   // what the server says is not passed on
	answered       chan struct{} // has what it said while muted, and is closed when it says no more
}

func (l *link) close() { l.client.Close(); l.server.Close() }

// newProxy opens a way to the server.
func newProxy(t testing.TB, s Server) *proxy {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{server: s.Addr, commit: s.Commit, listen: listen, links: make(map[*link]bool)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			client, err := listen.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		listen.Close()
		p.stop()
		wg.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listen.Addr().String() }

// stop closes all connections and takes no more.
func (p *proxy) stop() {
	p.down.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

func (p *proxy) start() { p.down.Store(false) }

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	if p.down.Load() {
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	l := &link{client: client, server: server, answered: make(chan struct{}, 1)}
	defer server.Close()
	p.mu.Lock()
	p.links[l] = true
	p.mu.Unlock()
	done := make(chan struct{})
	go func() { defer close(done); l.answer() }()
	p.ask(l)
	server.Close()
	<-done
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// ask passes on what the client says.
func (p *proxy) ask(l *link) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.client.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], p.commit) {
			p.passed.Add(1)
			if cut := p.cut.Swap(nil); cut != nil {
				(*cut)(l, buffer[:n])
				return
			}
		}
		if _, err := l.server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// answer passes on what the server says.
func (l *link) answer() {
	defer close(l.answered)
	buffer := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buffer)
		switch {
		case err != nil && l.muted.Load():
			return
		case err != nil:
			l.client.Close()
			return
		case l.muted.Load():
			select {
			case l.answered <- struct{}{}:
			default:
			}
		default:
			if _, err := l.client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
}

// The ways to lose a commit. Each calls meanwhile when the server knows how it
// stands and the client does not.
var cuts = map[string]func(l *link, commit []byte, meanwhile func()){
	"before it arrives": func(l *link, _ []byte, meanwhile func()) {
		l.muted.Store(true)
		l.server.Close()
		meanwhile()
		l.client.Close()
	},
	"before it is answered": func(l *link, commit []byte, meanwhile func()) {
		l.muted.Store(true)
		l.server.Write(commit)
		<-l.answered
		meanwhile()
		l.client.Close()
	},
	"and it arrives late": func(l *link, commit []byte, meanwhile func()) {
		l.muted.Store(true)
		l.client.Close()
		time.Sleep(300 * time.Millisecond)
		l.server.Write(commit)
		<-l.answered
		meanwhile()
	},
}

// loseCommit does that to the next commit.
func (p *proxy) loseCommit(how string, meanwhile func()) {
	cut := func(l *link, commit []byte) { cuts[how](l, commit, meanwhile) }
	p.cut.Store(&cut)
}
