package wxapi_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
)

// A bill of the shape of the published one (vector T18), values made up.
const (
	billHeader    = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
	billPayment   = "`2026-01-01 23:59:59,`wxd678efh567hg6787,`1230000109,`0,`,`4200002001202601010000000001,`20260101-A|*,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`JSAPI,`SUCCESS,`OTHERS,`CNY,`0.98,`0.03,`0,`0,`0.00,`0.00,`,`,`1个月会员\\ 含\\n直播,`a`b,`0.01000,`0.60%,`1.00,`0.00,`"
	billNative    = "`2026-01-01 00:00:00,`wxd678efh567hg6787,`1230000109,`0,`013467007045764,`4200002001202601010000000002,`20260101-B,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`NATIVE,`SUCCESS,`CMB_DEBIT,`CNY,`12.34,`0.00,`0,`0,`0.00,`0.00,`,`,`x,``y,`0.07000,`0.60%,`12.34,`0.00,`"
	billRefund    = "`2026-01-01 12:00:05,`wxd678efh567hg6787,`1230000109,`0,`,`4200002001202601010000000001,`20260101-A|*,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50000000382019052709732678859,`R20260101-A|*@,`0.58,`0.01,`ORIGINAL,`PROCESSING,`1个月会员,`,`-0.01000,`0.60%,`0.00,`0.60,`"
	billSumHeader = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
	billSums      = "`3.0,`13.32,`0.58,`0.01,`0.07,`13.34,`0.6"
)

func billOf(lines ...string) string { return "\ufeff" + strings.Join(lines, "\r\n") + "\r\n" }

func goodBill() string {
	return billOf(billHeader, billPayment, billNative, billRefund, billSumHeader, billSums)
}

var goodRows = []wxapi.BillRow{
	{
		TradeTime: time.Date(2026, 1, 1, 15, 59, 59, 0, time.UTC), AppID: "wxd678efh567hg6787", MchID: testMchID,
		TransactionID: "4200002001202601010000000001", OutTradeNo: testNo, OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		TradeType: "JSAPI", TradeState: wxapi.StateSuccess, BankType: "OTHERS", Currency: "CNY",
		OrderTotal: 100, SettlementTotal: 98, CouponTotal: 3,
		Description: `1个月会员\ 含\n直播`, Attach: "a`b", Fee: "0.01000", Rate: "0.60%",
	}, {
		TradeTime: time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC), AppID: "wxd678efh567hg6787", MchID: testMchID,
		DeviceID: "013467007045764", TransactionID: "4200002001202601010000000002", OutTradeNo: "20260101-B",
		OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", TradeType: "NATIVE", TradeState: wxapi.StateSuccess, BankType: "CMB_DEBIT",
		Currency: "CNY", OrderTotal: 1234, SettlementTotal: 1234, Description: "x", Attach: "`y", Fee: "0.07000", Rate: "0.60%",
	}, {
		TradeTime: time.Date(2026, 1, 1, 4, 0, 5, 0, time.UTC), AppID: "wxd678efh567hg6787", MchID: testMchID,
		TransactionID: "4200002001202601010000000001", OutTradeNo: testNo, OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
		TradeType: "JSAPI", TradeState: wxapi.StateRefund, BankType: "OTHERS", Currency: "CNY",
		RefundID: testRefundID, OutRefundNo: testRefundNo, RefundApplied: 60, Refund: 58, CouponRefund: 1,
		RefundType: "ORIGINAL", RefundStatus: "PROCESSING", Description: "1个月会员", Fee: "-0.01000", Rate: "0.60%",
	},
}

var goodSummary = wxapi.BillSummary{
	Count: 3, OrderTotal: 1334, SettlementTotal: 1332, RefundApplied: 60, Refund: 58, CouponRefund: 1, Fee: "0.07",
}

