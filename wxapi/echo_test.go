package wxapi_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

func TestEcho(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer step
		want   error
	}{
		{"an echo", reply(http.StatusOK, `{"echo_message":"hello"}`), nil},
		{"another message", reply(http.StatusOK, `{"echo_message":"hullo"}`), wxapi.ErrUnknown},
		{"not JSON", reply(http.StatusOK, `hello`), wxapi.ErrUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, test.answer)
			err := w.client(t).Echo(t.Context(), "hello")
			if !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Errorf("Echo: %v, want %v", err, test.want)
			}
			if len(w.hits) != 1 || w.hits[0].method != "POST" || w.hits[0].uri != "/v3/security/echo" || w.hits[0].body != `{"echo_message":"hello"}` {
				t.Errorf("sent %+v, want the message once", w.hits)
			}
			if len(w.calls) != 1 || w.calls[0].Op != wxapi.OpEcho {
				t.Errorf("observed %+v, want one echo", w.calls)
			}
		})
	}
}

// What a stranger signed is no echo, however right it is.
func TestEchoOfAStranger(t *testing.T) {
	t.Parallel()
	forged := func(w http.ResponseWriter, _ *http.Request) {
		const body = `{"echo_message":"hello"}`
		sign(w.Header(), merchantKey(), testPublicKeyID, []byte(body), time.Now())
		io.WriteString(w, body)
	}
	err := newWeChat(t, forged, forged, forged).client(t).Echo(t.Context(), "hello")
	if !errors.Is(err, wxapi.ErrNotVerified) || !errors.Is(err, wxcrypto.ErrSignature) {
		t.Errorf("Echo: %v, want %v and %v", err, wxapi.ErrNotVerified, wxcrypto.ErrSignature)
	}
}
