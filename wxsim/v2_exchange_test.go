package wxsim_test

import (
	"flag"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

var update = flag.Bool("update", false, "rewrite the answers in testdata")

// fresh are the values that no two answers share.
var fresh = regexp.MustCompile(`(<(?:nonce_str|sign)><!\[CDATA\[)[^\]]*`)

// One whole exchange, word for word: the frozen calls of a merchant, signed
// with the key of seed 7, are answered and notified as frozen beside them.
func TestV2Exchange(t *testing.T) {
	t.Parallel()
	const path = "testdata/v2_exchange.txt"
	frozen, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	shop := roundTripper(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		told = append(told, fresh.ReplaceAllString(string(body), "${1}…"))
		return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(acceptedV2)), Request: r}, err
	})
	s := newStage(t, wxsim.Config{Seed: 7, NotifyClient: &http.Client{Transport: shop}})
	m := s.v2()
	var got strings.Builder
	calls := 0
	for part := range strings.SplitSeq(string(frozen), "\n== ") {
		title, text, _ := strings.Cut(part, "\n")
		switch verb, rest, _ := strings.Cut(title, " "); verb {
		case "call":
			calls++
			got.WriteString("\n== " + title + "\n" + text)
			r, err := m.post(rest, strings.TrimSpace(text))
			if err != nil || r.fields["sign"] != signV2(r.fields, "", m.key) {
				t.Errorf("%s: %s %v", rest, r.body, err)
			}
			got.WriteString("\n== answer\n" + fresh.ReplaceAllString(string(r.body), "${1}…") + "\n")
		case "pay":
			if err := s.Pay(rest); err != nil {
				t.Errorf("%s: %v", title, err)
			}
			got.WriteString("\n== " + title)
		case "advance":
			s.Advance(time.Minute)
			got.WriteString("\n== " + title)
		case "answer", "notification":
			continue
		default: // what the file says about itself
			got.WriteString(part)
		}
		for _, text := range told {
			got.WriteString("\n== notification\n" + text + "\n")
		}
		told = nil
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if calls < 5 || got.String() != string(frozen) {
		t.Errorf("%d calls; the exchange is now\n%s", calls, got.String())
	}
}

// roundTripper is the far end of a client, without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