func TestParseTradeBill(t *testing.T) {
	t.Parallel()
	good := goodBill()
	for name, bill := range map[string]string{
		"as it comes":   good,
		"no BOM":        strings.TrimPrefix(good, "\ufeff"),
		"LF":            strings.ReplaceAll(good, "\r\n", "\n"),
		"no last break": strings.TrimSuffix(good, "\r\n"),
		"empty lines":   strings.ReplaceAll(good, "\r\n", "\r\n\r\n\n"),
		"backticks in both headers": strings.NewReplacer(billHeader, "`"+strings.ReplaceAll(billHeader, ",", ",`"),
			billSumHeader, "`"+strings.ReplaceAll(billSumHeader, ",", ",`")).Replace(good),
		"no backtick before money and states": strings.NewReplacer("`0.98", "0.98", "`SUCCESS", "SUCCESS", "`13.34", "13.34").Replace(good),
		"more zeros":                          strings.NewReplacer("`12.34,", "`0012.3400,", "`0.00", "`0", "`3.0,", "`3,").Replace(good),
		"a new column":                        strings.NewReplacer("费率备注", "费率备注,新", "0.00,`\r\n", "0.00,`,`x\r\n", "0.60,`\r\n", "0.60,`,`x\r\n").Replace(good),
		"columns that mean nothing gone":      strings.NewReplacer(",费率备注", "", "0.00,`\r\n", "0.00\r\n", "0.60,`\r\n", "0.60\r\n").Replace(good),
		"sums that mean nothing gone": strings.NewReplacer(
			billSumHeader+"\r\n"+billSums, "总交易单数,手续费总金额,新\r\n`3,`0.07,`x").Replace(good),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := wxapi.ParseTradeBill(iotest.OneByteReader(strings.NewReader(bill)))
			if err != nil || !reflect.DeepEqual(got.Rows, goodRows) || got.Summary != goodSummary {
				t.Errorf("%v\n got %+v\nwant %+v", err, got, wxapi.Bill{Rows: goodRows, Summary: goodSummary})
			}
		})
	}
}

// TestOtherBills is the other types of bills, and those of merchants who never
// changed to the present form.
func TestOtherBills(t *testing.T) {
	t.Parallel()
	pay := wxapi.BillRow{
		TradeTime: goodRows[0].TradeTime, TransactionID: "42", OutTradeNo: "A", TradeState: wxapi.StateSuccess,
	}
	refund := pay
	refund.TradeState, refund.RefundID, refund.OutRefundNo, refund.RefundStatus = wxapi.StateRefund, "50", "0", "CHANGE"
	const order = "交易时间,微信订单号,商户订单号,交易状态"
	const payment, refunded = "`2026-01-01 23:59:59,`42,`A,`SUCCESS", "`2026-01-01 23:59:59,`42,`A,`REFUND"
	with := func(row wxapi.BillRow, edit func(*wxapi.BillRow)) []wxapi.BillRow {
		edit(&row)
		return []wxapi.BillRow{row}
	}
	for _, tt := range []struct {
		name, bill string
		rows       []wxapi.BillRow
		sums       wxapi.BillSummary
	}{
		{"no rows", billOf(billHeader, billSumHeader, "`0,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00"), nil, wxapi.BillSummary{Fee: "0.00"}},
		{"SUCCESS: no refunds", billOf(order+",应结订单金额,订单金额", payment+",`0.90,`1.00", "总交易单数,应结订单总金额,手续费总金额,订单总金额", "`1,`0.90,`0.00,`1.00"),
			with(pay, func(r *wxapi.BillRow) { r.OrderTotal, r.SettlementTotal = 100, 90 }),
			wxapi.BillSummary{Count: 1, OrderTotal: 100, SettlementTotal: 90, Fee: "0.00"}},
		{"REFUND: two times more, one not yet", billOf(order+",退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款状态,退款金额,申请退款金额,订单金额",
			refunded+",`2026-01-01 08:00:00,`,`50,`0,`CHANGE,`0.50,`0.60,`0.00", "总交易单数,退款总金额,申请退款总金额", "`1,`0.50,`0.60"),
			with(refund, func(r *wxapi.BillRow) {
				r.RefundAppliedAt, r.Refund, r.RefundApplied = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 50, 60
			}),
			wxapi.BillSummary{Count: 1, Refund: 50, RefundApplied: 60}},
		{"old form", billOf(order+",总金额,企业红包金额,子商户号", payment+",`1.00,`0.10,`1230000110", "总交易单数,总交易额,总退款金额,总企业红包退款金额,手续费总金额", "`1,`1.00,`0.00,`0.00,`0.00000"),
			with(pay, func(r *wxapi.BillRow) {
				r.OrderTotal, r.SettlementTotal, r.CouponTotal, r.SubMchID = 100, 100, 10, "1230000110"
			}),
			wxapi.BillSummary{Count: 1, OrderTotal: 100, SettlementTotal: 100, Fee: "0.00000"}},
		{"old form, a refund", billOf(order+",总金额,微信退款单号,商户退款单号,退款金额,代金券或立减优惠退款金额,退款状态", refunded+",`0.0,`50,`0,`0.60,`0.1,`CHANGE",
			"总交易单数,总交易额,总退款金额,总代金券或立减优惠退款金额,手续费总金额", "`1,`0.0,`0.60,`0.1,`0"),
			with(refund, func(r *wxapi.BillRow) { r.Refund, r.RefundApplied, r.CouponRefund = 60, 60, 10 }),
			wxapi.BillSummary{Count: 1, Refund: 60, RefundApplied: 60, CouponRefund: 10, Fee: "0"}},
		{"code pay took it back", billOf(order+",订单金额,微信退款单号,商户退款单号", strings.Replace(payment, "SUCCESS", "REVOKED", 1)+",`1.00,`0,`R5", "总交易单数", "`1"),
			with(pay, func(r *wxapi.BillRow) { r.TradeState, r.OrderTotal, r.OutRefundNo = "REVOKED", 100, "R5" }), wxapi.BillSummary{Count: 1, OrderTotal: 100}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := wxapi.ParseTradeBill(strings.NewReader(tt.bill))
			if err != nil || !reflect.DeepEqual(got.Rows, tt.rows) || got.Summary != tt.sums {
				t.Errorf("%v\n got %+v\nwant %+v %+v", err, got, tt.rows, tt.sums)
			}
		})
	}
}

