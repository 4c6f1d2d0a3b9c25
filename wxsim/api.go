package wxsim

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// maxBody caps every body the simulator reads from a client.
const maxBody = 64 << 10

// Call is one API call as it arrived.
type Call struct {
	Target     string // prepay, query, close, refund, bill, certificates, echo, login
	Method     string
	Path       string // with its query, as sent
	Body       []byte
	Authorized bool   // the signature was good
	Status     int    // of the answer; 0 while under way, or when a fault swallowed the answer
	Fault      string // the fault that hit it
	At         time.Time
}

// maxCalls is how many calls the journal remembers in detail; it counts all.
const maxCalls = 10_000

// journal remembers the API calls that arrived. Guarded by Sim.mu.
type journal struct {
	counts map[string]int
	recent []*Call
}

// Requests says how many API calls of a target arrived, refused ones included.
func (s *Sim) Requests(target string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls.counts[target]
}

// Calls returns the latest API calls (up to 10,000), oldest first.
func (s *Sim) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Call, 0, len(s.calls.recent))
	for _, c := range s.calls.recent {
		out = append(out, *c)
	}
	return out
}

// arrive enters a call into the journal.
func (s *Sim) arrive(c *Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls.counts[c.Target]++
	if len(s.calls.recent) == maxCalls {
		s.calls.recent = append([]*Call(nil), s.calls.recent[maxCalls/2:]...)
	}
	s.calls.recent = append(s.calls.recent, c)
}

// note completes a journal entry.
func (s *Sim) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// endpoint is one API operation: the checks are done, the fault is drawn.
type endpoint func(r *http.Request, body []byte) (answer, *refusal)

// api wraps an endpoint: journal, size cap, authorisation, faults, signature.
func (s *Sim) api(target string, run endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		c := &Call{Target: target, Method: r.Method, Path: wireURI(r), Body: body, At: s.clock.header()}
		s.arrive(c)
		refused := s.admit(r, body, err)
		authorized := refused == nil
		var by signer
		if refused == nil {
			by, refused = s.prepareAnswer(r)
		}
		var fault Fault
		if refused == nil {
			fault = s.drawFault(target, r.URL.Path)
		}
		a := s.perform(r, body, run, refused, fault)
		if s.conclude(w, r, c, authorized, fault, a.status) {
			s.write(w, r, a, by, fault)
		}
	}
}

// conclude completes the journal of a call and plays the faults between the
// deed and the answer. It reports whether the answer is to be written.
func (s *Sim) conclude(w http.ResponseWriter, r *http.Request, c *Call, authorized bool, fault Fault, status int) bool {
	s.note(func() { c.Authorized, c.Fault = authorized, fault.Fault })
	if !s.holdBack(r.Context(), fault) {
		reset(w)
		return false
	}
	s.note(func() { c.Status = status }) // before the client can see the answer
	s.log.InfoContext(r.Context(), "call", "target", c.Target, "status", status, "fault", fault.Fault)
	return true
}

// admit checks what is common to all calls, in WeChat's order.
func (s *Sim) admit(r *http.Request, body []byte, readErr error) *refusal {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(readErr, &tooLarge):
		return refusedParameter.at("body", "", nil, "请求体过大")
	case readErr != nil:
		return refusedParameter.at("body", "", nil, "请求体不完整")
	case r.UserAgent() == "" && !strings.HasPrefix(r.URL.Path, "/v3/pay/transactions/"):
		return &refusedUserAgent // PROBE (wire facts §1.7): before the signature is looked at
	}
	return s.authorize(r, body)
}

// prepareAnswer checks the headers that matter after the signature and picks
// the key the answer is signed with.
func (s *Sim) prepareAnswer(r *http.Request) (signer, *refusal) {
	sent := r.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(sent); r.Method == http.MethodPost && (err != nil || kind != "application/json") {
		return signer{}, refusedParameter.at("header", "Content-Type", sent, "应为application/json")
	}
	return s.signerFor(r)
}

// perform runs the endpoint unless something stands before it: a refusal, or a
// fault of the kind where WeChat did nothing.
func (s *Sim) perform(r *http.Request, body []byte, run endpoint, refused *refusal, f Fault) answer {
	switch {
	case refused != nil:
		return refused.answer()
	case f.Fault == "status_500":
		return refusedSystem.answer()
	case f.Fault == "status_429":
		return refusedTooOften.answer()
	}
	if f.Fault == "late" {
		s.doLater(r, body, run, f.Delay)
		return answer{}
	}
	a, refused := run(r.WithContext(context.WithValue(r.Context(), struckKey{}, f.Fault)), body)
	switch {
	case f.Fault == "garbage":
		return answer{status: http.StatusOK, body: []byte("<html>微信支付")}
	case refused != nil:
		return refused.answer()
	}
	return a
}
