package wxapi

import (
	"errors"
	"math"
	"strings"
	"time"
)

// billColumn says where the cells of a column go. Exactly one of text, time and
// money is set.
type billColumn struct {
	names  []string // of today first, then as bills of an old form have it
	text   func(*BillRow) *string
	time   func(*BillRow) *time.Time
	money  func(*BillRow) *int64
	totals []string // the names of its sum in the summary
	sum    func(*BillSummary) *int64
}

// billColumns are all columns that mean something here.
// Source: 交易账单详细说明, and 下载对账单 of API v2 for the old names.
func billColumns() []billColumn {
	text := func(field func(*BillRow) *string, names ...string) billColumn {
		return billColumn{names: names, text: field}
	}
	return []billColumn{
		{names: []string{"交易时间"}, time: func(r *BillRow) *time.Time { return &r.TradeTime }},
		{names: []string{"退款申请时间"}, time: func(r *BillRow) *time.Time { return &r.RefundAppliedAt }},
		{names: []string{"退款成功时间"}, time: func(r *BillRow) *time.Time { return &r.RefundedAt }},
		text(func(r *BillRow) *string { return &r.AppID }, "公众账号ID"),
		text(func(r *BillRow) *string { return &r.MchID }, "商户号"),
		text(func(r *BillRow) *string { return &r.SubMchID }, "特约商户号", "子商户号"),
		text(func(r *BillRow) *string { return &r.DeviceID }, "设备号"),
		text(func(r *BillRow) *string { return &r.TransactionID }, "微信订单号"),
		text(func(r *BillRow) *string { return &r.OutTradeNo }, "商户订单号"),
		text(func(r *BillRow) *string { return &r.OpenID }, "用户标识"),
		text(func(r *BillRow) *string { return &r.TradeType }, "交易类型"),
		text(func(r *BillRow) *string { return &r.TradeState }, "交易状态"),
		text(func(r *BillRow) *string { return &r.BankType }, "付款银行"),
		text(func(r *BillRow) *string { return &r.Currency }, "货币种类"),
		text(func(r *BillRow) *string { return &r.RefundID }, "微信退款单号"),
		text(func(r *BillRow) *string { return &r.OutRefundNo }, "商户退款单号"),
		text(func(r *BillRow) *string { return &r.RefundType }, "退款类型"),
		text(func(r *BillRow) *string { return &r.RefundStatus }, "退款状态"),
		text(func(r *BillRow) *string { return &r.Description }, "商品名称"),
		text(func(r *BillRow) *string { return &r.Attach }, "商户数据包"),
		text(func(r *BillRow) *string { return &r.Fee }, "手续费"),
		text(func(r *BillRow) *string { return &r.Rate }, "费率"),
		{
			names: []string{"订单金额"}, money: func(r *BillRow) *int64 { return &r.OrderTotal },
			totals: []string{"订单总金额"}, sum: func(s *BillSummary) *int64 { return &s.OrderTotal },
		}, {
			names: []string{"应结订单金额", "总金额"}, money: func(r *BillRow) *int64 { return &r.SettlementTotal },
			totals: []string{"应结订单总金额", "总交易额"}, sum: func(s *BillSummary) *int64 { return &s.SettlementTotal },
		}, {
			names: []string{"代金券金额", "企业红包金额", "代金券或立减优惠金额"}, money: func(r *BillRow) *int64 { return &r.CouponTotal },
		}, {
			names: []string{"申请退款金额"}, money: func(r *BillRow) *int64 { return &r.RefundApplied },
			totals: []string{"申请退款总金额"}, sum: func(s *BillSummary) *int64 { return &s.RefundApplied },
		}, {
			names: []string{"退款金额"}, money: func(r *BillRow) *int64 { return &r.Refund },
			totals: []string{"退款总金额", "总退款金额"}, sum: func(s *BillSummary) *int64 { return &s.Refund },
		}, {
			names:  []string{"充值券退款金额", "企业红包退款金额", "代金券或立减优惠退款金额"},
			money:  func(r *BillRow) *int64 { return &r.CouponRefund },
			totals: []string{"充值券退款总金额", "总企业红包退款金额", "总代金券或立减优惠退款金额"},
			sum:    func(s *BillSummary) *int64 { return &s.CouponRefund },
		},
	}
}

func (c billColumn) read(row *BillRow, cell string, zone *time.Location) (err error) {
	switch {
	case c.text != nil:
		*c.text(row) = cell
	case c.money != nil:
		*c.money(row), err = decimal(cell, 2)
	case c.time != nil && (cell != "" || c.names[0] == "交易时间"): // a refund under way has no end
		at, parseErr := time.ParseInLocation(time.DateTime, cell, zone)
		if parseErr != nil || at.Format(time.DateTime) != cell { // fractions, hours of one digit
			return damaged(c.names[0] + ": not a time")
		}
		*c.time(row) = at.UTC()
	}
	if err != nil {
		return inColumn(c.names[0], err)
	}
	return nil
}

// add sums up, as the column stands there.
func (c billColumn) add(sums *BillSummary, row *BillRow) error {
	if c.sum == nil {
		return nil
	}
	sum, fen := c.sum(sums), *c.money(row)
	if *sum > math.MaxInt64-fen {
		return inColumn(c.names[0], errTooMuch)
	}
	*sum += fen
	return nil
}

var (
	errNoNumber = errors.New("not a number")
	errDecimals = errors.New("too many decimals")
	errTooMuch  = errors.New("too much")
)

// decimal reads yuan as fen with places 2, and counts with places 0: digits,
// perhaps a point and more digits, of which those beyond places must be zeros.
// No sign, and never a float.
func decimal(s string, places int) (int64, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" {
		return 0, errNoNumber
	}
	for _, b := range []byte(whole + fraction) {
		if b < '0' || b > '9' {
			return 0, errNoNumber
		}
	}
	if len(fraction) > places {
		if strings.Trim(fraction[places:], "0") != "" {
			return 0, errDecimals
		}
		fraction = fraction[:places]
	}
	var n int64
	for _, b := range []byte(whole + fraction + strings.Repeat("0", places-len(fraction))) {
		digit := int64(b - '0')
		if n > (math.MaxInt64-digit)/10 {
			return 0, errTooMuch
		}
		n = n*10 + digit
	}
	return n, nil
}
