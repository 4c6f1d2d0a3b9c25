package wxsim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong on purpose.
//
// Target notify, one send each:
//
//	drop           the send is lost on the way
//	delay          the send comes Delay later in business time (default 30s)
//	duplicate      the same notification arrives twice at the same time
//	reorder        the send waits until another notification has overtaken it
//	               (15s at most)
//	probe          a send with a WECHATPAY/SIGNTEST/ signature comes first, the
//	               genuine one right after it
//	forge          instead: a genuine notification whose body was changed on
//	               the way; the signature no longer covers it
//	wrong_amount   instead: genuinely signed, but amount.total is another; of a
//	               refund amount.refund
//	old_timestamp  instead: genuinely signed, but ten minutes ago
//	wrong_key      instead: signed with a key that is not WeChat's under the
//	               name of one that is
//
// After each of the last four the genuine notification follows on the retry
// schedule, whatever the receiver answered.
//
// Target prepay, query, close, refund, certificates, echo, bill, one authorised call
// each (refund and bill strike every call about refunds or bills):
//
//	status_500     500 SYSTEM_ERROR, nothing was done
//	status_429     429 FREQUENCY_LIMITED, nothing was done
//	timeout        done, but no answer until the client leaves (60s at most)
//	slow           done, the answer comes Delay later in real time (default 2s)
//	reset          done, then the connection breaks (Go's HTTP client repeats a
//	               GET by itself when the connection was a reused one)
//	unsigned       done, the answer carries no signature
//	bad_signature  done, the answer's signature is wrong
//	garbage        done, the answer is 200 and properly signed, but not JSON
//
// Target prepay, close, refund, too:
//
//	late           the connection breaks at once, and it is done Delay later in
//	               business time (default 30s), if it is still possible then
//
// Target close, too:
//
//	paid_first     the customer pays just before: 400 ORDER_PAID
//	userpaying     202 USERPAYING, nothing was done; the code is from an old list
//	too_early      by API v2 only, of an order that is not five minutes old yet:
//	               TRADE_STATE_ERROR, nothing was done
//
// Target bill, too; the first two strike the application for a bill, the last
// its download:
//
//	wrong_hash      hash_value is not that of the bill
//	missing_column  the bill has no 订单金额; its hash is right
//	truncated       half of the file is missing
//
// By API v2 the HTTP status is 200 all the same: status_500 is SYSTEMERROR and
// status_429 FREQUENCY_LIMITED, both signed; unsigned leaves out the sign, and
// garbage is a page of HTML. Its notifications know no probe and no
// old_timestamp, which wait for one of API v3; forge changes time_end behind
// the sign of a payment, and makes noise of a refund's req_info; wrong_amount
// changes total_fee or refund_fee.
//
// Target login, the exchange of a code under a good secret: status_500,
// status_429, timeout, slow, reset and garbage as above (unsigned and
// bad_signature change nothing: no answer is signed there), and with nothing done
//
//	busy           errcode -1
//	risky          errcode 40226: WeChat blocks this user
//	rate           errcode 45011
//
// Target keys: rotate puts the next platform certificate in force. While the
// fault is listed both certificates are, and notifications are signed with the
// new one (a public-key merchant's are not touched). Clearing it retires the
// old certificate.
type Fault struct {
	Target string
	Fault  string
	Count  int           // how often it strikes; 0 with no Rate: until cleared
	Rate   float64       // how likely it strikes, 0 to 1; 0: every time
	Delay  time.Duration // for delay, slow and late
}

// faultNames lists what may be asked for.
var faultNames = map[string][]string{
	"notify":       {"drop", "delay", "duplicate", "reorder", "forge", "probe", "wrong_amount", "old_timestamp", "wrong_key"},
	"prepay":       slices.Concat(apiFaults, []string{"late"}),
	"query":        apiFaults,
	"close":        slices.Concat(apiFaults, []string{"late", "paid_first", "userpaying", "too_early"}),
	"refund":       slices.Concat(apiFaults, []string{"late"}),
	"certificates": apiFaults,
	"echo":         apiFaults,
	"login":        slices.Concat(apiFaults, []string{"busy", "risky", "rate"}),
	"bill":         slices.Concat(apiFaults, []string{"wrong_hash", "missing_column", "truncated"}),
	"keys":         {"rotate"},
}

var apiFaults = []string{"status_500", "status_429", "timeout", "slow", "reset", "unsigned", "bad_signature", "garbage"}

// faultPaths are the only paths that some faults strike.
var faultPaths = map[string]string{
	"wrong_hash":     billApplyPath,
	"missing_column": billApplyPath,
	"truncated":      billDownloadPath,
	"too_early":      v2ClosePath,
}

// notInV2 are the faults of notifications that mean nothing in API v2, which
// signs no time and sends no probes.
var notInV2 = []string{"probe", "old_timestamp"}

// faultRule is a fault in force.
type faultRule struct {
	Fault
	used int
}

// check says in one sentence what is wrong with a fault.
func (f Fault) check() error {
	names, known := faultNames[f.Target]
	switch {
	case !known:
		targets := make([]string, 0, len(faultNames))
		for t := range faultNames {
			targets = append(targets, t)
		}
		slices.Sort(targets)
		return fmt.Errorf("unknown target %q, want one of %s", f.Target, strings.Join(targets, " "))
	case !slices.Contains(names, f.Fault):
		return fmt.Errorf("unknown fault %q of target %s, want one of %s", f.Fault, f.Target, strings.Join(names, " "))
	case f.Count < 0:
		return fmt.Errorf("count %d is negative", f.Count)
	case !(f.Rate >= 0 && f.Rate <= 1):
		return fmt.Errorf("rate %v is not between 0 and 1", f.Rate)
	case f.Delay < 0:
		return fmt.Errorf("delay %s is negative", f.Delay)
	}
	return nil
}

// Fault makes something go wrong. Faults of one target strike in the order
// they were given, one per call or send. A fault that does not exist fails the
// test of [Start], and is logged otherwise.
func (s *Sim) Fault(f Fault) {
	if err := s.addFault(f); err != nil {
		s.misuse("wxsim: fault: %v", err)
	}
}

func (s *Sim) addFault(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.Delay == 0 {
		f.Delay = map[string]time.Duration{"delay": 30 * time.Second, "late": 30 * time.Second, "slow": 2 * time.Second}[f.Fault]
	}
	if f.Target == "keys" {
		// The key is made before the lock is taken: it costs a while.
		if _, err := s.keys.platformSigner(s.newestPlatform() + 1); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rule := &faultRule{Fault: f}
	if f.Target == "keys" {
		s.rotation++
		s.rotating, rule.used = true, 1
	}
	s.faults = append(s.faults, rule)
	return nil
}

// ClearFaults ends all faults. What they already did stays done.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.rotating = nil, false
}

// drawFault returns the fault that strikes this call or send, if any, and uses
// it up.
func (s *Sim) drawFault(target, path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rule := range s.faults {
		if rule.Target != target || rule.Count > 0 && rule.used >= rule.Count {
			continue
		}
		if only, limited := faultPaths[rule.Fault.Fault]; limited && only != path {
			continue
		}
		if path == apiV2 && slices.Contains(notInV2, rule.Fault.Fault) {
			continue
		}
		if rule.Rate > 0 && s.dice.Float64() >= rule.Rate {
			continue
		}
		rule.used++
		return rule.Fault
	}
	return Fault{}
}
