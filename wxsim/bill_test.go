package wxsim_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

const tradeBill = "/v3/bill/tradebill?bill_date=2026-11-21"

// download fetches what an application said, without judging it.
func (s *stage) download(applied result) (result, error) {
	s.m.t.Helper()
	u, err := url.Parse(applied.text("download_url"))
	if err != nil || !strings.HasPrefix(u.String(), s.URL()+"/v3/billdownload/file?token=") {
		s.m.t.Fatalf("application %d %s", applied.status, applied.body)
	}
	return s.m.try("GET", u.RequestURI(), nil)
}

// bill applies for a bill that must be there, and downloads it.
func (s *stage) bill(query string) string {
	s.m.t.Helper()
	applied := s.m.call("GET", tradeBill+query, nil)
	r, err := s.download(applied)
	if err != nil || r.status != 200 || r.header.Get("Wechatpay-Signature") != "" {
		s.m.t.Fatalf("download %d %s: %v", r.status, r.body, err)
	}
	body := r.body
	if strings.Contains(query, "GZIP") {
		zip, err := gzip.NewReader(bytes.NewReader(body))
		if err == nil {
			body, err = io.ReadAll(zip)
		}
		if err != nil || r.header.Get("Content-Type") != "application/x-gzip" {
			s.m.t.Fatalf("gunzip: %v, Content-Type %s", err, r.header.Get("Content-Type"))
		}
	}
	if sum := sha1.Sum(body); applied.text("hash_type") != "SHA1" || applied.text("hash_value") != hex.EncodeToString(sum[:]) {
		s.m.t.Errorf("hash %s is not that of the bill", applied.body)
	}
	return string(body)
}

// trades makes a day of trade: a payment in each of two products, a refund
// that succeeds and one that does not, a payment on the next day. It ends at
// ten o'clock of that day, when the bill can be had.
func (s *stage) trades(t *testing.T) {
	t.Helper()
	s.m.prepay("jsapi", "order-first", map[string]any{"notify_url": s.rc.url, "attach": "a\nb", "description": "会员, 一个月",
		"scene_info": map[string]any{"payer_client_ip": "::1", "device_id": "dev,1"}})
	s.m.prepay("h5", "order-second", map[string]any{"notify_url": s.rc.url, "amount": map[string]any{"total": 123456}})
	s.place("native", "order-unpaid")
	for _, no := range []string{"order-first", "order-second"} {
		if err := s.Pay(no); err != nil {
			t.Fatalf("pay: %v", err)
		}
		s.Advance(time.Minute)
	}
	if r := s.refund("order-first", "r-1", 99); r.status != 200 {
		t.Fatalf("refund %s", r.body)
	}
	s.Advance(11*time.Hour + 57*time.Minute) // to 23:59
	s.place("native", "order-midnight")
	s.Advance(time.Minute)
	if err := s.Pay("order-midnight"); err != nil {
		t.Fatalf("pay: %v", err)
	}
	s.Advance(10 * time.Hour)
}

const (
	billHeader  = "\xEF\xBB\xBF交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n"
	billSummary = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n"
)

// line fills in what is drawn: APPID, MCHID, the transaction of an order as
// T1, T2, its openid as O2, and a refund_id as R1.
func (s *stage) line(text string) string {
	first, _ := s.Order("order-first")
	second, _ := s.Order("order-second")
	r, _ := s.Sim.Refund("r-1")
	return strings.NewReplacer("APPID", s.Account().AppID, "MCHID", s.Account().MchID, "T1", first.TransactionID, "T2", second.TransactionID,
		"O1", first.OpenID, "O2", second.OpenID, "R1", r.RefundID).Replace(text)
}

