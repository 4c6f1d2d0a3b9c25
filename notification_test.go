package wxpay_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// strangersKey is an RSA key that nobody told the kit of.
var strangersKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

const (
	signTimestamp = "Wechatpay-Timestamp"
	signNonce     = "Wechatpay-Nonce"
	signSerial    = "Wechatpay-Serial"
	signSignature = "Wechatpay-Signature"
	signType      = "Wechatpay-Signature-Type"
)

// TestUnverified: whatever WeChat did not sign is answered alike, byte for
// byte, and changes nothing. Log and hook tell the cases apart. Each changes
// one thing in a genuine notification.
func TestUnverified(t *testing.T) {
	t.Parallel()
	sign := func(change func(*wxsim.Notification)) func(*inbox, string) *http.Request {
		return func(in *inbox, number string) *http.Request { return in.note(number, change) }
	}
	header := func(name string, change func(string) string) func(*inbox, string) *http.Request {
		return func(in *inbox, number string) *http.Request {
			req := in.note(number)
			req.Header[http.CanonicalHeaderKey(name)] = []string{change(req.Header.Get(name))}
			return req
		}
	}
	is := func(value string) func(string) string { return func(string) string { return value } }
	at := func(d time.Duration) func(*inbox, string) *http.Request {
		return func(in *inbox, number string) *http.Request {
			return in.note(number, func(n *wxsim.Notification) { n.Timestamp = unixText(in.clock.Now().Add(d)) })
		}
	}
	body := func(change func([]byte) []byte) func(*inbox, string) *http.Request {
		return sign(func(n *wxsim.Notification) { n.AfterSigning = change })
	}
	type testCase struct {
		name    string
		request func(*inbox, string) *http.Request
		want    ending
	}
	tests := []testCase{
		{"body forged", body(func(b []byte) []byte { return bytes.Replace(b, []byte(`"id":"`), []byte(`"id":"0`), 1) }), unverified("bad_signature", "signature does not match")},
		{"body of another layout", body(func(b []byte) []byte {
			var indented bytes.Buffer
			if err := json.Indent(&indented, b, "", " "); err != nil {
				panic(err)
			}
			return indented.Bytes()
		}), unverified("bad_signature", "signature does not match")},
		{"body with a line break more", body(func(b []byte) []byte { return append(b, '\n') }), unverified("bad_signature", "signature does not match")},
		{"body cut off", body(func(b []byte) []byte { return b[:len(b)-1] }), unverified("bad_signature", "signature does not match")},
		{"body gone", body(func([]byte) []byte { return nil }), unverified("drained", "middleware")},
		{"signature forged", header(signSignature, func(s string) string {
			return string(s[0]^1) + s[1:] // another letter of the alphabet: '+' and '/' are never made
		}), unverified("bad_signature", "bad_signature")},
		{"signature not base64", header(signSignature, is("signature!")), unverified("bad_signature", "not base64")},
		{"signature of nothing", header(signSignature, is("AAAA")), unverified("bad_signature", "signature does not match")},
		{"signature of a stranger", sign(func(n *wxsim.Notification) { n.SigningKey = strangersKey() }), unverified("bad_signature", "signature does not match")},
		{"a probe", header(signSignature, func(s string) string { return "WECHATPAY/SIGNTEST/" + s }), unverified("bad_signature", "not base64")},
		{"a probe of whole base64", header(signSignature, func(s string) string { return "WECHATPAY/SIGNTEST/A" + s }), unverified("bad_signature", "signature does not match")},
		{"a probe and nothing behind it", header(signSignature, is("WECHATPAY/SIGNTEST/")), unverified("bad_signature", "not base64")},
		{"timestamp of another second", header(signTimestamp, func(s string) string {
			n, _ := strconv.Atoi(s)
			return strconv.Itoa(n - 1)
		}), unverified("bad_signature", "signature does not match")},
		{"nonce of another message", header(signNonce, is("593BEC0C930BF1AFEB40B4A08C8FB242")), unverified("bad_signature", "signature does not match")},
		{"stale", at(-5*time.Minute - time.Second), unverified("bad_timestamp", "the clock here says")},
		{"a day old", at(-24 * time.Hour), unverified("bad_timestamp", "the clock here says")},
		{"from the future", at(10 * time.Minute), unverified("bad_timestamp", "the clock here says")},
		{"timestamp in milliseconds", sign(func(n *wxsim.Notification) { n.Timestamp += "000" }), unverified("bad_timestamp", "the clock here says")},
		{"timestamp with a sign", sign(func(n *wxsim.Notification) { n.Timestamp = "+" + n.Timestamp }), unverified("bad_timestamp", "is not a number")},
		{"timestamp a word", sign(func(n *wxsim.Notification) { n.Timestamp = "now" }), unverified("bad_timestamp", "is not a number")},
		{"unknown public key", sign(func(n *wxsim.Notification) { n.Serial = "PUB_KEY_ID_0100000000000000000000000000" }), unverified("unknown_key", "unknown key")},
		{"unknown certificate", sign(func(n *wxsim.Notification) { n.Serial = "7132D72A03E93CDDF8C03BBD1F37EEDF5EC5DE5D" }), unverified("unknown_key", "unknown key")},
		{"public key id in other letters", sign(func(n *wxsim.Notification) { n.Serial = strings.ToLower(n.Serial) }), unverified("unknown_key", "unknown key")},
		{"our own serial", func(in *inbox, number string) *http.Request {
			return in.note(number, func(n *wxsim.Notification) { n.Serial = in.sim.Account().SerialNo })
		}, unverified("unknown_key", "unknown key")},
		{"signature type SM2", header(signType, is("WECHATPAY2-SM2-WITH-SM3")), unverified("signature_type", "signature type not supported")},
		{"signature type nobody knows", header(signType, is("none")), unverified("signature_type", "signature type not supported")},
	}
	for _, name := range []string{signTimestamp, signNonce, signSerial, signSignature} {
		tests = append(tests,
			testCase{name + " missing", func(in *inbox, number string) *http.Request {
				req := in.note(number)
				req.Header.Del(name)
				return req
			}, unverified("unsigned", name+" is missing")},
			testCase{name + " empty", header(name, is("")), unverified("unsigned", name+" is missing")},
			testCase{name + " twice", func(in *inbox, number string) *http.Request {
				req := in.note(number)
				req.Header.Add(name, req.Header.Get(name))
				return req
			}, unverified("unsigned", name+" is there 2 times")},
			testCase{name + " of 10 KiB", header(name, is(strings.Repeat("z", 10<<10))), unverified("unsigned", name+" has 10240 characters")},
			testCase{name + " with CR and LF", header(name, func(s string) string { return s[:4] + "\r\n" + s[4:] }), unverified("unsigned", name+" holds blanks or control characters")},
			testCase{name + " with a blank inside", header(name, func(s string) string { return s[:4] + " " + s[4:] }), unverified("unsigned", name+" holds blanks or control characters")},
			testCase{name + " with Chinese", header(name, is("微信支付")), unverified("unsigned", name+" holds blanks or control characters")},
		)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			before := in.stored(number)
			req := test.request(in, number)
			var got reply
			if sendable(req.Header) {
				got = in.deliver(req, nil)
			} else {
				got = in.inProcess(req)
			}
			in.ended(got, test.want)
			in.untouched(before)
			if changes := in.heard.changes(); changes != nil {
				t.Errorf("settled %v, want nothing", changes)
			}
			if n := in.sim.Requests("certificates"); n > 1 || n == 1 && test.want.name != "unknown_key" {
				t.Errorf("certificates were fetched %d times", n)
			}
			// The genuine one still counts: nothing was used up.
			in.ended(in.deliver(in.note(number), nil), accepted())
			in.isPaid(number)
		})
	}
}

