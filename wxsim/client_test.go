package wxsim_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// merchant is a client written for these tests alone: it shares no line with
// the simulator. Fields may be changed to make one thing wrong.
type merchant struct {
	t       *testing.T
	base    string
	account wxsim.Account
	key     *rsa.PrivateKey
	http    *http.Client

	now           func() time.Time
	serialHeader  string                                            // Wechatpay-Serial of requests
	authorization func(mchid, serial, nonce, ts, sig string) string // nil: the usual one
	signedURI     func(uri string) string                           // nil: as sent
	signedBody    func(body []byte) []byte                          // nil: as sent
	header        func(h http.Header)                               // last touch
}

// wire is what these tests talk through. Not http.DefaultTransport: each
// httptest.Server that closes cuts its connections, also those of tests that
// run beside it.
var wire = &http.Transport{MaxIdleConnsPerHost: 64}

func newMerchant(t *testing.T, sim *wxsim.Sim) *merchant {
	t.Helper()
	a := sim.Account()
	block, _ := pem.Decode([]byte(a.PrivateKeyPEM))
	if block == nil {
		t.Fatal("private key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatalf("private key: %v", err)
	}
	return &merchant{
		t: t, base: sim.URL(), account: a, key: key.(*rsa.PrivateKey),
		http: &http.Client{Transport: wire}, now: time.Now, serialHeader: a.PublicKeyID,
	}
}

// result is an answer with its body read.
type result struct {
	status int
	header http.Header
	body   []byte
}

// code is the "code" of an error body.
func (r result) code() string {
	var e struct{ Code string }
	_ = json.Unmarshal(r.body, &e)
	return e.Code
}

// text is one field of a JSON answer, or "".
func (r result) text(name string) string {
	var m map[string]any
	_ = json.Unmarshal(r.body, &m)
	v, ok := m[name].(string)
	if !ok {
		return ""
	}
	return v
}

func (m *merchant) sign(message string) string {
	sum := sha256.Sum256([]byte(message))
	sig, err := rsa.SignPKCS1v15(rand.Reader, m.key, crypto.SHA256, sum[:])
	if err != nil {
		m.t.Errorf("sign: %v", err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// request builds a signed call.
func (m *merchant) request(method, path string, body []byte) *http.Request {
	m.t.Helper()
	req, err := http.NewRequest(method, m.base+path, bytes.NewReader(body))
	if err != nil {
		m.t.Fatalf("request: %v", err)
	}
	uri, signed := req.URL.RequestURI(), body
	if m.signedURI != nil {
		uri = m.signedURI(uri)
	}
	if m.signedBody != nil {
		signed = m.signedBody(body)
	}
	ts, nonce := strconv.FormatInt(m.now().Unix(), 10), rand.Text()
	sig := m.sign(fmt.Sprintf("%s\n%s\n%s\n%s\n%s\n", method, uri, ts, nonce, signed))
	compose := m.authorization
	if compose == nil {
		compose = usualAuthorization
	}
	req.Header.Set("Authorization", compose(m.account.MchID, m.account.SerialNo, nonce, ts, sig))
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if m.serialHeader != "" {
		req.Header.Set("Wechatpay-Serial", m.serialHeader)
	}
	if m.header != nil {
		m.header(req.Header)
	}
	return req
}

func usualAuthorization(mchid, serial, nonce, ts, sig string) string {
	return fmt.Sprintf(`WECHATPAY2-SHA256-RSA2048 mchid="%s",nonce_str="%s",signature="%s",timestamp="%s",serial_no="%s"`,
		mchid, nonce, sig, ts, serial)
}

// try makes a call that may fail on the way.
func (m *merchant) try(method, path string, body []byte) (result, error) {
	m.t.Helper()
	resp, err := m.http.Do(m.request(method, path, body))
	if err != nil {
		return result{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return result{resp.StatusCode, resp.Header, got}, err
}

// call makes a call that must be answered, and checks the signature of 2xx.
func (m *merchant) call(method, path string, body []byte) result {
	m.t.Helper()
	r, err := m.try(method, path, body)
	if err != nil {
		m.t.Fatalf("%s %s: %v", method, path, err)
	}
	if r.status < 300 {
		if err := m.verify(r.header, r.body); err != nil {
			m.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return r
}

// verify checks a signed answer or notification.
func (m *merchant) verify(h http.Header, body []byte) error {
	key, err := m.verifier(h.Get("Wechatpay-Serial"))
	if err != nil {
		return err
	}
	ts, err := strconv.ParseInt(h.Get("Wechatpay-Timestamp"), 10, 64)
	if err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	if gap := m.now().Unix() - ts; gap > 300 || gap < -300 {
		return fmt.Errorf("timestamp is %d s off", gap)
	}
	sig, err := base64.StdEncoding.DecodeString(h.Get("Wechatpay-Signature"))
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	sum := sha256.Sum256([]byte(h.Get("Wechatpay-Timestamp") + "\n" + h.Get("Wechatpay-Nonce") + "\n" + string(body) + "\n"))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig)
}

// verifier is the key of a serial, as the merchant holds it.
func (m *merchant) verifier(serial string) (*rsa.PublicKey, error) {
	switch serial {
	case m.account.PublicKeyID:
		block, _ := pem.Decode([]byte(m.account.PublicKeyPEM))
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		return key.(*rsa.PublicKey), nil
	case m.account.PlatformSerial:
		block, _ := pem.Decode([]byte(m.account.PlatformCertPEM))
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		if got := fmt.Sprintf("%X", cert.SerialNumber); got != serial {
			return nil, fmt.Errorf("certificate serial is %s, announced as %s", got, serial)
		}
		return cert.PublicKey.(*rsa.PublicKey), nil
	}
	return nil, fmt.Errorf("unknown serial %q", serial)
}

// open decrypts a resource.
func (m *merchant) open(nonce, aad, ciphertext string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher([]byte(m.account.APIv3Key))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(nonce) != 12 {
		return nil, fmt.Errorf("nonce of %d bytes", len(nonce))
	}
	return gcm.Open(nil, []byte(nonce), raw, []byte(aad))
}

// order is a good prepay body; changes set ("/a/b" style is not needed: use
// nested maps) or delete (value nil of type deleted) fields.
type deleted struct{}

func (m *merchant) order(product, no string, change map[string]any) []byte {
	m.t.Helper()
	appid := m.account.AppID
	if product == "app" {
		appid = m.account.AppIDApp
	}
	body := map[string]any{
		"appid": appid, "mchid": m.account.MchID, "description": "会员一个月", "out_trade_no": no,
		"notify_url": "https://shop.example.com/pay/notify",
		"amount":     map[string]any{"total": 100, "currency": "CNY"},
	}
	switch product {
	case "jsapi":
		body["payer"] = map[string]any{"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
	case "h5":
		body["scene_info"] = map[string]any{"payer_client_ip": "14.23.150.211", "h5_info": map[string]any{"type": "Wap"}}
	}
	for k, v := range change {
		if _, gone := v.(deleted); gone {
			delete(body, k)
			continue
		}
		body[k] = v
	}
	raw, err := json.Marshal(body)
	if err != nil {
		m.t.Fatalf("body: %v", err)
	}
	return raw
}

const transactions = "/v3/pay/transactions/"

// prepay places an order that must be taken.
func (m *merchant) prepay(product, no string, change map[string]any) result {
	m.t.Helper()
	r := m.call("POST", transactions+product, m.order(product, no, change))
	if r.status != http.StatusOK {
		m.t.Fatalf("prepay %s %s: %d %s", product, no, r.status, r.body)
	}
	return r
}

// query asks for an order.
func (m *merchant) query(no string) result {
	m.t.Helper()
	return m.call("GET", transactions+"out-trade-no/"+no+"?mchid="+m.account.MchID, nil)
}

// close closes an order.
func (m *merchant) close(no string) result {
	m.t.Helper()
	return m.call("POST", transactions+"out-trade-no/"+no+"/close", []byte(`{"mchid":"`+m.account.MchID+`"}`))
}