// replace changes one thing in the good bill, and fails when there is no such thing.
func replace(t *testing.T, was, is string) string {
	t.Helper()
	good := goodBill()
	if !strings.Contains(good, was) {
		t.Fatalf("no %q in the bill", was)
	}
	return strings.Replace(good, was, is, 1)
}

func TestParseTradeBillRefuses(t *testing.T) {
	t.Parallel()
	without := func(column string) string { return strings.Replace(goodBill(), column, "没有", 1) }
	for _, tt := range []struct{ name, bill, text string }{
		{"nothing", "", "line 1: it is empty"},
		{"empty lines", "\r\n\r\n", "it is empty"},
		{"a refusal", `{"code":"SYSTEM_ERROR"}`, "the column 交易时间 is missing"},
		{"a page", "<html>\n</html>\n", "the column 交易时间 is missing"},
		{"no time", without("交易时间"), "line 1: the column 交易时间 is missing"},
		{"no transaction id", without("微信订单号"), "the column 微信订单号 is missing"},
		{"no order number", without("商户订单号"), "the column 商户订单号 is missing"},
		{"no state", without("交易状态"), "the column 交易状态 is missing"},
		{"no price", strings.ReplaceAll(goodBill(), "订单金额", "没有"), "the column 订单金额 or 总金额 is missing"},
		{"no price, but what is settled", strings.Replace(goodBill(), ",订单金额", ",没有", 1), "the column 订单金额 or 总金额 is missing"},
		{"no refund asked for, but what is settled", without("申请退款金额"), "line 4: the column 申请退款金额 is missing"},
		{"no refund id", without("微信退款单号"), "line 4: the column 微信退款单号 is missing"},
		{"no refund number", without("商户退款单号"), "line 4: the column 商户退款单号 is missing"},
		{"no refund status", without("退款状态"), "line 4: the column 退款状态 is missing"},
		{"no refund amount", strings.ReplaceAll(goodBill(), "退款金额", "没有"), "line 4: the column 申请退款金额 is missing"},
		{"a column twice", replace(t, "公众账号ID", "商户号"), "the column 商户号 is there twice"},
		{"a column by both its names", replace(t, "公众账号ID", "总金额"), "the column 应结订单金额 is there twice"},

		{"a comma too many", replace(t, "1个月会员\\ 含", "1个月会员, 含"), "line 2: 28 cells under 27 columns"},
		{"a cell too few", replace(t, ",`CMB_DEBIT", ""), "line 3: 26 cells under 27 columns"},
		{"cut in a row", goodBill()[:1000], "cells under 27 columns"},
		{"a line of 10 MiB", replace(t, "1个月会员", strings.Repeat("a", 10<<20)), "line 2: it is longer than 64 KiB"},
		{"a header of 10 MiB", strings.Repeat("a", 10<<20), "line 1: it is longer than 64 KiB"},
		{"two backticks before money", replace(t, "`0.98", "``0.98"), "line 2: 应结订单金额: not a number"},
		{"two backticks before the time", replace(t, "`2026-01-01 23", "``2026-01-01 23"), "line 2: 交易时间: not a time"},
		{"a backtick before a backtick in the header", "`" + strings.Replace(billOf("`"+billHeader, billSumHeader, billSums), "\ufeff", "", 1), "the column 交易时间 is missing"},

		{"no such day", replace(t, "2026-01-01 23:59:59", "2026-02-30 23:59:59"), "line 2: 交易时间: not a time"},
		{"hour of one digit", replace(t, " 23:59:59", " 3:59:59"), "line 2: 交易时间: not a time"},
		{"half a second", replace(t, ":59:59", ":59:59.5"), "line 2: 交易时间: not a time"},
		{"no time of day", replace(t, " 23:59:59", ""), "line 2: 交易时间: not a time"},
		{"with a zone", replace(t, "2026-01-01 23:59:59", "2026-01-01T23:59:59+08:00"), "line 2: 交易时间: not a time"},
		{"no time at all", replace(t, "`2026-01-01 23:59:59", "`"), "line 2: 交易时间: not a time"},
		{"no money", replace(t, "`0.98", "`"), "line 2: 应结订单金额: not a number"},
		{"a third of a fen", replace(t, "`0.98", "`0.983"), "line 2: 应结订单金额: too many decimals"},
		{"negative", replace(t, "`0.98", "`-0.98"), "line 2: 应结订单金额: not a number"},
		{"exponent", replace(t, "`0.98", "`1e2"), "line 2: 应结订单金额: not a number"},
		{"more than there is", replace(t, "`0.98", "`92233720368547758.08"), "line 2: 应结订单金额: too much"},
		{"more than there is together", replace(t, "`0.98", "`92233720368547758.07"), "line 3: 应结订单金额: too much"},
		{"empty transaction id", replace(t, "`4200002001202601010000000002", "`"), "line 3: 微信订单号 is empty"},
		{"empty order number", replace(t, "`20260101-B", "`"), "line 3: 商户订单号 is empty"},
		{"empty state", replace(t, "`SUCCESS", "`"), "line 2: 交易状态 is empty"},
		{"refund without id", replace(t, "`"+testRefundID, "`"), "line 4: 微信退款单号 is empty"},
		{"refund with id 0", replace(t, "`"+testRefundID, "`0"), "line 4: 微信退款单号 is empty"},
		{"refund without number", replace(t, "`"+testRefundNo, "`"), "line 4: 商户退款单号 is empty"},
		{"refund without status", replace(t, "`PROCESSING", "`"), "line 4: 退款状态 is empty"},

		{"no summary", billOf(billHeader, billPayment), "line 3: it ends without a summary"},
		{"half a summary", billOf(billHeader, billPayment, billSumHeader), "the summary has no values"},
		{"summary and more", goodBill() + billPayment, "line 7: something follows the summary"},
		{"two summaries", goodBill() + billSumHeader + "\r\n" + billSums, "something follows the summary"},
		{"summary cut", strings.TrimSuffix(goodBill(), ",`0.6\r\n"), "6 values under 7 names"},
		{"a row too few", billOf(billHeader, billPayment, billNative, billSumHeader, billSums), "line 5: the summary counts 3 rows, there are 2"},
		{"a row too many", billOf(billHeader, billPayment, billPayment, billNative, billRefund, billSumHeader, billSums), "the summary counts 3 rows, there are 4"},
		{"half a row", replace(t, "`3.0", "`3.5"), "总交易单数: too many decimals"},
		{"no count", replace(t, "`3.0", "`"), "总交易单数: not a number"},
		{"prices differ", replace(t, "`13.34", "`13.35"), "订单总金额 is 1335 fen, the rows have 1334"},
		{"settlement differs", replace(t, "`13.32", "`13.34"), "应结订单总金额 is 1334 fen, the rows have 1332"},
		{"refunds differ", replace(t, "`0.58,`0.01,`0.07", "`0.60,`0.01,`0.07"), "退款总金额 is 60 fen, the rows have 58"},
		{"coupons differ", replace(t, "`0.58,`0.01,`0.07", "`0.58,`0.00,`0.07"), "充值券退款总金额 is 0 fen, the rows have 1"},
		{"applications differ", replace(t, "`0.6\r\n", "`0.06\r\n"), "申请退款总金额 is 6 fen, the rows have 60"},
		{"a sum that is no number", replace(t, "`13.34", "`many"), "订单总金额: not a number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := wxapi.ParseTradeBill(strings.NewReader(tt.bill))
			want{is: wxapi.ErrBillDamaged}.check(t, err)
			if !strings.Contains(fmt.Sprint(err), tt.text) || !reflect.DeepEqual(got, wxapi.Bill{}) {
				t.Errorf("%+v, %v, want %q", got, err, tt.text)
			}
			if leaks(err) || strings.Contains(err.Error(), "oUpF8") || len(err.Error()) > 200 {
				t.Errorf("the error tells too much: %.500v", err)
			}
		})
	}
}

