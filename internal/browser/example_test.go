package browser_test

import (
	"bufio"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openExample starts the program in examples/name, and a browser.
func openExample(t *testing.T, name string) (*shop, tab) {
	t.Helper()
	chromium := findChromium(t)
	bin := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-o", bin, "./examples/"+name)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	cmd := exec.Command(bin, "-addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "WXPAY_MCHID=")
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	s := &shop{t: t}
	for lines := bufio.NewScanner(out); s.phone == "" && lines.Scan(); {
		switch words := append(strings.Fields(lines.Text()), "", ""); words[0] {
		case "page":
			s.home = words[1]
		case "phone":
			s.phone = words[1]
		}
	}
	if s.phone == "" {
		t.Fatal(name, " did not say where it is")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the program
	return s, browse(t, chromium)
}

// heldBridge stands in for WeChat's own: it keeps what it is asked until the test
// has looked at it and says what the customer saw.
const heldBridge = `window.WeixinJSBridge = {
	invoke(name, pay, done) {
		window.asked = JSON.stringify({name, pay});
		window.answer = (message) => { delete window.asked; done({err_msg: message}); return true; };
	},
};`

// invoked is what WeixinJSBridge.invoke was given.
type invoked struct {
	Name string            `json:"name"`
	Pay  map[string]string `json:"pay"`
}

// invoked waits until the page opens WeChat's cashier, holds what it hands over
// to what WeChat takes, and returns the order.
func (s *shop) invoked(b tab) (no, nonce string) {
	s.t.Helper()
	b.until("!!window.asked")
	var asked invoked
	if err := json.Unmarshal([]byte(eval[string](b, "window.asked")), &asked); err != nil {
		s.t.Fatal(err)
	}
	var config struct {
		AppIDJSAPI    string `json:"appid_jsapi"`
		PrivateKeyPEM string `json:"private_key_pem"`
	}
	s.call("GET", s.phone+"_sim/config", "", nil, &config)
	pay := asked.Pay
	if asked.Name != "getBrandWCPayRequest" || len(pay) != 6 || pay["appId"] != config.AppIDJSAPI || pay["signType"] != "RSA" {
		s.t.Fatalf("WeixinJSBridge was asked for %+v", asked)
	}
	message := pay["appId"] + "\n" + pay["timeStamp"] + "\n" + pay["nonceStr"] + "\n" + pay["package"] + "\n"
	if err := verify(publicKey(s.t, config.PrivateKeyPEM), message, pay["paySign"]); err != nil {
		s.t.Fatalf("paySign: %v", err)
	}
	var all struct {
		Orders []struct {
			OutTradeNo string `json:"out_trade_no"`
			PrepayID   string `json:"prepay_id"`
		} `json:"orders"`
	}
	s.call("GET", s.phone+"_sim/orders", "", nil, &all)
	for _, o := range all.Orders {
		if pay["package"] == "prepay_id="+o.PrepayID {
			return o.OutTradeNo, pay["nonceStr"]
		}
	}
	s.t.Fatalf("%s is no order", pay["package"])
	return "", ""
}

// publicKey is the public half of a merchant's key.
func publicKey(t *testing.T, privatePEM string) *rsa.PublicKey {
	t.Helper()
	block, _ := pem.Decode([]byte(privatePEM))
	if block == nil {
		t.Fatal("the simulator's key is no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return &key.(*rsa.PrivateKey).PublicKey
}

func verify(key *rsa.PublicKey, message, signature string) error {
	sum := sha256.Sum256([]byte(message))
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return err
	}
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw)
}
