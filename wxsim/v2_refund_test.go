package wxsim_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

const refundPathV2 = "/secapi/pay/refund"

// refundV2 are the parameters of a good refund.
func refundV2(no, refundNo string, fen int) map[string]string {
	return map[string]string{
		"out_trade_no": no, "out_refund_no": refundNo, "total_fee": "100", "refund_fee": strconv.Itoa(fen), "refund_desc": "不想要了",
	}
}

// A refund is accepted, repeated, refused and listed, to the element.
func TestV2Refund(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	s.placeV2(m, "order-back", shopURL)
	if r := m.call(refundPathV2, refundV2("order-back", "r-1", 60)); r.code() != "ORDERNOTEXIST" {
		t.Errorf("unpaid: %s", r.body)
	}
	_ = s.PayQuietly("order-back")
	o, _ := s.Order("order-back")
	m.signType = "HMAC-SHA256"
	first := m.call(refundPathV2, with(refundV2("order-back", "r-1", 60), "transaction_id", o.TransactionID))
	refund, _ := s.Refund("r-1")
	want := map[string]string{
		"return_code": "SUCCESS", "return_msg": "OK", "result_code": "SUCCESS", "appid": o.AppID, "mch_id": o.MchID,
		"out_trade_no": "order-back", "transaction_id": o.TransactionID, "out_refund_no": "r-1", "refund_id": refund.RefundID,
		"total_fee": "100", "refund_fee": "60", "settlement_refund_fee": "60", "cash_fee": "100", "fee_type": "CNY", "cash_refund_fee": "60",
	}
	got := maps.Clone(first.fields)
	delete(got, "nonce_str")
	delete(got, "sign")
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if refund.API != "v2" || refund.Status != "PROCESSING" || refund.Reason != "不想要了" || refund.Refund != 60 {
		t.Errorf("refund %+v", refund)
	}
	again := m.call(refundPathV2, with(refundV2("order-back", "r-1", 60), "transaction_id", o.TransactionID))
	if again.fields["refund_id"] != refund.RefundID || len(s.Refunds()) != 1 {
		t.Errorf("again: %s", again.body)
	}
	if r := m.call("/pay/orderquery", map[string]string{"out_trade_no": "order-back"}); r.fields["trade_state"] != "REFUND" {
		t.Errorf("order: %s", r.body)
	}
}

// Each case changes one thing in a good application; nothing is refunded.
func TestV2RefundRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		before func(s *stage)
		change []string
		want   string
	}{
		{"no number", nil, []string{"out_refund_no", ""}, "PARAM_ERROR"},
		{"wrong number", nil, []string{"out_refund_no", "r 1"}, "PARAM_ERROR"},
		{"no order", nil, []string{"out_trade_no", ""}, "PARAM_ERROR"},
		{"no amount", nil, []string{"refund_fee", ""}, "PARAM_ERROR"},
		{"nothing back", nil, []string{"refund_fee", "0"}, "PARAM_ERROR"},
		{"unknown account", nil, []string{"refund_account", "CASH"}, "PARAM_ERROR"},
		{"unknown order", nil, []string{"out_trade_no", "order-none"}, "ORDERNOTEXIST"},
		{"unknown transaction", nil, []string{"transaction_id", "42000"}, "INVALID_TRANSACTIONID"},
		{"another total", nil, []string{"total_fee", "99"}, "ERROR"},
		{"too much", nil, []string{"refund_fee", "101"}, "ERROR"},
		{"number used", func(s *stage) { s.refund("order-back", "r-1", 1) }, nil, "ERROR"},
		{"too soon", func(s *stage) { s.refund("order-back", "r-0", 1) }, nil, "FREQUENCY_LIMITED"},
		{"too late", func(s *stage) { s.Advance(366 * 24 * time.Hour) }, nil, "TRADE_OVERDUE"},
		{"no money", func(s *stage) { s.SetBalance(false) }, nil, "NOTENOUGH"},
		{"payer gone", func(s *stage) { _ = s.SetPayerGone("order-back", true) }, nil, "USER_ACCOUNT_ABNORMAL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			m := s.v2()
			s.placeV2(m, "order-back", shopURL)
			_ = s.PayQuietly("order-back")
			if c.before != nil {
				c.before(s)
			}
			before := len(s.Refunds())
			r := m.call(refundPathV2, with(refundV2("order-back", "r-1", 60), c.change...))
			if r.code() != c.want || r.fields["err_code_des"] == "" || len(s.Refunds()) != before {
				t.Errorf("%s, want %s; refunds %+v", r.body, c.want, s.Refunds())
			}
		})
	}
}

