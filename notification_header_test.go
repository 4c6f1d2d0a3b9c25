package wxpay_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

// TestHeadersBeforeBody: what the headers are reason enough to refuse is not
// read, so that a flood of forgeries fills no memory.
func TestHeadersBeforeBody(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(*inbox, *http.Request) {
		return func(_ *inbox, req *http.Request) { req.Header.Set(name, value) }
	}
	for _, test := range []struct {
		name   string
		change func(*inbox, *http.Request)
		want   ending
		read   bool
	}{
		{"nonce missing", func(_ *inbox, req *http.Request) { req.Header.Del(signNonce) }, unverified("unsigned", "is missing"), false},
		{"type", set(signType, "SM2"), unverified("signature_type", "not supported"), false},
		{"stale", func(in *inbox, req *http.Request) {
			req.Header.Set(signTimestamp, unixText(in.clock.Now().Add(-time.Hour)))
		}, unverified("bad_timestamp", "the clock here says"), false},
		{"unknown serial", set(signSerial, "7132D72A03E93CDDF8C03BBD1F37EEDF5EC5DE5D"), unverified("unknown_key", "unknown key"), false},
		{"stale, and longer than any notification", func(in *inbox, req *http.Request) {
			req.Header.Set(signTimestamp, unixText(in.clock.Now().Add(-time.Hour)))
			req.Body, req.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 1<<20))), -1
		}, unverified("bad_timestamp", "the clock here says"), false},
		{"signature missing: of API v2, perhaps", func(_ *inbox, req *http.Request) { req.Header.Del(signSignature) }, unverified("unsigned", "is missing"), true},
		{"signature of another", set(signSignature, strings.Repeat("A", 342)+"=="), unverified("bad_signature", "does not match"), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := openInbox(t, wxsim.Config{})
			number := in.paidAtWeChat()
			before := in.stored(number)
			req := in.note(number)
			test.change(in, req)
			counting := &countingBody{ReadCloser: req.Body}
			req.Body = counting
			in.ended(in.inProcess(req), test.want)
			if read := counting.reads > 0; read != test.read {
				t.Errorf("the body was read %d times", counting.reads)
			}
			in.untouched(before)
		})
	}
}

// TestLengthBeforeHeaders: what says that it is too long is told so, whoever
// sent it.
func TestLengthBeforeHeaders(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{})
	req := in.note(in.paidAtWeChat())
	req.ContentLength = 1 << 20
	req.Header.Set(signTimestamp, unixText(in.clock.Now().Add(-time.Hour)))
	if got := in.inProcess(req); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("answer %d", got.status)
	}
	in.told(ending{http.StatusRequestEntityTooLarge, "too_large", "WARN", "more than 131072 bytes"})
}

// TestUnknownSerialsWait: while certificates are being fetched, some of those
// with an unknown serial wait for them, and a flood does not.
func TestUnknownSerialsWait(t *testing.T) {
	t.Parallel()
	const flood, wait = 150, 128
	hang := make(hanging)
	in := openInbox(t, wxsim.Config{}, func(o *wxpay.Options) { o.HTTPClient = &http.Client{Transport: hang} })
	stranger := func() *http.Request {
		req := httptest.NewRequest("POST", "/pay/notify", strings.NewReader("{}"))
		for name, value := range map[string]string{
			signTimestamp: unixText(in.clock.Now()), signNonce: "nonce", signSignature: "AAAA",
			signSerial: "7132D72A03E93CDDF8C03BBD1F37EEDF5EC5DE5D",
		} {
			req.Header.Set(name, value)
		}
		return req
	}
	var sending sync.WaitGroup
	for range flood {
		sending.Go(func() {
			if got := in.inProcess(stranger()); got.status != http.StatusUnauthorized {
				t.Errorf("answer %d", got.status)
			}
		})
	}
	eventually(t, "the flood is refused", func() bool { return len(in.heard.outcomes()) >= flood-wait })
	in.told(unverified("unknown_key", "too many of these wait"))
	if got := len(in.heard.outcomes()); got != flood-wait {
		t.Errorf("%d are answered while the download hangs", got)
	}
	close(hang)
	sending.Wait()
	if got := in.heard.outcomes(); len(got) != flood || slices.ContainsFunc(got, func(o string) bool { return o != "unknown_key" }) {
		t.Errorf("outcomes %q", got)
	}
	in.ended(in.inProcess(stranger()), unverified("unknown_key", "certificates could not be fetched"))
}