// sendable reports whether a client of net/http would put the header on the
// wire.
func sendable(h http.Header) bool {
	for _, values := range h {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n") {
				return false
			}
		}
	}
	return true
}

func unixText(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }

// TestTimestampEdges: the window is open to both sides, and closes at five
// minutes sharp.
func TestTimestampEdges(t *testing.T) {
	t.Parallel()
	late := unverified("bad_timestamp", "the clock here says")
	tests := []struct {
		age  time.Duration
		want ending
	}{
		{-5*time.Minute - time.Second, late},
		{-5 * time.Minute, late},
		{-4*time.Minute - 59*time.Second, accepted()},
		{0, accepted()},
		{4*time.Minute + 59*time.Second, accepted()},
		{5 * time.Minute, late},
		{5*time.Minute + time.Second, late},
	}
	for _, test := range tests {
		t.Run(test.age.String(), func(t *testing.T) {
			t.Parallel()
			now := time.Now().Truncate(time.Second) // stands still
			in := openInbox(t, wxsim.Config{Now: func() time.Time { return now }}, func(o *wxpay.Options) {
				o.Now = func() time.Time { return now }
			})
			number := in.paidAtWeChat()
			before := in.stored(number)
			in.ended(in.deliver(in.note(number, func(n *wxsim.Notification) { n.Timestamp = unixText(now.Add(test.age)) }), nil), test.want)
			if test.want == accepted() {
				in.isPaid(number)
			} else {
				in.untouched(before)
			}
		})
	}
}

