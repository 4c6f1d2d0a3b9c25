package wxsim

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// authorizations are the seeds of FuzzAuthorization, with whether they parse.
var authorizations = map[string]bool{
	scheme + ` mchid="1",nonce_str="n",signature="s==",timestamp="1",serial_no="A"`: true,
	scheme + ` serial_no="A",timestamp="1",signature="s",nonce_str="n",mchid="1"`:   true,
	scheme + ` mchid="1",nonce_str="n",signature="s",timestamp="1"`:                 false,
	scheme + ` mchid="1",mchid="1",nonce_str="n",signature="s",timestamp="1"`:       false,
	scheme + ` mchid="1", nonce_str="n",signature="s",timestamp="1",serial_no="A"`:  false,
	scheme + ` mchid=1,nonce_str=n,signature=s,timestamp=1,serial_no=A`:             false,
	scheme + ` mchid="",nonce_str="n",signature="s",timestamp="1",serial_no="A"`:    false,
	scheme + ` mchid="a"b",nonce_str="n",signature="s",timestamp="1",serial_no="A"`: false,
	scheme:   false,
	"":       false,
	"Bearer": false,
}

// What parses has exactly one meaning: written out again it parses the same.
func FuzzAuthorization(f *testing.F) {
	for header := range authorizations {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		a, err := parseAuthorization(header)
		if want, seeded := authorizations[header]; seeded && want != (err == nil) {
			t.Fatalf("%q: %v, want parsed: %v", header, err, want)
		}
		if err != nil {
			if a != (authorization{}) {
				t.Errorf("%q gave %+v beside its error", header, a)
			}
			return
		}
		again, err := parseAuthorization(fmt.Sprintf(`%s mchid="%s",nonce_str="%s",signature="%s",timestamp="%s",serial_no="%s"`,
			scheme, a.mchid, a.nonce, a.signature, a.timestamp, a.serial))
		if err != nil || again != a {
			t.Errorf("%q: %+v, then %+v %v", header, a, again, err)
		}
		for _, v := range []string{a.mchid, a.nonce, a.signature, a.timestamp, a.serial} {
			if v == "" || strings.ContainsAny(v, `",`) || !strings.Contains(header, `"`+v+`"`) {
				t.Errorf("%q: value %q", header, v)
			}
		}
	})
}

// prepayBodies are the seeds of FuzzPrepay; MCHID and APPID stand for the
// account's, and the first two are good.
var prepayBodies = [...]string{
	`{"appid":"APPID","mchid":"MCHID","description":"d","out_trade_no":"abcdef","notify_url":"https://a.b/c","amount":{"total":1}}`,
	`{"appid":"APPID","mchid":"MCHID","description":"会员","out_trade_no":"a|b*c-_1","notify_url":"http://127.0.0.1:1/c","amount":{"total":99,"currency":"CNY"},` +
		`"time_expire":"2026-11-21T13:00:00+08:00","attach":"x","detail":{"goods_detail":[{"merchant_goods_id":"g","quantity":1,"unit_price":1}]},"scene_info":{"payer_client_ip":"::1","device_id":"d"}}`,
	`{"appid":"APPID","mchid":"MCHID","description":"d","out_trade_no":"abcdef","notify_url":"https://a.b/c","amount":{"total":1e2}}`,
	`{"appid":"APPID","mchid":"MCHID","description":null,"out_trade_no":"abcdef","notify_url":"https://a.b/c","amount":{"total":1}}`,
	`{"amount":{"amount":{"amount":[{},[],null]}}}`,
	`[]`, `null`, ``, `{`,
}