// How a refund reads, by every number and in every state, and a long list.
func TestV2RefundQuery(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.v2()
	s.placeV2(m, "order-back", shopURL)
	if r := m.call("/pay/refundquery", map[string]string{"out_trade_no": "order-back"}); r.code() != "REFUNDNOTEXIST" {
		t.Errorf("none yet: %s", r.body)
	}
	_ = s.PayQuietly("order-back")
	o, _ := s.Order("order-back")
	m.call(refundPathV2, with(refundV2("order-back", "r-0", 2), "refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"))
	one := func(status, successTime string) {
		t.Helper()
		refund, _ := s.Refund("r-0")
		want := map[string]string{
			"return_code": "SUCCESS", "return_msg": "OK", "result_code": "SUCCESS", "appid": o.AppID, "mch_id": o.MchID,
			"out_trade_no": "order-back", "transaction_id": o.TransactionID, "total_fee": "100", "cash_fee": "100", "fee_type": "CNY",
			"refund_count": "1", "out_refund_no_0": "r-0", "refund_id_0": refund.RefundID, "refund_fee_0": "2", "settlement_refund_fee_0": "2",
			"refund_channel_0": "ORIGINAL", "refund_status_0": status, "refund_account_0": "REFUND_SOURCE_RECHARGE_FUNDS",
			"refund_recv_accout_0": "支付用户零钱",
		}
		if successTime != "" {
			want["refund_success_time_0"] = successTime
		}
		for _, by := range [][]string{
			{"out_refund_no", "r-0"}, {"refund_id", refund.RefundID}, {"out_trade_no", "order-back"}, {"transaction_id", o.TransactionID},
		} {
			r := m.call("/pay/refundquery", with(nil, by...))
			got := maps.Clone(r.fields)
			delete(got, "nonce_str")
			delete(got, "sign")
			if !maps.Equal(got, want) {
				t.Errorf("%v: %v, want %v", by, got, want)
			}
		}
	}
	one("PROCESSING", "")
	s.Advance(5 * time.Second)
	one("SUCCESS", "2026-11-21 12:00:05")
	for status, want := range map[string]string{"ABNORMAL": "CHANGE", "CLOSED": "REFUNDCLOSE"} {
		_ = s.DecideRefund("", status)
		s.Advance(time.Minute)
		m.call(refundPathV2, refundV2("order-back", status, 1))
		s.Advance(time.Minute)
		if r := m.call("/pay/refundquery", map[string]string{"out_refund_no": status}); r.fields["refund_status_0"] != want {
			t.Errorf("%s: %s", status, r.body)
		}
	}
	for i := range 20 { // v3's are listed, too
		s.refund("order-back", fmt.Sprint("v3-", i), 1)
		s.Advance(time.Minute)
	}
	for _, c := range []struct{ offset, count, total, first string }{{"", "20", "", "r-0"}, {"20", "3", "23", "v3-17"}, {"0", "20", "23", "r-0"}} {
		r := m.call("/pay/refundquery", map[string]string{"out_trade_no": "order-back", "offset": c.offset})
		if r.fields["refund_count"] != c.count || r.fields["total_refund_count"] != c.total || r.fields["out_refund_no_0"] != c.first {
			t.Errorf("%+v: %s", c, r.body)
		}
	}
	for _, c := range []struct{ name, value, want string }{
		{"out_refund_no", "r-none", "REFUNDNOTEXIST"}, {"refund_id", "50", "REFUNDNOTEXIST"}, {"out_trade_no", "order-none", "REFUNDNOTEXIST"},
		{"transaction_id", "42", "INVALID_TRANSACTIONID"}, {"attach", "x", "PARAM_ERROR"},
	} {
		if r := m.call("/pay/refundquery", map[string]string{c.name: c.value}); r.code() != c.want {
			t.Errorf("%+v: %s", c, r.body)
		}
	}
	for offset, want := range map[string]string{"23": "REFUNDNOTEXIST", "-1": "PARAM_ERROR"} {
		if r := m.call("/pay/refundquery", map[string]string{"out_trade_no": "order-back", "offset": offset}); r.code() != want {
			t.Errorf("offset %s: %s", offset, r.body)
		}
	}
}

// Over TLS a refund wants the merchant's certificate, and nothing else does.
func TestV2RefundCertificate(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	server := httptest.NewUnstartedServer(s)
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	m := s.v2()
	m.base = server.URL
	other := newStage(t, wxsim.Config{Seed: 11})
	for _, c := range []struct {
		name   string
		shown  []tls.Certificate
		refund string
	}{
		{"none", nil, "FAIL 证书验证失败"},
		{"another serial", []tls.Certificate{s.m.certificate("3F")}, "FAIL 证书验证失败"},
		{"another key", []tls.Certificate{other.m.certificate(s.Account().SerialNo)}, "FAIL 证书验证失败"},
		{"the merchant's", []tls.Certificate{s.m.certificate(s.Account().SerialNo)}, "ORDERNOTEXIST"},
	} {
		trust := x509.NewCertPool()
		trust.AddCert(server.Certificate())
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, Certificates: c.shown}}
		t.Cleanup(transport.CloseIdleConnections)
		m.http = &http.Client{Transport: transport}
		if r := m.call(refundPathV2, refundV2("order-none", "r-1", 1)); r.code() != c.refund {
			t.Errorf("%s: %s, want %s", c.name, r.body, c.refund)
		}
		if r := m.call("/pay/orderquery", map[string]string{"out_trade_no": "order-none"}); r.code() != "ORDERNOTEXIST" {
			t.Errorf("%s: query %s", c.name, r.body)
		}
	}
}

// certificate makes one of the merchant's key with any serial number.
func (m *merchant) certificate(serial string) tls.Certificate {
	m.t.Helper()
	number, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		m.t.Fatalf("serial %q", serial)
	}
	template := &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: m.account.MchID},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(nil, template, template, m.key.Public(), m.key)
	if err != nil {
		m.t.Fatalf("certificate: %v", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: m.key}
}
