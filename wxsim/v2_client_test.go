package wxsim_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxsim"
)

// merchantV2 is a client of API v2 written for these tests alone. Fields may be
// changed to make one thing wrong.
type merchantV2 struct {
	t        *testing.T
	base     string
	account  wxsim.Account
	http     *http.Client
	signType string // "": not sent, which means MD5
	key      string
}

func (s *stage) v2() *merchantV2 {
	return &merchantV2{t: s.m.t, base: s.URL(), account: s.Account(), http: &http.Client{Transport: wire}, key: s.Account().APIv2Key}
}

// signV2 is the signature of API v2, spelt out.
func signV2(fields map[string]string, signType, key string) string {
	var names []string
	for k, v := range fields {
		if k != "sign" && v != "" {
			names = append(names, k)
		}
	}
	sort.Strings(names)
	text := ""
	for _, k := range names {
		text += k + "=" + fields[k] + "&"
	}
	text += "key=" + key
	if signType != "HMAC-SHA256" {
		return fmt.Sprintf("%X", md5.Sum([]byte(text)))
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return fmt.Sprintf("%X", mac.Sum(nil))
}

var elementV2 = regexp.MustCompile(`(?s)<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</(\w+)>`)

// readV2 reads the elements of a flat message.
func readV2(text string) map[string]string {
	fields := map[string]string{}
	for _, m := range elementV2.FindAllStringSubmatch(text, -1) {
		fields[m[1]] = m[2] + html.UnescapeString(m[3])
	}
	return fields
}

// textV2 writes one.
func textV2(fields map[string]string) string {
	var names []string
	for k := range fields {
		names = append(names, k)
	}
	sort.Strings(names)
	out := "<xml>"
	for _, k := range names {
		out += "<" + k + ">" + html.EscapeString(fields[k]) + "</" + k + ">"
	}
	return out + "</xml>"
}

// resultV2 is an answer with its elements.
type resultV2 struct {
	result
	fields map[string]string
}

// code is what a caller would branch on: the err_code, or that there was none.
func (r resultV2) code() string {
	switch {
	case r.fields["return_code"] != "SUCCESS":
		return "FAIL " + r.fields["return_msg"]
	case r.fields["result_code"] == "SUCCESS":
		return ""
	}
	return r.fields["err_code"]
}

// signed completes and signs a call.
func (m *merchantV2) signed(fields map[string]string) map[string]string {
	full := map[string]string{"appid": m.account.AppID, "mch_id": m.account.MchID, "nonce_str": rand.Text()}
	if m.signType != "" {
		full["sign_type"] = m.signType
	}
	for k, v := range fields {
		full[k] = v
	}
	full["sign"] = signV2(full, m.signType, m.key)
	return full
}

// post sends any text and does not judge the answer.
func (m *merchantV2) post(path, text string) (resultV2, error) {
	m.t.Helper()
	req, err := http.NewRequest("POST", m.base+path, strings.NewReader(text))
	if err != nil {
		m.t.Fatalf("request: %v", err)
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	resp, err := m.http.Do(req)
	if err != nil {
		return resultV2{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resultV2{result{resp.StatusCode, resp.Header, body}, readV2(string(body))}, err
}

// call makes a call that must be answered: with 200, as text, and signed unless
// it failed before its business was looked at.
func (m *merchantV2) call(path string, fields map[string]string) resultV2 {
	m.t.Helper()
	r, err := m.post(path, textV2(m.signed(fields)))
	if err != nil {
		m.t.Fatalf("%s: %v", path, err)
	}
	m.check(path, r)
	return r
}

// check holds an answer against the rules of all answers.
func (m *merchantV2) check(path string, r resultV2) {
	m.t.Helper()
	if r.status != 200 || r.header.Get("Content-Type") != "text/plain" {
		m.t.Errorf("%s: %d %q", path, r.status, r.header.Get("Content-Type"))
	}
	if r.fields["return_code"] != "SUCCESS" {
		if len(r.fields) != 2 || r.fields["return_code"] != "FAIL" || r.fields["return_msg"] == "" {
			m.t.Errorf("%s: %s", path, r.body)
		}
		return
	}
	if want := signV2(r.fields, m.signType, m.account.APIv2Key); r.fields["sign"] != want {
		m.t.Errorf("%s: sign of %s, want %s", path, r.body, want)
	}
	for name, want := range map[string]string{"return_msg": "OK", "appid": m.account.AppID, "mch_id": m.account.MchID} {
		if r.fields[name] != want {
			m.t.Errorf("%s: %s is %q, want %q", path, name, r.fields[name], want)
		}
	}
	if len(r.fields["nonce_str"]) != 32 {
		m.t.Errorf("%s: nonce_str %q", path, r.fields["nonce_str"])
	}
}

// with returns a copy with changes; an empty value takes an element away.
func with(fields map[string]string, change ...string) map[string]string {
	out := map[string]string{}
	for k, v := range fields {
		out[k] = v
	}
	for i := 0; i < len(change); i += 2 {
		if out[change[i]] = change[i+1]; change[i+1] == "" {
			delete(out, change[i])
		}
	}
	return out
}

// orderV2 are the parameters of a good order that notifies url.
func orderV2(tradeType, no, url string) map[string]string {
	fields := map[string]string{
		"body": "会员一个月", "out_trade_no": no, "total_fee": "100", "spbill_create_ip": "14.23.150.211",
		"notify_url": url, "trade_type": tradeType,
	}
	switch tradeType {
	case "JSAPI":
		fields["openid"] = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
	case "NATIVE":
		fields["product_id"] = "vip-month"
	case "MWEB":
		fields["scene_info"] = `{"h5_info":{"type":"Wap","wap_url":"https://shop.example.com","wap_name":"Shop"}}`
	}
	return fields
}

// placeV2 makes an unpaid order by API v2.
func (s *stage) placeV2(m *merchantV2, no, url string) {
	s.m.t.Helper()
	if r := m.call("/pay/unifiedorder", orderV2("NATIVE", no, url)); r.code() != "" {
		s.m.t.Fatalf("place %s: %s", no, r.body)
	}
}

// placePaidV2 makes a paid one.
func (s *stage) placePaidV2(m *merchantV2, no, url string) {
	s.m.t.Helper()
	s.placeV2(m, no, url)
	if err := s.Pay(no); err != nil {
		s.m.t.Fatalf("pay %s: %v", no, err)
	}
}