// What is taken is well formed by independent rules, and its canonical form is
// taken as the same order again.
func FuzzPrepay(f *testing.F) {
	s, err := New(Config{Seed: sharedSeed})
	if err != nil {
		f.Fatal(err)
	}
	fill := strings.NewReplacer("APPID", s.keys.account.AppID, "MCHID", s.keys.account.MchID)
	for i, body := range prepayBodies {
		body = fill.Replace(body)
		if _, refused := s.readPrepay("native", prepayFields("native"), []byte(body)); (refused == nil) != (i < 2) {
			f.Fatalf("seed %d: %+v", i, refused)
		}
		f.Add(body)
	}
	number := regexp.MustCompile(`\A[0-9A-Za-z_|*-]{6,32}\z`)
	f.Fuzz(func(t *testing.T, body string) {
		req, refused := s.readPrepay("native", prepayFields("native"), []byte(body))
		if refused != nil {
			if refused.status != 400 || refused.code == "" {
				t.Errorf("%q: refused with %+v", body, refused)
			}
			return
		}
		if !number.MatchString(req.OutTradeNo) || req.Amount.Total < 1 || req.Description == "" || req.NotifyURL == "" || strings.ContainsAny(req.NotifyURL, "?# ") {
			t.Errorf("%q was taken as %+v", body, req)
		}
		again, refused := s.readPrepay("native", prepayFields("native"), []byte(req.params))
		if refused != nil || again != req {
			t.Errorf("%q: %+v, then %+v %+v", body, req, again, refused)
		}
	})
}

// refundBodies are the seeds of FuzzRefund; the first two are good.
var refundBodies = [...]string{
	`{"out_trade_no":"abcdef","out_refund_no":"r","amount":{"refund":1,"total":1,"currency":"CNY"}}`,
	`{"transaction_id":"4200000000000000000000000000","out_refund_no":"a|b*c-_@1","reason":"不想要了","notify_url":"https://a.b/c",` +
		`"amount":{"refund":3,"total":9,"currency":"CNY","from":[{"account":"AVAILABLE","amount":3}]}}`,
	`{"out_trade_no":"abcdef","transaction_id":"42","out_refund_no":"r","amount":{"refund":1,"total":1,"currency":"CNY"}}`,
	`{"out_trade_no":"abcdef","out_refund_no":"r","amount":{"refund":1,"total":1,"currency":"CNY","from":[{"account":"AVAILABLE","amount":9223372036854775807},{"account":"AVAILABLE","amount":2}]}}`,
	`{"out_trade_no":"abcdef","out_refund_no":"r","amount":{"refund":1e0,"total":1,"currency":"CNY"}}`,
	`[]`, `null`, ``, `{`,
}

// What is taken is well formed by independent rules, and its canonical form is
// the same application again.
func FuzzRefund(f *testing.F) {
	for i, body := range refundBodies {
		if _, refused := readRefund(refundFields(), []byte(body)); (refused == nil) != (i < 2) {
			f.Fatalf("seed %d: %+v", i, refused)
		}
		f.Add(body)
	}
	number := regexp.MustCompile(`\A[0-9A-Za-z_|*@-]{1,64}\z`)
	f.Fuzz(func(t *testing.T, body string) {
		req, refused := readRefund(refundFields(), []byte(body))
		if refused != nil {
			if refused.status != 400 || refused.code != "PARAM_ERROR" {
				t.Errorf("%q: refused with %+v", body, refused)
			}
			return
		}
		if !number.MatchString(req.OutRefundNo) || req.Amount.Refund < 1 || req.Amount.Total < 1 || (req.OutTradeNo == "") == (req.TransactionID == "") {
			t.Errorf("%q was taken as %+v", body, req)
		}
		again, refused := readRefund(refundFields(), []byte(req.params))
		if refused != nil || again.params != req.params {
			t.Errorf("%q: %+v, then %+v %+v", body, req, again, refused)
		}
	})
}

// The seeds have not become empty or one-sided.
func TestFuzzSeeds(t *testing.T) {
	good := 0
	for _, parses := range authorizations {
		if parses {
			good++
		}
	}
	if good < 2 || len(authorizations)-good < 5 || len(prepayBodies) < 5 || len(refundBodies) < 5 {
		t.Errorf("%d good authorizations of %d, %d prepay and %d refund bodies", good, len(authorizations), len(prepayBodies), len(refundBodies))
	}
}
