package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// weather is a mix of faults that changes every few seconds.
type weather struct {
	sim    *weChat
	dice   *rand.Rand
	struck map[string]int // how often each fault struck, by target and name
}

// climate is how often the faults of a target strike, all together, at most.
type climate struct {
	target string
	most   float64
	faults []string
}

func climates() []climate {
	api := []string{"status_500", "status_429", "timeout", "slow", "reset", "unsigned", "bad_signature", "garbage"}
	late := append(api[:len(api):len(api)], "late")
	return []climate{
		{"notify", 0.4, []string{"drop", "delay", "duplicate", "reorder", "forge", "probe", "wrong_amount", "old_timestamp", "wrong_key"}},
		{"prepay", 0.12, late},
		{"query", 0.2, api},
		{"close", 0.3, late},
		{"refund", 0.3, late},
	}
}

// rage changes the weather until ctx ends, and leaves it calm.
func (w *weather) rage(ctx context.Context) {
	for {
		w.change()
		select {
		case <-ctx.Done():
			w.calm()
			return
		case <-time.After(2*time.Second + time.Duration(w.dice.Int64N(int64(3*time.Second)))):
		}
	}
}

// change draws new faults: three of each target's, each with a share of what
// the target may bear. Every fifth weather is a calm one; in some of the others
// the merchant has no money to refund from.
func (w *weather) change() {
	w.calm()
	if w.dice.IntN(5) == 0 {
		return
	}
	if w.dice.IntN(6) == 0 {
		w.sim.SetBalance(false)
		w.struck["refund empty account"]++
	}
	for _, c := range climates() {
		for _, i := range w.dice.Perm(len(c.faults))[:3] {
			f := wxsim.Fault{Target: c.target, Fault: c.faults[i], Rate: c.most / 3 * (0.01 + 0.99*w.dice.Float64())}
			switch f.Fault {
			case "timeout": // it holds a call for five seconds
				f.Rate /= 3
			case "slow":
				f.Delay = time.Duration(w.dice.Int64N(int64(800 * time.Millisecond)))
			case "delay", "late":
				f.Delay = time.Duration(w.dice.Int64N(int64(20 * time.Second)))
			}
			w.sim.Fault(f)
		}
	}
}

// calm clears the faults and notes how often they struck.
func (w *weather) calm() {
	for _, f := range w.inForce() {
		if f.Used > 0 {
			w.struck[f.Target+" "+f.Fault] += f.Used
		}
	}
	w.sim.ClearFaults()
	w.sim.SetBalance(true)
}

type inForce struct {
	Target string `json:"target"`
	Fault  string `json:"fault"`
	Used   int    `json:"used"`
}

// inForce asks for the faults on the wire, which also says how often they
// struck.
func (w *weather) inForce() []inForce {
	resp, err := http.Get(w.sim.URL() + "/_sim/faults")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	var answer struct {
		Faults []inForce `json:"faults"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.Faults
}