// The bill of a day, to the byte.
func TestBill(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.trades(t)
	pay1 := "`2026-11-21 12:00:00,`APPID,`MCHID,`0,`dev\\ 1,`T1,`order-first,`O1,`JSAPI,`SUCCESS,`OTHERS,`CNY,`1.00,`0.00,`0,`0,`0.00,`0.00,`,`,`会员\\  一个月,`a\\nb,`0.01000,`0.60%,`1.00,`0.00,`\r\n"
	pay2 := "`2026-11-21 12:01:00,`APPID,`MCHID,`0,`,`T2,`order-second,`O2,`MWEB,`SUCCESS,`OTHERS,`CNY,`1234.56,`0.00,`0,`0,`0.00,`0.00,`,`,`会员一个月,`,`7.41000,`0.60%,`1234.56,`0.00,`\r\n"
	back := "`2026-11-21 12:02:00,`APPID,`MCHID,`0,`dev\\ 1,`T1,`order-first,`O1,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`R1,`r-1,`0.99,`0.00,`ORIGINAL,`SUCCESS,`会员\\  一个月,`a\\nb,`-0.01000,`0.60%,`0.00,`0.99,`\r\n"
	want := s.line(billHeader + pay1 + pay2 + back + billSummary + "`3,`1235.56,`0.99,`0.00,`7.41000,`1235.56,`0.99\r\n")
	for _, query := range []string{"", "&tar_type=GZIP", "&bill_type=ALL&tar_type=GZIP"} {
		if got := s.bill(query); got != want {
			t.Errorf("bill%s\n got %q\nwant %q", query, got, want)
		}
	}
}

// SUCCESS has the payments only, REFUND the refunds with two times more.
func TestBillTypes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.trades(t)
	got := strings.Split(s.bill("&bill_type=SUCCESS"), "\r\n")
	want := s.line("`2026-11-21 12:01:00,`APPID,`MCHID,`0,`,`T2,`order-second,`O2,`MWEB,`SUCCESS,`OTHERS,`CNY,`1234.56,`0.00,`会员一个月,`,`7.41000,`0.60%,`1234.56,`")
	if len(got) != 6 || got[2] != want || strings.Contains(got[0], "退款") || got[4] != "`2,`1235.56,`0.00,`0.00,`7.42000,`1235.56,`0.00" {
		t.Errorf("SUCCESS %q", got)
	}
	got = strings.Split(s.bill("&bill_type=REFUND"), "\r\n")
	want = s.line("`2026-11-21 12:02:00,`APPID,`MCHID,`0,`dev\\ 1,`T1,`order-first,`O1,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`2026-11-21 12:02:00,`2026-11-21 12:02:05," +
		"`R1,`r-1,`0.99,`0.00,`ORIGINAL,`SUCCESS,`会员\\  一个月,`a\\nb,`-0.01000,`0.60%,`0.00,`0.99,`")
	if len(got) != 5 || got[1] != want || strings.Count(got[0], ",") != 28 || got[3] != "`1,`0.00,`0.99,`0.00,`-0.01000,`0.00,`0.99" {
		t.Errorf("REFUND %q", got)
	}
}

// 退款状态 says how the refund stood at nine o'clock the day after, for ever.
func TestBillRefundStatus(t *testing.T) {
	t.Parallel()
	for decided, word := range map[string]string{"SUCCESS": "SUCCESS", "ABNORMAL": "CHANGE", "CLOSED": "FAIL", "PROCESSING": "PROCESSING"} {
		s := newStage(t)
		s.placePaid("order-paid")
		if err := s.DecideRefund("", decided); err != nil {
			t.Fatalf("decide: %v", err)
		}
		s.refund("order-paid", "r-1", 1)
		s.Advance(22 * time.Hour) // ten o'clock
		before := s.bill("")
		if !strings.Contains(before, "`r-1,`0.01,`0.00,`ORIGINAL,`"+word+",") || !strings.Contains(before, ",`0.00000,`0.60%,`0.00,`0.01,`\r\n") {
			t.Errorf("%s: %s", decided, before)
		}
		_ = s.DecideRefund("r-1", "SUCCESS")
		s.Advance(24 * time.Hour)
		if s.bill("") != before {
			t.Errorf("%s: the bill has changed", decided)
		}
	}
}