// TestResource: WeChat signed it, but the resource is not what it should be.
func TestResource(t *testing.T) {
	t.Parallel()
	malformed := func(cause string) ending { return refused(http.StatusBadRequest, "malformed", cause) }
	undecryptable := refused(http.StatusInternalServerError, "undecryptable", "is APIv3Key the account's current one?")
	ciphertext := func(change func(string) string) func(*wxsim.Notification) {
		return rewritten(func(body map[string]any) {
			r := body["resource"].(map[string]any)
			r["ciphertext"] = change(r["ciphertext"].(string))
		})
	}
	nonce := func(n int) func(*wxsim.Notification) {
		return func(w *wxsim.Notification) { w.Nonce = strings.Repeat("n", n) }
	}
	whole := func(body string) func(*wxsim.Notification) {
		return func(n *wxsim.Notification) { n.BeforeSigning = func([]byte) []byte { return []byte(body) } }
	}
	tests := []struct {
		name   string
		change func(*wxsim.Notification)
		want   ending
	}{
		{"algorithm of another cipher", func(n *wxsim.Notification) { n.Algorithm = "AEAD_SM4_GCM" }, malformed(`algorithm is not AEAD_AES_256_GCM: "AEAD_SM4_GCM"`)},
		{"algorithm absent", withResource("algorithm", nil), malformed("algorithm is not AEAD_AES_256_GCM")},
		{"nonce of 0 bytes", nonce(0), malformed("nonce is not 12 bytes: it has 0")},
		{"nonce of 11 bytes", nonce(11), malformed("nonce is not 12 bytes: it has 11")},
		{"nonce of 13 bytes", nonce(13), malformed("nonce is not 12 bytes: it has 13")},
		{"nonce of 16 bytes", nonce(16), malformed("nonce is not 12 bytes: it has 16")},
		{"nonce absent", withResource("nonce", nil), malformed("nonce is not 12 bytes: it has 0")},
		{"resource missing", withEnvelope("resource", nil), malformed("no resource")},
		{"resource null", rewritten(func(body map[string]any) { body["resource"] = nil }), malformed("no resource")},
		{"event_type missing", rewritten(func(body map[string]any) { delete(body, "event_type") }), malformed("no event_type")},
		{"resource a text", withEnvelope("resource", "encrypt-resource"), malformed("resource: a string at byte ")},
		{"resource empty", withEnvelope("resource", map[string]any{}), malformed("algorithm is not AEAD_AES_256_GCM")},
		{"ciphertext cut inside a group", ciphertext(func(s string) string { return s[:len(s)-1] }), malformed("not base64")},
		{"ciphertext cut between groups", ciphertext(func(s string) string { return s[:len(s)-4] }), undecryptable},
		{"ciphertext not base64", ciphertext(func(s string) string { return "!" + s[1:] }), malformed("not base64")},
		{"ciphertext in the URL alphabet", ciphertext(func(s string) string { return "-_" + s[2:] }), malformed("not base64")},
		{"ciphertext shorter than its tag", ciphertext(func(string) string { return base64.StdEncoding.EncodeToString(make([]byte, 15)) }), malformed("15 bytes are shorter than the tag")},
		{"ciphertext only a tag", ciphertext(func(string) string { return base64.StdEncoding.EncodeToString(make([]byte, 16)) }), undecryptable},
		{"ciphertext empty", ciphertext(func(string) string { return "" }), malformed("0 bytes are shorter than the tag")},
		{"ciphertext with a letter changed", ciphertext(func(s string) string {
			if s[0] == 'A' {
				return "B" + s[1:]
			}
			return "A" + s[1:]
		}), undecryptable},
		{"another APIv3 key", func(n *wxsim.Notification) { n.APIv3Key = strings.Repeat("k", 32) }, undecryptable},
		{"other associated data", withResource("associated_data", "refund"), undecryptable},
		{"associated data lost", withResource("associated_data", nil), undecryptable},
		{"body not JSON", whole("id=1&event_type=TRANSACTION.SUCCESS"), malformed("the character 'i' at byte 0")},
		{"body empty, and signed so", whole(""), malformed("unexpected end of JSON")},
		{"body null", whole("null"), malformed("no resource")},
		{"body a list", whole("[]"), malformed("an array at byte 0")},
		{"body two objects", whole("{}{}"), malformed("an object at byte 2 after the value")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			before := in.stored(number)
			in.ended(in.deliver(in.note(number, test.change), nil), test.want)
			in.untouched(before)
		})
	}
}