// TestParseTradeBillFailing: a disk that fails says nothing of the bill.
func TestParseTradeBillFailing(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, cut := range []int{0, 10, len(billHeader) + 20, len(goodBill()) - 20, len(goodBill())} {
		got, err := wxapi.ParseTradeBill(iotest.TimeoutReader(iotest.DataErrReader(&failingAt{text: goodBill()[:cut], err: boom})))
		if !errors.Is(err, boom) && !errors.Is(err, iotest.ErrTimeout) || errors.Is(err, wxapi.ErrBillDamaged) || got.Rows != nil {
			t.Errorf("after %d bytes: %+v, %v", cut, got, err)
		}
	}
}

type failingAt struct {
	text string
	err  error
}

func (f *failingAt) Read(p []byte) (int, error) {
	n := copy(p, f.text)
	if f.text = f.text[n:]; n == 0 {
		return 0, f.err
	}
	return n, nil
}

// TestPublishedBill reads tests/fixtures/bill.ALL.csv of
// wechatpay-apiv3/wechatpay-php, which is not kept here: put its path into
// WXPAY_PUBLISHED_BILL.
func TestPublishedBill(t *testing.T) {
	t.Parallel()
	path := os.Getenv("WXPAY_PUBLISHED_BILL")
	if path == "" {
		t.Skip("WXPAY_PUBLISHED_BILL is not set")
	}
	content, err := os.ReadFile(path)
	must(t, err)
	if sum := sha1.Sum(content); hex.EncodeToString(sum[:]) != "9bb6cd819be348f17a9cbcedddc8eb62fefbd790" {
		t.Fatalf("another file: %x", sum)
	}
	got, err := wxapi.ParseTradeBill(bytes.NewReader(content))
	must(t, err)
	want := wxapi.BillSummary{Count: 45, OrderTotal: 47, SettlementTotal: 47, RefundApplied: 14, Refund: 14, Fee: "0.08"}
	if len(got.Rows) != 45 || got.Summary != want {
		t.Errorf("%d rows, %+v", len(got.Rows), got.Summary)
	}
	states := map[string]int{}
	for _, row := range got.Rows {
		states[row.TradeType+" "+row.TradeState]++
	}
	if fmt.Sprint(states) != "map[JSAPI REFUND:14 JSAPI SUCCESS:23 NATIVE SUCCESS:8]" {
		t.Error(states)
	}
}

var yuanForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

func TestDecimal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text   string
		places int
		want   int64
		err    string
	}{
		{"0", 2, 0, ""}, {"0.0", 2, 0, ""}, {"0.01", 2, 1, ""}, {"0.1", 2, 10, ""}, {"1", 2, 100, ""},
		{"12.34", 2, 1234, ""}, {"12.34000", 2, 1234, ""}, {"0012.34", 2, 1234, ""}, {"0.00000", 2, 0, ""},
		{"92233720368547758.07", 2, math.MaxInt64, ""}, {"92233720368547758.08", 2, 0, "too much"},
		{"9223372036854775807", 0, math.MaxInt64, ""}, {"45.0", 0, 45, ""}, {"45.5", 0, 0, "too many decimals"},
		{"0.001", 2, 0, "too many decimals"}, {"0.0100000001", 2, 0, "too many decimals"},
		{"", 2, 0, "not a number"}, {".", 2, 0, "not a number"}, {".5", 2, 0, "not a number"}, {"5.", 2, 0, "not a number"},
		{"-1", 2, 0, "not a number"}, {"+1", 2, 0, "not a number"}, {" 1", 2, 0, "not a number"}, {"1 ", 2, 0, "not a number"},
		{"1e2", 2, 0, "not a number"}, {"0x10", 2, 0, "not a number"}, {"1_0", 2, 0, "not a number"}, {"1.2.3", 2, 0, "not a number"},
		{"１", 2, 0, "not a number"}, {"1.٢", 2, 0, "not a number"}, {"NaN", 2, 0, "not a number"}, {"1.00元", 2, 0, "not a number"},
		{strings.Repeat("9", 60000), 2, 0, "too much"}, {strings.Repeat("0", 60000) + "1", 2, 100, ""},
	} {
		got, err := wxapi.Decimal(tt.text, tt.places)
		if got != tt.want || tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
			t.Errorf("%.30q: %d, %v, want %d %q", tt.text, got, err, tt.want, tt.err)
		}
	}
}

