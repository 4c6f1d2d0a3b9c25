package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// brief is a run with little of everything.
func brief(t *testing.T, args ...string) config {
	t.Helper()
	conf, err := readFlags(append([]string{"-time", "4s", "-settle", "60s", "-seed", "1", "-replicas", "1", "-customers", "8", "-kill-every", "800"}, args...), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

// TestSmoke is the whole program, shortly.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	t.Parallel()
	rep, err := run(t.Context(), brief(t, "-least-kills", "2", "-least-paid", "20"), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	rep.print(t.Output())
	if rep.failed() {
		t.Error("the books disagree, or there was too little to do")
	}
}

// TestBreaks runs against each kit that is broken on purpose; all of them must
// be noticed. It takes minutes, so it runs when CHAOS_BREAKS is set.
func TestBreaks(t *testing.T) {
	if os.Getenv("CHAOS_BREAKS") == "" {
		t.Skip("CHAOS_BREAKS is not set")
	}
	for _, name := range breakNames() {
		t.Run(name, func(t *testing.T) {
			rep, err := run(t.Context(), brief(t, "-time", "20s", "-settle", "20s", "-replicas", "3", "-customers", "32", "-kill-every", "1800", "-break", name), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			rep.print(t.Output())
			if len(rep.violations) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
}

// TestEdits makes sure that each break still changes what it is meant to.
func TestEdits(t *testing.T) {
	t.Parallel()
	for _, name := range breakNames() {
		edits, err := breakOf(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := overlayOf("../..", t.TempDir(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, e := range edits {
			if _, err := e.apply(e.old + e.old); err == nil {
				t.Errorf("%s: an edit that fits twice was made", name)
			}
			if _, err := e.apply("moved on"); err == nil {
				t.Errorf("%s: an edit that fits nowhere was made", name)
			}
		}
	}
	if _, err := breakOf("nothing"); err == nil {
		t.Error("an unknown break was found")
	}
}

// TestWitness: what the witness decrypts is the order that was paid.
func TestWitness(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t)
	req, err := sim.SignNotification(map[string]any{"out_trade_no": "order-0001"}, wxsim.EventTransactionSuccess, "http://127.0.0.1:1/notify")
	if err != nil {
		t.Fatal(err)
	}
	body := new(strings.Builder)
	if err := req.Write(body); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(body.String(), "\r\n\r\n")
	if no, err := paidOrder([]byte(text), sim.Account().APIv3Key); no != "order-0001" || err != nil {
		t.Errorf("%q, %v", no, err)
	}
	if _, err := paidOrder([]byte(text), strings.Repeat("x", 32)); err == nil {
		t.Error("another key opened it")
	}
	w := newWitness(func(string) (bool, error) { return false, nil })
	w.learn(sim.Account().APIv3Key)
	w.look([]byte(text))
	w.look([]byte("garbage"))
	if got := w.violations(); len(got) != 1 || got[0].OutTradeNo != "order-0001" {
		t.Errorf("saw %v", got)
	}
}

// TestHandOvers counts in a log as the shops write it.
func TestHandOvers(t *testing.T) {
	t.Parallel()
	log := t.TempDir() + "/shop1.log"
	line := `time=2026-01-01T00:00:00Z level=INFO msg="paid order handed over" order_no=no1 tries=1` + "\n"
	if err := os.WriteFile(log, []byte(line+line+strings.Replace(line, "no1", "no2", 1)+"half a li"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := handOvers([]string{log, log + ".absent"})
	if err != nil || len(got) != 2 || got["no1"] != 2 || got["no2"] != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	conf, err := readFlags(nil, t.Output())
	if err != nil || conf.time != time.Minute || conf.replicas != 3 || conf.seed != 1 {
		t.Errorf("%+v, %v", conf, err)
	}
	for _, args := range [][]string{{"-time", "0"}, {"-replicas", "0"}, {"x"}, {"-shop", "a", "-break", "b"}, {"-nothing"}} {
		if _, err := readFlags(args, t.Output()); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
