package wxapi_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	testMchID       = "1230000109"
	testMchSerial   = "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"
	testPublicKeyID = "PUB_KEY_ID_0114232134912410000000000000"
	testAPIv3Key    = "0123456789abcdefABCDEF0123456789"
)

// The keys of all tests: making them takes longer than using them.
var (
	merchantKey = sync.OnceValue(newKey) // signs requests; in answers it is a stranger's
	wechatKey   = sync.OnceValue(newKey) // signs answers
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// hit is a request that arrived.
type hit struct {
	method, uri, host, body, nonce, timestamp string
	header                                    http.Header
	at                                        time.Time
	backup                                    bool
}

// step answers one request.
type step func(w http.ResponseWriter, r *http.Request)

// wechat is a WeChat Pay that answers what it is told, and checks that what
// arrives is signed. It runs on two loopback ports, or without sockets as a
// RoundTripper inside a synctest bubble.
type wechat struct {
	t    *testing.T
	main *httptest.Server
	back *httptest.Server

	mu       sync.Mutex
	steps    []step // answers to everything but /v3/certificates, in order
	certs    []step // answers to /v3/certificates, in order
	hits     []hit
	certHits []hit
	slept    []time.Duration
	calls    []wxapi.Call
}

func newWeChat(t *testing.T, steps ...step) *wechat {
	t.Helper()
	w := &wechat{t: t, steps: steps}
	w.main = httptest.NewServer(w.handler(false))
	w.back = httptest.NewServer(w.handler(true))
	t.Cleanup(w.main.Close)
	t.Cleanup(w.back.Close)
	return w
}

// bubbled has no sockets; see [wechat.RoundTrip].
func bubbled(t *testing.T, steps ...step) *wechat { return &wechat{t: t, steps: steps} }

func (f *wechat) handler(backup bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.next(f.arrived(r, backup))(w, r)
	})
}

// RoundTrip ends early with the request's context, as a real transport does.
func (f *wechat) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	f.handler(strings.Contains(r.URL.Host, "api2")).ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (f *wechat) next(isCert bool) step {
	f.mu.Lock()
	defer f.mu.Unlock()
	queue := &f.steps
	if isCert {
		queue = &f.certs
	}
	if len(*queue) == 0 {
		f.t.Errorf("a request too many arrived (certificates: %t)", isCert)
		return refuse(http.StatusTeapot, "")
	}
	s := (*queue)[0]
	*queue = (*queue)[1:]
	return s
}

var pair = regexp.MustCompile(`(\w+)="([^"]*)"`)

// arrived checks the request and writes it down.
func (f *wechat) arrived(r *http.Request, backup bool) (isCert bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Errorf("read the request: %v", err)
	}
	uri := r.RequestURI
	if uri == "" {
		uri = r.URL.RequestURI()
	}
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token := map[string]string{}
	for _, m := range pair.FindAllStringSubmatch(rest, -1) {
		token[m[1]] = m[2]
	}
	message := strings.Join([]string{r.Method, uri, token["timestamp"], token["nonce_str"], string(body), ""}, "\n")
	signature, _ := base64.StdEncoding.DecodeString(token["signature"])
	digest := sha256.Sum256([]byte(message))
	if err := rsa.VerifyPKCS1v15(&merchantKey().PublicKey, crypto.SHA256, digest[:], signature); err != nil ||
		scheme != "WECHATPAY2-SHA256-RSA2048" || token["mchid"] != testMchID || token["serial_no"] != testMchSerial {
		f.t.Errorf("%s %s is not signed by the merchant: %v", r.Method, uri, err)
	}
	h := hit{
		method: r.Method, uri: uri, host: r.Host, body: string(body), header: r.Header.Clone(),
		nonce: token["nonce_str"], timestamp: token["timestamp"], at: time.Now(), backup: backup,
	}
	isCert = strings.HasPrefix(uri, "/v3/certificates")
	f.mu.Lock()
	defer f.mu.Unlock()
	if isCert {
		f.certHits = append(f.certHits, h)
	} else {
		f.hits = append(f.hits, h)
	}
	return isCert
}

// config is a client's of this WeChat Pay, with the public key and pauses that
// take no time.
func (f *wechat) config(t *testing.T) wxapi.Config {
	t.Helper()
	key, err := wxcrypto.NewPrivateKey(merchantKey())
	must(t, err)
	apiv3, err := wxcrypto.ParseAPIv3Key(testAPIv3Key)
	must(t, err)
	cfg := wxapi.Config{
		Signer:   wxcrypto.Signer{MchID: testMchID, SerialNo: testMchSerial, Key: key},
		Keys:     wxcrypto.NewKeySet(publicKey(t)),
		APIv3Key: apiv3,
		Sleep: func(_ context.Context, d time.Duration) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.slept = append(f.slept, d)
			return nil
		},
		Observe: func(c wxapi.Call) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.calls = append(f.calls, c)
		},
	}
	if f.main == nil {
		cfg.HTTPClient = &http.Client{Transport: f}
		return cfg
	}
	// Without idle connections the number of requests is exact: the standard
	// transport repeats by itself what an idle connection lost.
	transport := &http.Transport{DisableKeepAlives: true}
	cfg.HTTPClient = &http.Client{Transport: transport}
	cfg.BaseURL = f.main.URL
	return cfg
}

func (f *wechat) client(t *testing.T, edit ...func(*wxapi.Config)) *wxapi.Client {
	t.Helper()
	cfg := f.config(t)
	for _, e := range edit {
		e(&cfg)
	}
	c, err := wxapi.New(cfg)
	must(t, err)
	return c
}

// withBackup sends the second try elsewhere.
func (f *wechat) withBackup(cfg *wxapi.Config) { cfg.BackupURL = f.back.URL }

func publicKey(t *testing.T) wxcrypto.VerifyKey {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&wechatKey().PublicKey)
	must(t, err)
	key, err := wxcrypto.ParsePublicKey(testPublicKeyID, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	must(t, err)
	return key
}

// sign signs an answer as WeChat Pay does.
func sign(h http.Header, key *rsa.PrivateKey, serial string, body []byte, at time.Time) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	digest := sha256.Sum256(fmt.Appendf(nil, "%s\nnonce\n%s\n", timestamp, body))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Nonce", "nonce")
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
}

// reply is a signed answer.
func reply(status int, body string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		sign(w.Header(), wechatKey(), testPublicKeyID, []byte(body), time.Now())
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// refuse is an answer as refusals are: not signed.
func refuse(status int, code string) step {
	return unsigned(status, fmt.Sprintf(`{"code":%q,"message":"说明"}`, code))
}

func unsigned(status int, body string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Request-Id", "08F78BDABF-0")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// reset breaks the connection without an answer.
func reset(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

// hang answers nothing for as long as somebody waits.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