// FuzzYuan holds yuan as fen against fractions of any length.
func FuzzYuan(f *testing.F) {
	for _, text := range []string{"0", "0.01", "1.1", "0.1", "19.99", "0.29", "1.005", "92233720368547758.07", "92233720368547758.08", "-1", "1e2", "5.", ".5", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := wxapi.Decimal(text, 2)
		if !yuanForm.MatchString(text) {
			if err == nil || got != 0 {
				t.Errorf("%q is taken for %d", text, got)
			}
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Skip("too long for math/big")
		}
		fen := exact.Mul(exact, big.NewRat(100, 1))
		if fits := fen.IsInt() && fen.Num().IsInt64(); fits != (err == nil) || fits && fen.Num().Int64() != got || !fits && got != 0 {
			t.Errorf("%q: %d, %v, exactly %s fen", text, got, err, fen.RatString())
		}
	})
}

// FuzzParseTradeBill: what is taken is a bill whose rows add up, however it
// arrives; what is not leaves nothing.
func FuzzParseTradeBill(f *testing.F) {
	parsed := 0
	for _, bill := range seeds(f, "bills") {
		f.Add(bill)
		if _, err := wxapi.ParseTradeBill(bytes.NewReader(bill)); err == nil {
			parsed++
		}
	}
	if parsed != 4 {
		f.Fatalf("%d seeds can be parsed, want 4", parsed)
	}
	f.Fuzz(func(t *testing.T, bill []byte) {
		got, err := wxapi.ParseTradeBill(bytes.NewReader(bill))
		slow, slowErr := wxapi.ParseTradeBill(iotest.HalfReader(bytes.NewReader(bill)))
		if !reflect.DeepEqual(got, slow) || fmt.Sprint(err) != fmt.Sprint(slowErr) {
			t.Errorf("it depends on how the bytes arrive: %v, %v", err, slowErr)
		}
		if err != nil {
			if !errors.Is(err, wxapi.ErrBillDamaged) || !reflect.DeepEqual(got, wxapi.Bill{}) {
				t.Errorf("%+v, %v", got, err)
			}
			return
		}
		sums := wxapi.BillSummary{Count: int64(len(got.Rows)), Fee: got.Summary.Fee}
		for _, row := range got.Rows {
			checkRow(t, bill, row)
			sums.OrderTotal += row.OrderTotal
			sums.SettlementTotal += row.SettlementTotal
			sums.RefundApplied += row.RefundApplied
			sums.Refund += row.Refund
			sums.CouponRefund += row.CouponRefund
		}
		if sums != got.Summary {
			t.Errorf("the rows add up to %+v, the summary is %+v", sums, got.Summary)
		}
		if int64(bytes.Count(bill, []byte("\n"))) < sums.Count {
			t.Errorf("more rows than lines: %d", sums.Count)
		}
	})
}

func checkRow(t *testing.T, bill []byte, row wxapi.BillRow) {
	t.Helper()
	if row.TransactionID == "" || row.OutTradeNo == "" || row.TradeState == "" || row.TradeTime.Location() != time.UTC {
		t.Errorf("incomplete: %+v", row)
	}
	beijing := row.TradeTime.In(time.FixedZone("", 8*60*60)).Format("2006-01-02 15:04:05")
	if !bytes.Contains(bill, []byte(row.OutTradeNo)) || !bytes.Contains(bill, []byte(beijing)) {
		t.Errorf("not the bill's: %+v", row)
	}
	if row.TradeState == wxapi.StateRefund && (row.RefundID == "" || row.OutRefundNo == "" || row.RefundStatus == "") {
		t.Errorf("incomplete refund: %+v", row)
	}
	if min(row.OrderTotal, row.SettlementTotal, row.CouponTotal, row.RefundApplied, row.Refund, row.CouponRefund) < 0 {
		t.Errorf("negative: %+v", row)
	}
}