// TestCap: notifications end at 128 KiB. What says that it is longer is not
// read at all.
func TestCap(t *testing.T) {
	t.Parallel()
	const most = 128 << 10
	tooLarge := ending{http.StatusRequestEntityTooLarge, "too_large", "WARN", "more than 131072 bytes"}
	padded := func(size int) func(*wxsim.Notification) {
		return func(n *wxsim.Notification) {
			n.BeforeSigning = func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), size-len(b))...) }
		}
	}
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("chunked %t", chunked), func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			before := in.stored(number)
			for _, size := range []int{most + 1, 3 * most} {
				req := in.note(number, padded(size))
				if chunked {
					req.ContentLength = -1
				}
				got := in.deliver(req, nil)
				if got.header.Get("Connection") == "close" {
					got.header.Del("Connection") // beside the answer: it is net/http's to say
				}
				in.ended(got, tooLarge)
				in.untouched(before)
			}
			req := in.note(number, padded(most))
			if chunked {
				req.ContentLength = -1
			}
			in.ended(in.deliver(req, nil), accepted())
			in.isPaid(number)
		})
	}
	t.Run("a lower cap in front of the kit", func(t *testing.T) {
		t.Parallel()
		in := openInbox(t, wxsim.Config{})
		front := httptest.NewServer(http.MaxBytesHandler(in.mux, 700))
		t.Cleanup(front.Close)
		req := in.note(in.paidAtWeChat())
		req.URL.Host = strings.TrimPrefix(front.URL, "http://")
		if got := in.deliver(req, nil); got.status != http.StatusRequestEntityTooLarge || got.raw != refusalBody {
			t.Errorf("answer %d %q", got.status, got.raw)
		}
		// The log has to name the cap that struck, or it is looked for here.
		in.told(ending{http.StatusRequestEntityTooLarge, "too_large", "WARN", "more than 700 bytes"})
	})
	t.Run("64 MiB announced", func(t *testing.T) {
		t.Parallel()
		in := openInbox(t, wxsim.Config{})
		req := in.note(in.paidAtWeChat())
		body := &countingBody{ReadCloser: req.Body}
		req.Body, req.ContentLength = body, 64<<20
		got := in.inProcess(req)
		if got.header.Get("Connection") != "close" {
			t.Error("the connection is kept, so its body would be read after all")
		}
		got.header.Del("Connection")
		in.ended(got, tooLarge)
		if body.reads != 0 {
			t.Errorf("the body was read %d times", body.reads)
		}
	})
	t.Run("64 MiB announced and never sent", func(t *testing.T) {
		t.Parallel()
		in := openInbox(t, wxsim.Config{})
		conn := in.dial()
		fmt.Fprintf(conn, "POST /pay/notify HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n", 64<<20)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("no answer before the body: %v", err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
			t.Errorf("answer %d, close %t", resp.StatusCode, resp.Close)
		}
		in.told(tooLarge)
	})
}

