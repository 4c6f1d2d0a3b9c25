package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// TestMain is the shop itself when a test starts it as a process to kill.
func TestMain(m *testing.M) {
	if os.Getenv("SHOP_TEST_PROCESS") != "" {
		main()
		return
	}
	_ = os.Unsetenv("WXPAY_MCHID") // a developer's own account stays out of it
	os.Exit(m.Run())
}

// wire is what these tests talk through. Not http.DefaultTransport: each
// httptest.Server that closes cuts its connections, also those of tests that
// run beside it.
var wire = &http.Transport{MaxIdleConnsPerHost: 64}

// site is an open shop.
type site struct {
	t         *testing.T
	url       string // without a slash at the end
	phone, db string
	process   *os.Process
}

// start opens a shop in this process until the test ends.
func start(t *testing.T, args ...string) *site {
	t.Helper()
	o := &site{t: t, db: filepath.Join(t.TempDir(), "shop.db")}
	conf, err := readFlags(append([]string{"-addr", "127.0.0.1:0", "-sim-addr", "127.0.0.1:0", "-db", o.db}, args...), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, conf, in)
		in.CloseWithError(io.EOF)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the shop ended with %v", err)
		}
	})
	o.read(out)
	return o
}

// spawn opens a shop in a process of its own, which o.kill ends.
func spawn(t *testing.T, db string, env []string, args ...string) *site {
	t.Helper()
	o := &site{t: t, db: db}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"-addr", "127.0.0.1:0", "-sim-addr", "127.0.0.1:0", "-db", db}, args...)...)
	cmd.Env = append(append(os.Environ(), "SHOP_TEST_PROCESS=1"), env...)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o.process = cmd.Process
	t.Cleanup(func() {
		o.kill()
		_ = cmd.Wait() // killed
	})
	o.read(out)
	return o
}

// kill is kill -9.
func (o *site) kill() {
	_ = o.process.Kill()
	_, _ = o.process.Wait()
}

// read reads what a person is told to open.
func (o *site) read(out io.Reader) {
	o.t.Helper()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		words := append(strings.Fields(lines.Text()), "", "")
		switch words[0] {
		case "shop":
			o.url = strings.TrimSuffix(words[1], "/")
		case "phone":
			o.phone = words[1]
		case "Ctrl-C":
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	o.t.Fatal("the shop did not open")
}

// answer is an answer of the shop or of the simulator.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

// do sends a request. user is who is signed in; a body that is not empty is
// JSON; header pairs follow.
func (o *site) do(method, target, user, body string, header ...string) answer {
	o.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = o.url + target
	}
	req, err := http.NewRequestWithContext(o.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if user != "" {
		req.AddCookie(&http.Cookie{Name: "shop_user", Value: url.PathEscape(user)})
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: wire, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return answer{o.t, resp.StatusCode, resp.Header, string(raw)}
}

// into decodes an answer that must be a success.
func into[T any](a answer) T {
	a.t.Helper()
	var v T
	if a.status != http.StatusOK {
		a.t.Fatalf("answer is %d %s", a.status, a.body)
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(a.body)))
	if err := dec.Decode(&v); err != nil {
		a.t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

// order is what the kit says of an order; absent fields stay zero.
type order struct {
	OutTradeNo string            `json:"out_trade_no"`
	PrepayID   string            `json:"prepay_id"`
	Pay        map[string]string `json:"pay"`
	H5URL      string            `json:"h5_url"`
	CodeURL    string            `json:"code_url"`
	QRURL      string            `json:"qr_url"`
	PayStatus  int               `json:"pay_status"`
}

type envelope struct {
	Code int    `json:"code"`
	Data order  `json:"data"`
	Msg  string `json:"msg"`
}

// buy places an order of a month.
func (o *site) buy(product, user string) order {
	o.t.Helper()
	body := map[string]string{"goods_id": "vip-month"}
	switch product {
	case "miniprogram", "jsapi":
		body["openid"] = openID(user)
	case "app":
		body["app_name"], body["app_channel"], body["device"] = "示例小店", "test", "test"
	}
	raw, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	return into[envelope](o.do("POST", "/pay/prepay/"+product, user, string(raw))).Data
}

// pay is the customer paying on the phone of the shop's own simulator.
func (o *site) pay(outTradeNo string) {
	o.t.Helper()
	into[map[string]any](o.do("POST", o.phone+"_sim/pay", "", `{"out_trade_no":"`+outTradeNo+`"}`))
}

func (o *site) payStatus(user, outTradeNo string) int {
	o.t.Helper()
	return into[envelope](o.do("GET", "/pay/orders/"+outTradeNo, user, "")).Data.PayStatus
}

func (o *site) me(user string) profile {
	o.t.Helper()
	return into[profile](o.do("GET", "/me", user, ""))
}

// eventually waits for what another goroutine or process is about to do.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// environment is a simulator of the test's own, as an account in WXPAY_…: it
// outlives the shops that the test kills.
func environment(t *testing.T, sim *wxsim.Sim, shopURL string) []string {
	t.Helper()
	a, dir := sim.Account(), t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return []string{
		"WXPAY_MCHID=" + a.MchID, "WXPAY_CERT_SERIAL=" + a.SerialNo, "WXPAY_APIV3_KEY=" + a.APIv3Key,
		"WXPAY_PRIVATE_KEY_FILE=" + file("apiclient_key.pem", a.PrivateKeyPEM),
		"WXPAY_PUBLIC_KEY_ID=" + a.PublicKeyID, "WXPAY_PUBLIC_KEY_FILE=" + file("pub_key.pem", a.PublicKeyPEM),
		"WXPAY_APPID=" + a.AppID, "WXPAY_APPID_APP=" + a.AppIDApp, "WXPAY_APPID_JSAPI=" + a.AppIDJSAPI,
		"WXPAY_API_BASE=" + sim.URL(), "WXPAY_NOTIFY_URL=" + shopURL + "/pay/notify",
	}
}
