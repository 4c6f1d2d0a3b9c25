package wxsim

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"unicode/utf8"
)

// v2Endpoint is one operation of API v2: the signature is checked, the fault
// is drawn. What it returns is completed and signed by the caller.
type v2Endpoint func(r *http.Request, in v2Message) (v2Message, *v2Refusal)

// v2Routes mounts API v2. Any method reaches it: the refusal of all but POST
// is XML with 200, too.
func (s *Sim) v2Routes(mux *http.ServeMux) {
	mux.HandleFunc("/pay/unifiedorder", s.apiV2("prepay", s.unifiedOrder))
	mux.HandleFunc("/pay/orderquery", s.apiV2("query", s.orderQuery))
	mux.HandleFunc(v2ClosePath, s.apiV2("close", s.closeOrderV2))
	mux.HandleFunc(v2RefundPath, s.apiV2("refund", s.refundV2))
	mux.HandleFunc("/pay/refundquery", s.apiV2("refund", s.refundQuery))
}

const (
	v2ClosePath  = "/pay/closeorder"
	v2RefundPath = "/secapi/pay/refund"
)

// apiV2 wraps an endpoint: journal, size cap, signature, faults.
func (s *Sim) apiV2(target string, run v2Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		c := &Call{Target: target, Method: r.Method, Path: wireURI(r), Body: body, At: s.clock.header()}
		s.arrive(c)
		in, refused := s.admitV2(r, body, err)
		var fault Fault
		if refused == nil {
			fault = s.drawFault(target, r.URL.Path)
		}
		a := s.performV2(r, in, run, refused, fault)
		if s.conclude(w, r, c, refused == nil, fault, a.status) {
			s.write(w, r, a, signer{}, fault)
		}
	}
}

// admitV2 checks what is common to all calls and reads the message.
func (s *Sim) admitV2(r *http.Request, body []byte, readErr error) (v2Message, *v2Refusal) {
	var tooLarge *http.MaxBytesError
	switch {
	case r.Method != http.MethodPost:
		return nil, &v2NotPost
	case errors.As(readErr, &tooLarge):
		return nil, &v2TooLarge
	case readErr != nil:
		return nil, &v2NoXML
	case r.URL.Path == v2RefundPath && !s.knownPeer(r):
		return nil, &v2Certificate
	case len(body) == 0:
		return nil, &v2Empty
	case !utf8.Valid(body):
		return nil, &v2NotUTF8
	}
	in, err := parseV2(body, "xml")
	if err != nil {
		return nil, &v2NoXML
	}
	return in, s.authorizeV2(in)
}

// knownPeer reports whether a call came with the merchant's certificate. Over
// plain HTTP, on loopback, there is none and nothing to check.
func (s *Sim) knownPeer(r *http.Request) bool {
	if r.TLS == nil {
		return true
	}
	if len(r.TLS.PeerCertificates) == 0 {
		return false
	}
	shown := r.TLS.PeerCertificates[0]
	key, isRSA := shown.PublicKey.(*rsa.PublicKey)
	return isRSA && key.Equal(&s.keys.merchant.PublicKey) && fmt.Sprintf("%X", shown.SerialNumber) == s.keys.account.SerialNo
}

// authorizeV2 checks who calls and the signature.
func (s *Sim) authorizeV2(in v2Message) *v2Refusal {
	a := s.keys.account
	for _, name := range [...]string{"appid", "mch_id", "nonce_str", "sign"} {
		if in[name] == "" {
			return v2LackParams.about("缺少参数" + name)
		}
	}
	switch {
	case in["mch_id"] != a.MchID:
		return &v2NoMerchant
	case !in.signed(a.APIv2Key):
		return &v2BadSign
	case in["appid"] != a.AppID && in["appid"] != a.AppIDApp && in["appid"] != a.AppIDJSAPI:
		return &v2AppID
	case len(in["nonce_str"]) > 32:
		return v2Parameter.about("nonce_str参数长度有误")
	}
	return nil
}

// performV2 runs the endpoint unless something stands before it, and completes
// its answer.
func (s *Sim) performV2(r *http.Request, in v2Message, run v2Endpoint, refused *v2Refusal, f Fault) answer {
	switch {
	case refused != nil:
	case f.Fault == "status_500":
		refused = &v2System
	case f.Fault == "status_429":
		refused = &v2TooOften
	case f.Fault == "late":
		s.doLater(r, nil, v2Deed(run, in), f.Delay)
		return answer{}
	}
	var out v2Message
	if refused == nil {
		out, refused = run(r.WithContext(context.WithValue(r.Context(), struckKey{}, f.Fault)), in)
	}
	if f.Fault == "garbage" {
		return answer{status: http.StatusOK, body: []byte("<html><body>微信支付</body></html>"), contentType: "text/html"}
	}
	if refused != nil {
		s.log.InfoContext(r.Context(), "refused", "code", refused.code)
		out = refused.fields()
	}
	s.seal(out, in, f.Fault)
	return answer{status: http.StatusOK, body: out.write("xml"), contentType: "text/plain"}
}

// v2Deed is an endpoint whose answer nobody hears.
func v2Deed(run v2Endpoint, in v2Message) endpoint {
	return func(r *http.Request, _ []byte) (answer, *refusal) {
		if _, refused := run(r, in); refused != nil {
			return answer{}, &refusal{code: refused.code}
		}
		return answer{}, nil
	}
}

// seal adds to an answer what all have in common, and signs it as the call was
// signed. What was not even heard gets neither.
func (s *Sim) seal(out, in v2Message, fault string) {
	if out["return_code"] != "" {
		return
	}
	out.clean()
	maps.Copy(out, v2Message{
		"return_code": "SUCCESS", "return_msg": "OK",
		"appid": in["appid"], "mch_id": in["mch_id"], "nonce_str": nonce(32),
	})
	if out["result_code"] == "" {
		out["result_code"] = "SUCCESS"
	}
	if fault == "unsigned" {
		return
	}
	out["sign"] = out.sign(in.signType(), s.keys.account.APIv2Key)
	if fault == "bad_signature" {
		out["sign"] = spoil(out["sign"])
	}
}
