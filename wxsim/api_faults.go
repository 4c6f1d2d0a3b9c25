package wxsim

import (
	"context"
	"net/http"
	"time"
)

// struckKey is where a call carries the fault that strikes it, for endpoints
// that have faults of their own.
type struckKey struct{}

// struck names the fault that strikes a call.
func struck(r *http.Request) string {
	name, _ := r.Context().Value(struckKey{}).(string)
	return name
}

// doLater puts a call's deed off. What is impossible by then is not done, and
// nobody hears of it.
func (s *Sim) doLater(r *http.Request, body []byte, run endpoint, by time.Duration) {
	later := r.Clone(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan(s.clock.now().Add(by), func(context.Context, time.Time) {
		if _, refused := run(later, body); refused != nil {
			s.log.Info("late call", "code", refused.code)
		}
	})
}

// hangLimit is how long a timeout fault keeps a client waiting.
const hangLimit = 60 * time.Second

// holdBack plays the faults between WeChat's deed and its answer. It reports
// whether the answer is to be sent after all.
func (s *Sim) holdBack(ctx context.Context, f Fault) bool {
	switch f.Fault {
	case "slow":
		return s.sleep(ctx, f.Delay)
	case "timeout":
		s.sleep(ctx, hangLimit)
		return false
	case "reset", "late":
		return false
	}
	return true
}

// sleep waits in real time and reports whether it could wait to the end.
func (s *Sim) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closed:
	}
	return false
}

// reset breaks the connection under the answer. Where the connection cannot be
// taken over, an answer shorter than announced makes the server break it.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.Header().Set("Content-Length", "2")
		w.WriteHeader(http.StatusOK)
		return
	}
	if tcp, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // a reset instead of a polite end
	}
	_ = conn.Close()
}