type countingBody struct {
	io.ReadCloser
	reads int
}

func (b *countingBody) Read(p []byte) (int, error) {
	b.reads++
	return b.ReadCloser.Read(p)
}

// dial opens a connection to the shop that ends with the test, or hangs 5 s.
func (in *inbox) dial() net.Conn {
	in.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(in.url, "http://"))
	if err != nil {
		in.t.Fatal(err)
	}
	in.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		in.t.Fatal(err)
	}
	return conn
}

// TestClientAborts: the connection breaks in the middle of the body.
func TestClientAborts(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	number := in.paidAtWeChat()
	before := in.stored(number)
	var wire bytes.Buffer
	if err := in.note(number).Write(&wire); err != nil {
		t.Fatal(err)
	}
	conn := in.dial()
	if _, err := conn.Write(wire.Bytes()[:wire.Len()-100]); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	eventually(t, "the notification is answered", func() bool { return len(in.logLines("notification answered")) > 0 })
	in.told(ending{0, "unreadable", "WARN", "unexpected EOF"})
	in.untouched(before)
}

// TestDrained: a middleware of the app got at the body before the kit. The
// log says so, because nobody would look for the reason there.
func TestDrained(t *testing.T) {
	t.Parallel()
	drained := unverified("drained", "middleware")
	tests := []struct {
		name       string
		middleware func(http.ResponseWriter, *http.Request)
		want       ending
	}{
		{"reads", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) }, drained},
		{"reads and closes", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			r.Body.Close()
		}, drained},
		{"reads the first 512 bytes", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadFull(r.Body, make([]byte, 512))
		}, drained},
		{"decodes JSON", func(_ http.ResponseWriter, r *http.Request) {
			var v any
			_ = json.NewDecoder(r.Body).Decode(&v)
		}, drained},
		{"writes the JSON anew", func(_ http.ResponseWriter, r *http.Request) {
			var v any
			_ = json.NewDecoder(r.Body).Decode(&v)
			b, _ := json.MarshalIndent(v, "", "  ")
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		}, unverified("bad_signature", "signature does not match")},
		{"puts the bytes back", func(_ http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(b))
		}, accepted()},
		{"looks at the form", func(_ http.ResponseWriter, r *http.Request) { _ = r.FormValue("csrf_token") }, accepted()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			before := in.stored(number)
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				test.middleware(w, r)
				in.mux.ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)
			req := in.note(number)
			req.URL.Host = strings.TrimPrefix(front.URL, "http://")
			in.ended(in.deliver(req, nil), test.want)
			if test.want == accepted() {
				in.isPaid(number)
			} else {
				in.untouched(before)
			}
		})
	}
}

// certificates turns the shop into one of a merchant who has no public key.
func certificates(o *wxpay.Options) { o.Merchant.PublicKeyID, o.Merchant.PublicKey = "", "" }

