//go:build cgo

package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// output runs the program, servers in processes of their own and all, and
// returns what it prints. Nothing may be left behind.
func output(t *testing.T, args ...string) string {
	t.Helper()
	binary, files := filepath.Join(t.TempDir(), "load"), t.TempDir()
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	out, err := exec.CommandContext(t.Context(), binary, append([]string{"-dir", files}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Logf("%s", exit.Stderr)
		}
		t.Fatal(err)
	}
	if left, err := os.ReadDir(files); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return string(out)
}

// TestAttack keeps the scene alive. It fails by itself when a forgery gets
// another answer than it must, or when what is stored is not what was paid.
func TestAttack(t *testing.T) {
	t.Parallel()
	out := output(t, "-scenes", "attack", "-siege", "1s", "-forged", "300", "-good", "30", "-procs", "2")
	for _, want := range []string{"Certificates were fetched 1 times.", "\n| unknown serial | 401 | ", "\n| 1 MiB announced | 413 | ",
		"| 300 forgeries a second: p99 of genuine notifications | ≤ 1000 ms |", "| refused by its header: clock an hour off | ≤ 1000 ns |"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestForgeries: each is refused by the handler of the kit as it says, and by
// its header alone if it says so; what it was made of is taken.
func TestForgeries(t *testing.T) {
	t.Parallel()
	a, err := prepareAttack(t.Context(), siege{span: time.Second, forged: 1, good: 1}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	weChat := httptest.NewServer(a.platform)
	t.Cleanup(weChat.Close)
	a.platform.Base = weChat.URL
	if err := a.platform.write(a.folder); err != nil {
		t.Fatal(err)
	}
	handler, end, err := config{folder: a.folder}.openAttacked()
	if err != nil {
		t.Fatal(err)
	}
	key, err := wxcrypto.ParseCertificate([]byte(a.platform.Certificate))
	if err != nil {
		t.Fatal(err)
	}
	keys := wxcrypto.NewKeySet(key)
	deliver := func(m message) int {
		req := httptest.NewRequest("POST", "/pay/notify", strings.NewReader(string(m.body)))
		req.Header = m.header
		if m.header.Get("Content-Length") == "1048576" {
			req.ContentLength = 1 << 20
		}
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, req)
		return rec.Code
	}
	for i, s := range a.bad.shots[:len(forgeries)] {
		kind := kindOf(i)
		if got := deliver(s.message); strconv.Itoa(got) != kind.answer {
			t.Errorf("%s: answered %d, want %s", kind.name, got, kind.answer)
		}
		if _, err := keys.CheckHeader(s.header, time.Now()); kind.header != (err != nil) && kind.name != "garbage" {
			t.Errorf("%s: CheckHeader = %v", kind.name, err)
		}
	}
	if got := deliver(a.warm[0]); got != http.StatusNoContent {
		t.Errorf("the genuine one is answered %d", got)
	}
	if got := a.platform.asked.Load(); got != 1 {
		t.Errorf("certificates were fetched %d times", got)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

// TestRefuse: what is not refused is not measured.
func TestRefuse(t *testing.T) {
	acct, key, err := newAccount()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlatform(key, acct.SignedAt)
	if err != nil {
		t.Fatal(err)
	}
	genuine, err := newPool(t.Context(), len(forgeries), key, acct.SignedAt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range genuine {
		genuine[i] = genuine[i].with("Wechatpay-Serial", p.Serial)
	}
	if _, err := refuse(p, shotsOf(genuine), acct.SignedAt); err == nil || err.Error() != "unknown serial: not refused by its header" {
		t.Errorf("%v", err)
	}
	all, err := refuse(p, forge(genuine[:1], acct.SignedAt), acct.SignedAt)
	if err != nil || len(all) != 3 || all[0].took == 0 || all[0].allocs == 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestAttackCheckAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		good, bad string
		asked     int64
		want      string
	}{
		{"all as they must be", "204", "401", 1, ""},
		{"a genuine one refused", "503", "401", 1, "a genuine notification was answered 503"},
		{"a forgery taken", "204", "204", 1, "a forgery (another body) was answered 204, not 401"},
		{"nobody asked", "204", "401", 0, "no unknown serial made the kit ask for certificates: the attack was none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := &attack{platform: new(certificates), goodHits: []hit{{status: test.good}}, badHits: []hit{{status: test.bad}}}
			a.platform.asked.Store(test.asked)
			got := ""
			if err := a.checkAnswers(); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestParse: an attack of nothing, or a pile of nothing, measures nothing.
func TestParse(t *testing.T) {
	t.Parallel()
	const attack, growth = "an attack has 6 forgeries and a genuine notification at least", "orders are pending, some of them due, and there is a rest"
	for flags, want := range map[string]string{
		"": "", "-forged 0": attack, "-good 0": attack, "-siege 1ms": attack,
		"-few 0": growth, "-many 0": growth, "-due 0": growth, "-rest 0s": growth,
	} {
		got := ""
		if _, err := parse(strings.Fields(flags)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", flags, got, want)
		}
	}
}

func TestAttackTargets(t *testing.T) {
	t.Parallel()
	a := &attack{siege: siege{span: 90 * time.Second, forged: 5000}, platform: new(certificates), peak: 201 << 20,
		goodHits: []hit{{took: 1001 * time.Millisecond}}, badHits: []hit{{sent: 20 * time.Millisecond}},
		memory:   slices.Concat(slices.Repeat([]int64{10}, 20), slices.Repeat([]int64{100}, 20), slices.Repeat([]int64{120}, 20)),
		refusing: []refusing{{kind: "header missing", took: 900}}}
	a.platform.asked.Store(2)
	var lines []string
	for _, target := range a.targets() {
		lines = append(lines, strings.Join([]string{target.wanted(), target.measured(), target.verdict()}, " "))
	}
	want := "≤ 1000 ms 1001.00 ms MISS; ≤ 1.1 × 1.20 × MISS; ≤ 2 2.00 pass; ≤ 1000 ms 20.00 ms pass; ≤ 200 MiB 201.00 MiB MISS; ≤ 1000 ns 900.00 ns pass"
	if got := strings.Join(lines, "; "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// TestPace: what waits behind a slow answer has waited, though it was not sent.
func TestPace(t *testing.T) {
	t.Parallel()
	const slow = 300 * time.Millisecond
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Slow") != "" {
			time.Sleep(slow)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	quick := newMessage("", http.Header{"Content-Length": {"0"}}, nil)
	p := pace{rate: 100, senders: 1, shots: []shot{{message: quick.with("Slow", "yes")}, {message: quick, closes: true}, {message: quick}}}
	hits, err := p.send(t.Context(), server.Listener.Addr().String(), time.Now(), 6)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range hits {
		if h.shot != i%3 || h.status != "204" {
			t.Errorf("%d: %+v", i, h)
		}
	}
	if h := hits[1]; h.took < slow-20*time.Millisecond || h.sent < slow-20*time.Millisecond {
		t.Errorf("sent %v and answered %v after its time: the wait behind the slow one is not in it", h.sent, h.took)
	}
}

func TestProcess(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(withPID(http.NotFoundHandler()))
	t.Cleanup(server.Close)
	self, err := processAt(server.Listener.Addr().String())
	if err != nil || int(self) != os.Getpid() {
		t.Fatalf("process %d, %v; this one is %d", self, err, os.Getpid())
	}
	resident, err := self.resident()
	peak, peakErr := self.peak()
	if err != nil || peakErr != nil || resident < 1<<20 || peak < resident/2 {
		t.Errorf("resident %d, %v; peak %d, %v", resident, err, peak, peakErr)
	}
	if _, err := self.status("VmNone"); err == nil || !strings.Contains(err.Error(), "says nothing of VmNone") {
		t.Errorf("%v", err)
	}
}
