package wxsim

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The kinds of trade bill.
const (
	billAll     = "ALL"
	billSuccess = "SUCCESS"
	billRefund  = "REFUND"
)

// billRow is one line of a trade bill: a payment, or a refund of it as the
// refund stood when the bill was made.
type billRow struct {
	at      time.Time
	o       *order
	r       *refund    // nil: the payment
	then    refundStep // of the refund
	doneAt  string     // when the refund had succeeded by then
	paid    int64      // fen, 0 on a refund's line
	returns int64      // fen, 0 on a payment's line
	fee     int64      // fen, negative on a refund's line
}

// billMade is when the bill of a day is made; what it says about refunds is
// never changed after that (wire facts §8.3).
func billMade(day time.Time) time.Time { return day.Add((24 + 9) * time.Hour) }

// billRows lists what belongs into the bill of a day, a Beijing midnight:
// payments by success_time, refunds by acceptance. The caller holds mu.
func (s *Sim) billRows(day time.Time, kind string) []billRow {
	end := day.AddDate(0, 0, 1)
	within := func(t time.Time) bool { return !t.Before(day) && t.Before(end) }
	var rows []billRow
	for _, no := range s.placed {
		o := s.orders[no]
		if o.paid() && within(o.PaidAt) && kind != billRefund {
			rows = append(rows, billRow{at: o.PaidAt, o: o, paid: o.Total, fee: feeOf(o.Total)})
		}
		for _, r := range o.refunds {
			if within(r.CreatedAt) && kind != billSuccess {
				rows = append(rows, refundRow(o, r, billMade(day)))
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b billRow) int { return a.at.Compare(b.at) })
	return rows
}

// refundRow is a refund as it stood when the bill was made.
func refundRow(o *order, r *refund, made time.Time) billRow {
	row := billRow{at: r.CreatedAt, o: o, r: r, returns: r.Refund.Refund, fee: -feeOf(r.Refund.Refund)}
	for _, step := range r.history {
		if !step.at.After(made) {
			row.then = step
		}
	}
	if row.then.status == refundSuccess {
		row.doneAt = billTime(row.then.at)
	}
	return row
}

// feeOf is 0.60% in fen, rounded to the nearest: bills seen have no fee below
// a fen although they print five decimals.
func feeOf(fen int64) int64 { return fen/1000*6 + (fen%1000*6+500)/1000 }

// writeBill prints a trade bill (wire facts §8.4): a byte order mark, CRLF, no
// quoting, a backtick before every value. without leaves a column out.
func writeBill(rows []billRow, kind, without string) []byte {
	columns := slices.DeleteFunc(billColumns(), func(c billColumn) bool {
		return c.name == without || c.not == kind || c.only != "" && c.only != kind
	})
	var out bytes.Buffer
	out.WriteString("\uFEFF")
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	writeLine(&out, "", names)
	for _, row := range rows {
		values := make([]string, len(columns))
		for i, c := range columns {
			values[i] = c.value(row)
		}
		writeLine(&out, "`", values)
	}
	writeLine(&out, "", []string{"总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额", "申请退款总金额"})
	var paid, returns, fee int64
	for _, row := range rows {
		paid, returns, fee = paid+row.paid, returns+row.returns, fee+row.fee
	}
	writeLine(&out, "`", []string{fmt.Sprint(len(rows)), yuan(paid), yuan(returns), "0.00", feeText(fee), yuan(paid), yuan(returns)})
	return out.Bytes()
}

func writeLine(out *bytes.Buffer, before string, values []string) {
	for i, v := range values {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(before + v)
	}
	out.WriteString("\r\n")
}

// feeText prints fen as yuan with five decimals.
func feeText(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return sign + yuan(fen) + "000"
}

// billTime prints a time as bills do, in Beijing.
func billTime(t time.Time) string { return t.In(beijing).Format(time.DateTime) }

// billText is free text as bills hold it: nothing in it splits a line.
func billText(v string) string {
	return strings.NewReplacer(",", `\ `, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(v)
}