// TestCertificateMerchant: platform certificates verify as the public key
// does, whatever the case of their serial, and a rotated one is fetched once.
func TestCertificateMerchant(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{NotifyWithCertificate: true}, certificates)
	number := in.paidAtWeChat()
	if n := in.sim.Requests("certificates"); n != 1 {
		t.Fatalf("certificates were fetched %d times before the first prepay, want once", n)
	}
	in.ended(in.deliver(in.note(number), nil), accepted())
	in.isPaid(number)

	number = in.paidAtWeChat()
	req := in.note(number)
	if upper := req.Header.Get(signSerial); upper != in.sim.Account().PlatformSerial {
		t.Fatalf("signed by %s, want the platform certificate", upper)
	}
	req.Header.Set(signSerial, strings.ToLower(req.Header.Get(signSerial)))
	in.ended(in.deliver(req, nil), accepted())
	in.isPaid(number)

	in.sim.Fault(wxsim.Fault{Target: "keys", Fault: "rotate"})
	number = in.paidAtWeChat()
	before := in.stored(number)
	// The last download is not a minute old: the new certificate has to wait.
	in.ended(in.deliver(in.note(number), nil), unverified("unknown_key", "unknown key"))
	in.untouched(before)
	in.clock.advance(time.Minute)
	for range 3 {
		in.ended(in.deliver(in.note(number), nil), accepted())
	}
	in.isPaid(number)
	if n := in.sim.Requests("certificates"); n != 2 {
		t.Errorf("certificates were fetched %d times, want once more", n)
	}
	in.sim.ClearFaults() // the old certificate is retired, ours stays good
	number = in.paidAtWeChat()
	in.ended(in.deliver(in.note(number), nil), accepted())
}

// TestFirstNotificationFetches: a kit that never called WeChat fetches the
// certificates for its first notification.
func TestFirstNotificationFetches(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{NotifyWithCertificate: true}, certificates)
	number := in.paidAtWeChat()
	o := in.options()
	certificates(&o)
	anew, err := wxpay.New(o)
	if err != nil {
		t.Fatal(err)
	}
	had := in.sim.Requests("certificates")
	rec := httptest.NewRecorder()
	anew.Notify().ServeHTTP(rec, in.note(number))
	if rec.Code != http.StatusNoContent {
		t.Errorf("answer %d", rec.Code)
	}
	in.isPaid(number)
	if n := in.sim.Requests("certificates") - had; n != 1 {
		t.Errorf("certificates were fetched %d times", n)
	}
}

// TestUnknownSerials: nobody can make the kit call WeChat in a loop by
// sending serials that it does not know.
func TestUnknownSerials(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		conf   wxsim.Config
		change func(*wxpay.Options)
		before int // calls that the first prepay makes
	}{
		{"merchant with the public key", wxsim.Config{}, func(*wxpay.Options) {}, 0},
		{"merchant with the public key and no certificates", wxsim.Config{PublicKeyOnly: true}, func(*wxpay.Options) {}, 0},
		{"merchant with certificates", wxsim.Config{NotifyWithCertificate: true}, certificates, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, test.conf, test.change)
			number := in.paidAtWeChat()
			before := in.stored(number)
			serials := 0
			flood := func() {
				var senders sync.WaitGroup
				for range 100 {
					serials++
					serial := fmt.Sprintf("%040X", serials)
					req := in.note(number, func(n *wxsim.Notification) { n.Serial = serial })
					senders.Go(func() {
						if got := in.deliver(req, nil); got.status != http.StatusUnauthorized || got.raw != refusalBody {
							t.Errorf("answer %d %q", got.status, got.raw)
						}
					})
				}
				senders.Wait()
			}
			for minute := 1; minute <= 2; minute++ {
				flood()
				if n := in.sim.Requests("certificates"); n > max(minute, test.before) {
					t.Errorf("certificates were fetched %d times in minute %d", n, minute)
				}
				in.clock.advance(time.Minute)
			}
			in.told(unverified("unknown_key", "unknown key"))
			in.untouched(before)
		})
	}
}

