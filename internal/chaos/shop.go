package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// shop is one replica: a process that is killed and started again on the same
// port. The methods start and kill are not concurrent with themselves.
type shop struct {
	addr    string
	binary  string
	args    []string
	env     []string
	log     string // what it writes to stderr, over all its lives
	onEnded func(error)
	// patience is how long the server that it uses may be down when it starts.
	patience time.Duration
	dead     atomic.Bool // killed, and not back yet

	mu    sync.Mutex
	cmd   *exec.Cmd
	done  chan struct{}
	meant bool // its end is wanted
}

// openDeadline is how long a shop may take to open.
const openDeadline = 20 * time.Second

// start opens the shop and returns when it sells.
func (s *shop) start() error {
	open, err := s.launch()
	if err != nil {
		return err
	}
	late := time.NewTimer(openDeadline)
	defer late.Stop()
	select {
	case ok := <-open:
		if !ok {
			return fmt.Errorf("shop on %s did not open, see %s", s.addr, filepath.Base(s.log))
		}
		return nil
	case <-late.C:
		s.kill()
		return fmt.Errorf("shop on %s did not open within %v", s.addr, openDeadline)
	}
}

// restart starts the shop again and again until it opens, as a supervisor does.
func (s *shop) restart() error {
	for end := time.Now().Add(s.patience); ; time.Sleep(500 * time.Millisecond) {
		if err := s.start(); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// launch starts the process. The channel tells whether it opened.
func (s *shop) launch() (<-chan bool, error) {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(s.binary, s.args...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done, open := make(chan struct{}), make(chan bool, 1)
	s.mu.Lock()
	s.cmd, s.done, s.meant = cmd, done, false
	s.mu.Unlock()
	go func() {
		defer close(done)
		opened := announced(out)
		open <- opened
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); opened { // whoever waits for one that did not open knows
			s.ended(err)
		}
	}()
	return open, nil
}

// announced reads until the shop says that it is open.
func announced(out io.Reader) bool {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			return true
		}
	}
	return false
}

// ended reports an end that nobody wanted.
func (s *shop) ended(err error) {
	s.mu.Lock()
	wanted := s.meant
	s.mu.Unlock()
	if !wanted {
		s.onEnded(fmt.Errorf("shop on %s ended: %v", s.addr, err)) // nil: somebody asked it to
	}
}

// kill is kill -9. It returns when the process is gone.
func (s *shop) kill() {
	s.mu.Lock()
	cmd, done := s.cmd, s.done
	s.meant = true
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill()
	<-done
}
