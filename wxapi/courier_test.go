package wxapi_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
)

// parcel is a request as it reached a server that is no part of API v3.
type parcel struct {
	method, uri, body string
	header            http.Header
}

// elsewhere answers every request with the next of the steps, the last of them
// for ever, and keeps what arrived.
func elsewhere(t *testing.T, steps ...step) (cfg wxapi.Config, arrived func() []parcel) {
	t.Helper()
	got := make(chan parcel, 16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		n := len(got)
		got <- parcel{r.Method, r.RequestURI, string(body), r.Header}
		steps[min(n, len(steps)-1)](w, r)
	}))
	t.Cleanup(server.Close)
	cfg = wxapi.Config{
		BaseURL: server.URL, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	return cfg, func() (list []parcel) {
		for len(got) > 0 {
			list = append(list, <-got)
		}
		return list
	}
}

// Another protocol's call goes by the same rules: what its reader says decides.
func TestCourier(t *testing.T) {
	t.Parallel()
	unreadable := errors.New("cannot be read")
	ok := unsigned(http.StatusOK, "answer")
	for _, test := range []struct {
		name  string
		step  step
		read  error
		once  bool
		want  want
		tries int
	}{
		{"done", ok, nil, false, want{}, 1},
		{"refused", ok, &wxapi.Error{Status: 400, Code: "PARAM_ERROR"}, false, want{status: 400, code: "PARAM_ERROR"}, 1},
		{"a code that is none", ok, &wxapi.Error{Status: 400, Code: "参数\n错误"}, false, want{status: 400}, 1},
		{"trouble over there", ok, &wxapi.Error{Status: 500, Code: "SYSTEMERROR"}, false, want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEMERROR"}, 3},
		{"trouble over there, to be sent once", ok, &wxapi.Error{Status: 500, Code: "SYSTEMERROR"}, true, want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEMERROR"}, 1},
		{"not verified", ok, wxapi.ErrNotVerified, false, want{is: wxapi.ErrNotVerified}, 3},
		{"not readable", ok, unreadable, false, want{is: wxapi.ErrUnknown, also: unreadable}, 1},
		{"a gateway's page", unsigned(http.StatusBadGateway, "<html>"), nil, false, want{is: wxapi.ErrUnknown, status: 502}, 3},
		{"a connection that breaks", reset, nil, false, want{is: wxapi.ErrUnknown}, 3},
		{"a connection that breaks, once", reset, nil, true, want{is: wxapi.ErrUnknown}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg, arrived := elsewhere(t, test.step)
			courier, err := wxapi.NewCourier(cfg, nil)
			must(t, err)
			op := wxapi.OpPrepay
			if test.once {
				op = wxapi.OpRefund
			}
			err = courier.Do(t.Context(), wxapi.Errand{
				Op: op, Path: "/pay/x", ContentType: "text/xml", Body: []byte("<xml/>"), Once: test.once,
				Read: func(body []byte) error {
					if string(body) != "answer" {
						t.Errorf("read %q", body)
					}
					return test.read
				},
			})
			test.want.check(t, err)
			list := arrived()
			if len(list) != test.tries {
				t.Fatalf("%d tries, want %d", len(list), test.tries)
			}
			for _, p := range list {
				if p.method != "POST" || p.uri != "/pay/x" || p.body != "<xml/>" || p.header.Get("Content-Type") != "text/xml" ||
					p.header.Get("User-Agent") == "" || p.header.Get("Authorization") != "" {
					t.Errorf("arrived: %+v", p)
				}
			}
		})
	}
}

// What a refusal says is foreign, and a log's line.
func TestCourierCleansRefusals(t *testing.T) {
	t.Parallel()
	cfg, _ := elsewhere(t, unsigned(http.StatusOK, ""))
	courier, err := wxapi.NewCourier(cfg, nil)
	must(t, err)
	err = courier.Do(t.Context(), wxapi.Errand{Op: wxapi.OpQuery, Path: "/", ContentType: "text/xml", Read: func([]byte) error {
		return &wxapi.Error{Status: 400, Message: "a\nb oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
	}})
	var refusal *wxapi.Error
	if !errors.As(err, &refusal) || refusal.Message != "a b (openid)" || refusal.RequestID != "08F78BDABF-0" {
		t.Errorf("%v", err)
	}
}

func TestCourierFaults(t *testing.T) {
	t.Parallel()
	_, err := wxapi.NewCourier(wxapi.Config{BaseURL: "http://api.mch.weixin.qq.com", TotalTimeout: -1}, nil)
	const want = "wxapi: Config.BaseURL must be https; http is for loopback hosts only\nwxapi: Config.TotalTimeout must not be negative"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// A server that wants the merchant's certificate gets it, over the caller's own
// transport too, which stays as it was.
func TestCourierPresentsCertificate(t *testing.T) {
	t.Parallel()
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &merchantKey().PublicKey, merchantKey())
	must(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) != 1 || r.TLS.PeerCertificates[0].SerialNumber.Int64() != 7 {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	for _, test := range []struct {
		name        string
		certificate *tls.Certificate
		want        want
	}{
		{"with", &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: merchantKey()}, want{}},
		{"without", nil, want{status: http.StatusForbidden}},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := server.Client()
			courier, err := wxapi.NewCourier(wxapi.Config{BaseURL: server.URL, HTTPClient: client}, test.certificate)
			must(t, err)
			err = courier.Do(t.Context(), wxapi.Errand{
				Op: wxapi.OpRefund, Path: "/secapi/pay/refund", ContentType: "text/xml", Once: true,
				Read: func([]byte) error { return nil },
			})
			test.want.check(t, err)
			if n := len(client.Transport.(*http.Transport).TLSClientConfig.Certificates); n != 0 {
				t.Errorf("the caller's transport has %d certificates now", n)
			}
		})
	}
}
