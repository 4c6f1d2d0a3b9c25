package wxsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// controls mounts what the package comment lists. Answers are JSON; a refused
// control is {"error":"one sentence"}.
func (s *Sim) controls(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sim/config", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, s.Account()) })
	mux.HandleFunc("GET /_sim/orders", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"orders": s.Orders()})
	})
	mux.HandleFunc("GET /_sim/notifications", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"notifications": s.Notifications()})
	})
	mux.HandleFunc("POST /_sim/pay", guard(s.customerDoes(s.pay)))
	mux.HandleFunc("POST /_sim/begin", guard(s.customerDoes(func(_ context.Context, no, _ string) error { return s.Begin(no) })))
	mux.HandleFunc("POST /_sim/cancel", guard(s.customerDoes(func(_ context.Context, no, _ string) error { return s.Cancel(no) })))
	mux.HandleFunc("POST /_sim/fail", guard(s.customerDoes(func(_ context.Context, no, _ string) error { return s.Fail(no) })))
	s.refundControls(mux)
	mux.HandleFunc("POST /_sim/login", guard(s.controlLogin))
	mux.HandleFunc("POST /_sim/bill/stray", guard(s.controlStray))
	mux.HandleFunc("GET /_sim/clock", func(w http.ResponseWriter, _ *http.Request) { s.replyClock(w) })
	mux.HandleFunc("POST /_sim/clock", guard(s.moveClock))
	mux.HandleFunc("GET /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { s.replyFaults(w, http.StatusOK) })
	mux.HandleFunc("POST /_sim/faults", guard(s.setFault))
	mux.HandleFunc("DELETE /_sim/faults", guard(func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		s.replyFaults(w, http.StatusOK)
	}))
	mux.HandleFunc("/_sim/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, fmt.Errorf("no control %s %s", r.Method, r.URL.Path))
	})
}

// reply writes an answer of a control.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(compact(v), '\n')) // the client may be gone
}

func refuse(w http.ResponseWriter, status int, err error) {
	reply(w, status, map[string]string{"error": err.Error()})
}

// readControl decodes the body of a control: one JSON object, nothing unknown.
// It has answered already when it returns false.
func readControl(w http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		if _, end := dec.Token(); end != io.EOF {
			err = errors.New("more than one JSON value")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, errors.New("body is larger than 64 KiB"))
	case err != nil:
		refuse(w, http.StatusBadRequest, fmt.Errorf("body is not what this control takes: %w", err))
	}
	return err == nil
}

// customerDoes is a control over one order; it answers with the order.
func (s *Sim) customerDoes(do func(ctx context.Context, outTradeNo, openid string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			OutTradeNo string `json:"out_trade_no"`
			OpenID     string `json:"openid"`
		}
		if !readControl(w, r, &body) {
			return
		}
		if body.OutTradeNo == "" {
			refuse(w, http.StatusBadRequest, errors.New("out_trade_no is missing"))
			return
		}
		// What has been paid is notified even if the caller hangs up.
		if err := do(context.WithoutCancel(r.Context()), body.OutTradeNo, body.OpenID); err != nil {
			refuse(w, customerStatus(err), err)
			return
		}
		o, _ := s.Order(body.OutTradeNo)
		reply(w, http.StatusOK, o)
	}
}

// customerStatus is the HTTP status of what a customer cannot do.
func customerStatus(err error) int {
	if errors.Is(err, ErrNoOrder) {
		return http.StatusNotFound
	}
	return http.StatusConflict
}

func (s *Sim) moveClock(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Advance string `json:"advance"`
	}
	if !readControl(w, r, &body) {
		return
	}
	d, err := time.ParseDuration(body.Advance)
	if err != nil || d < 0 {
		refuse(w, http.StatusBadRequest, fmt.Errorf("advance %q is not a duration like 90s, 10m or 24h", body.Advance))
		return
	}
	s.advance(context.WithoutCancel(r.Context()), d)
	s.replyClock(w)
}

func (s *Sim) replyClock(w http.ResponseWriter) {
	s.mu.Lock()
	now, ahead := s.clock.now(), s.clock.ahead
	s.mu.Unlock()
	reply(w, http.StatusOK, map[string]string{"now": stamp(now), "ahead": ahead.String()})
}

// faultWire is a [Fault] as the controls spell it.
type faultWire struct {
	Target string  `json:"target"`
	Fault  string  `json:"fault"`
	Count  int     `json:"count,omitempty"`
	Rate   float64 `json:"rate,omitempty"`
	Delay  string  `json:"delay,omitempty"`
	Used   int     `json:"used"` // how often it has struck; ignored in requests
}

func (s *Sim) setFault(w http.ResponseWriter, r *http.Request) {
	var body faultWire
	if !readControl(w, r, &body) {
		return
	}
	f := Fault{Target: body.Target, Fault: body.Fault, Count: body.Count, Rate: body.Rate}
	if body.Delay != "" {
		d, err := time.ParseDuration(body.Delay)
		if err != nil {
			refuse(w, http.StatusBadRequest, fmt.Errorf("delay %q is not a duration like 90s, 10m or 24h", body.Delay))
			return
		}
		f.Delay = d
	}
	if err := s.addFault(f); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	s.replyFaults(w, http.StatusOK)
}

func (s *Sim) replyFaults(w http.ResponseWriter, status int) {
	s.mu.Lock()
	faults := []faultWire{}
	for _, rule := range s.faults {
		wire := faultWire{Target: rule.Target, Fault: rule.Fault.Fault, Count: rule.Count, Rate: rule.Rate, Used: rule.used}
		if rule.Delay > 0 {
			wire.Delay = rule.Delay.String()
		}
		faults = append(faults, wire)
	}
	s.mu.Unlock()
	reply(w, status, map[string]any{"faults": faults})
}