// TestUnknownSerialsOfTheImpatient: nor by hanging up before the certificates
// are there.
func TestUnknownSerialsOfTheImpatient(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	number := in.paidAtWeChat()
	in.sim.Fault(wxsim.Fault{Target: "certificates", Fault: "slow", Delay: 500 * time.Millisecond})
	for i := range 5 {
		req := in.note(number, func(n *wxsim.Notification) { n.Serial = fmt.Sprintf("%040X", i+1) })
		ctx, hangUp := context.WithCancel(t.Context())
		had := in.sim.Requests("certificates")
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			in.inProcess(req.WithContext(ctx))
		}()
		eventually(t, "certificates are asked for, or the answer is there", func() bool {
			select {
			case <-answered:
				return true
			default:
				return in.sim.Requests("certificates") > had
			}
		})
		hangUp()
		<-answered
	}
	if n := in.sim.Requests("certificates"); n > 1 {
		t.Errorf("five callers who hung up made %d calls, want one in a minute", n)
	}
}

// TestCertificatesCannotBeFetched: then the key stays unknown. What was wrong
// with WeChat's answer is no fault of the notification's.
func TestCertificatesCannotBeFetched(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"status_500", "status_429", "unsigned", "bad_signature", "garbage"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{NotifyWithCertificate: true}, certificates)
			number := in.paidAtWeChat()
			before := in.stored(number)
			in.clock.advance(time.Minute)
			in.sim.Fault(wxsim.Fault{Target: "keys", Fault: "rotate"})
			in.sim.Fault(wxsim.Fault{Target: "certificates", Fault: fault, Count: 3}) // its three tries
			in.ended(in.deliver(in.note(number), nil), unverified("unknown_key", "unknown key"))
			in.untouched(before)
			in.clock.advance(time.Minute)
			in.ended(in.deliver(in.note(number), nil), accepted())
			in.isPaid(number)
		})
	}
}

// TestRetiredCertificate: a kit that slept through a whole rotation, or began
// with an old certificate from its configuration, finds back.
func TestRetiredCertificate(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{NotifyWithCertificate: true}, certificates)
	number := in.paidAtWeChat()
	in.sim.Fault(wxsim.Fault{Target: "keys", Fault: "rotate"})
	in.sim.ClearFaults() // the overlap is over: WeChat knows the old one no more
	in.clock.advance(time.Minute)
	in.ended(in.deliver(in.note(number), nil), accepted())
	in.isPaid(number)
}

// ownDesk is an app that handles notifications itself, behind the kit's
// middleware, with all that it was handed.
type ownDesk struct {
	mu     sync.Mutex
	notes  []wxpay.Notification
	bodies []string
	answer func(http.ResponseWriter)
}