// When there is a bill, and when not yet, no more or not at all.
func TestBillDates(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.placePaid("order-paid") // on the 21st at noon
	for _, c := range []struct {
		to    time.Time
		query string
		code  string // "": there it is
	}{
		{noon, "2026-11-21", "INVALID_REQUEST"},
		{noon, "2026-11-22", "INVALID_REQUEST"},
		{noon, "2026-08-20", "INVALID_REQUEST"},
		{noon, "2026-08-21", "NO_STATEMENT_EXIST"},
		{noon, "2026-11-20", "NO_STATEMENT_EXIST"},
		{noon.Add(12 * time.Hour), "2026-11-21", "STATEMENT_CREATING"},
		{noon.Add(22*time.Hour - 1), "2026-11-21", "STATEMENT_CREATING"},
		{noon.Add(22*time.Hour - 1), "2026-11-20", "NO_STATEMENT_EXIST"},
		{noon.Add(22 * time.Hour), "2026-11-21", ""},
		{noon.Add(22 * time.Hour), "2026-11-21&bill_type=REFUND", "NO_STATEMENT_EXIST"},
		{noon.Add(22 * time.Hour), "2026-11-21&bill_type=RECHARGE_REFUND", "PARAM_ERROR"},
		{noon.Add(22 * time.Hour), "2026-11-21&tar_type=ZIP", "PARAM_ERROR"},
		{noon.Add(22 * time.Hour), "20261121", "PARAM_ERROR"},
		{noon.Add(22 * time.Hour), "2026-11-31", "PARAM_ERROR"},
		{noon.Add(22 * time.Hour), "", "PARAM_ERROR"},
		{noon.AddDate(0, 3, 0), "2026-11-21", ""},
		{noon.AddDate(0, 3, 1), "2026-11-21", "INVALID_REQUEST"},
	} {
		s.Advance(c.to.Sub(s.Now()))
		r := s.m.call("GET", "/v3/bill/tradebill?bill_date="+c.query, nil)
		if status := map[bool]int{true: 200, false: 400}[c.code == ""]; r.status != status || r.code() != c.code {
			t.Errorf("%s at %v: %d %s, want %d %q", c.query, c.to, r.status, r.body, status, c.code)
		}
	}
}

// A download_url is good for five minutes, more than once, and signed like any
// call.
func TestBillDownload(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.trades(t)
	applied := s.m.call("GET", tradeBill, nil)
	s.Advance(5*time.Minute - 1)
	for range 2 {
		if r, err := s.download(applied); err != nil || r.status != 200 || r.header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("download: %d %s %v", r.status, r.body, err)
		}
	}
	forger := *s.m
	forger.signedURI = func(uri string) string { path, _, _ := strings.Cut(uri, "?"); return path }
	u, _ := url.Parse(applied.text("download_url"))
	if r := forger.call("GET", u.RequestURI(), nil); r.status != 401 || r.code() != "SIGN_ERROR" {
		t.Errorf("signed without its query: %d %s", r.status, r.body)
	}
	if r := s.m.call("GET", "/v3/billdownload/file?token=other", nil); r.status != 400 || r.code() != "INVALID_REQUEST" {
		t.Errorf("another token: %d %s", r.status, r.body)
	}
	s.Advance(1)
	if r, err := s.download(applied); err != nil || r.status != 400 || r.code() != "INVALID_REQUEST" {
		t.Errorf("after five minutes: %d %s %v", r.status, r.body, err)
	}
}

// What goes wrong with bills; a fault waits for the call it fits.
func TestBillFaults(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.trades(t)
	whole := s.bill("")
	for _, c := range []struct {
		fault string
		hash  bool // the hash is that of what arrives
		check func(body []byte) bool
	}{
		{"wrong_hash", false, func(body []byte) bool { return string(body) == whole }},
		{"missing_column", true, func(body []byte) bool {
			header, _, _ := strings.Cut(string(body), "\r\n")
			return strings.Count(header, ",") == 25 && strings.Contains(header, ",费率,申请退款金额") && len(body) < len(whole)
		}},
		{"truncated", false, func(body []byte) bool { return string(body) == whole[:len(whole)/2] }},
	} {
		s.Fault(wxsim.Fault{Target: "bill", Fault: c.fault, Count: 1})
		applied := s.m.call("GET", tradeBill, nil)
		r, err := s.download(applied)
		if err != nil || r.status != 200 || !c.check(r.body) {
			t.Errorf("%s: %d %q %v", c.fault, r.status, r.body, err)
		}
		if sum := sha1.Sum(r.body); (applied.text("hash_value") == hex.EncodeToString(sum[:])) != c.hash {
			t.Errorf("%s: hash_value %s", c.fault, applied.text("hash_value"))
		}
		if got := s.bill(""); got != whole {
			t.Errorf("after %s the bill is %q", c.fault, got)
		}
	}
}

// A gzip file that was cut says so when it is read.
func TestBillTruncatedGzip(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.trades(t)
	s.Fault(wxsim.Fault{Target: "bill", Fault: "truncated", Count: 1})
	r, err := s.download(s.m.call("GET", tradeBill+"&tar_type=GZIP", nil))
	if err != nil {
		t.Fatalf("download: %v", err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(r.body))
	if err != nil {
		t.Fatalf("gzip: %v", err)
	}
	if _, err := io.ReadAll(zip); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("reads with %v, want an unexpected end", err)
	}
}