func (d *ownDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, ok := wxpay.NotificationFrom(r.Context())
	body, err := io.ReadAll(r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !ok || err != nil {
		http.Error(w, fmt.Sprint("notification ", ok, ", body ", err), http.StatusTeapot)
		return
	}
	d.notes = append(d.notes, n)
	d.bodies = append(d.bodies, string(body))
	d.answer(w)
}

// TestVerifyNotify: the app's own handler sees what WeChat signed, and only
// that; its answer is WeChat's answer; the kit's store stays out of it.
func TestVerifyNotify(t *testing.T) {
	t.Parallel()
	store := &fickleStore{Store: quiet{memory.New()}}
	in := openInbox(t, wxsim.Config{}, store.use)
	number := in.paidAtWeChat()
	before := in.stored(number)
	store.set(func(_ context.Context, op string) error {
		t.Errorf("the store was asked to %s", op)
		return nil
	})
	desk := &ownDesk{answer: func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }}
	in.mux.Handle("/own", in.kit.VerifyNotify(desk))
	own := func(event string, change ...func(*wxsim.Notification)) (*http.Request, string) {
		t.Helper()
		req, err := in.sim.SignNotification(map[string]any{"refund_id": "50000000382019052709732678859"}, event, in.url+"/own", change...)
		if err != nil {
			t.Fatal(err)
		}
		body, err := req.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		signed, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return req, string(signed)
	}

	req, signed := own("REFUND.SUCCESS", func(n *wxsim.Notification) { n.ID, n.Summary = "EV-2", "退款成功" })
	if got := in.deliver(req, nil); got.status != http.StatusNoContent || got.raw != "" {
		t.Fatalf("answer %d %q", got.status, got.raw)
	}
	want := wxpay.Notification{
		ID: "EV-2", EventType: "REFUND.SUCCESS", Summary: "退款成功", Serial: in.sim.Account().PublicKeyID,
		Plaintext: []byte(`{"refund_id":"50000000382019052709732678859"}`),
	}
	if got := lastOf(desk.notes); got.ID != want.ID || got.EventType != want.EventType || got.Summary != want.Summary || got.Serial != want.Serial || !bytes.Equal(got.Plaintext, want.Plaintext) {
		t.Errorf("notification %+v, want %+v", got, want)
	}
	if got := lastOf(desk.bodies); got != signed {
		t.Errorf("body %q, want the signed bytes %q", got, signed)
	}

	// Every event is the app's, also payments; and so is every answer.
	desk.answer = func(w http.ResponseWriter) {
		w.Header().Set("X-App", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"code":"FAIL","message":"later"}`)
	}
	req, _ = own("TRANSACTION.SUCCESS")
	if got := in.deliver(req, nil); got.status != http.StatusServiceUnavailable || got.raw != `{"code":"FAIL","message":"later"}` || got.header.Get("X-App") != "1" {
		t.Errorf("answer %d %q %v, want the app's own", got.status, got.raw, got.header)
	}
	if len(desk.notes) != 2 {
		t.Fatalf("%d notifications reached the app, want 2", len(desk.notes))
	}

	// Rejections are the kit's to answer and never get that far.
	req, _ = own("REFUND.SUCCESS", func(n *wxsim.Notification) { n.SigningKey = strangersKey() })
	in.ended(in.deliver(req, nil), unverified("bad_signature", "signature does not match"))
	req, _ = own("REFUND.SUCCESS", func(n *wxsim.Notification) { n.APIv3Key = strings.Repeat("k", 32) })
	in.ended(in.deliver(req, nil), refused(http.StatusInternalServerError, "undecryptable", "APIv3Key"))
	req, _ = own("REFUND.SUCCESS", withEnvelope("resource", nil))
	in.ended(in.deliver(req, nil), refused(http.StatusBadRequest, "malformed", "no resource"))
	resp, err := http.PostForm(in.url+"/own", url.Values{"a": {"b"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("answer %d", resp.StatusCode)
	}
	in.told(unverified("unsigned", "is missing"))
	if len(desk.notes) != 2 {
		t.Errorf("%d notifications reached the app, want no rejected one", len(desk.notes))
	}
	store.set(nil)
	in.untouched(before)
}

// TestNotificationFromNowhere: there is none in a context of another origin.
func TestNotificationFromNowhere(t *testing.T) {
	t.Parallel()
	if n, ok := wxpay.NotificationFrom(t.Context()); ok {
		t.Errorf("got %+v", n)
	}
}

// TestNotifyAlone: each endpoint is a handler of its own, for apps that wire
// just one.
func TestNotifyAlone(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	in.mux.Handle("POST /hooks/wechat", in.kit.Notify())
	number := in.paidAtWeChat()
	req := in.note(number)
	req.URL.Path = "/hooks/wechat"
	in.ended(in.deliver(req, nil), accepted())
	in.isPaid(number)
	in.history(number, orderstore.EventPaid)
}
