package wxapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"
)

// maxBillLine is the longest line of a bill, in bytes. A row has about 400, and
// its texts are limited to some hundred each.
const maxBillLine = 64 << 10

// billReader reads a bill row by row. What it gave counts only once it came to
// the end without an error.
type billReader struct {
	input   *bufio.Reader
	line    int
	zone    *time.Location
	columns []billColumn // one for each cell; those nobody reads have no names
	have    map[string]bool
	sums    BillSummary // of the rows so far
	summary BillSummary // at the end
}

func newBillReader(r io.Reader) *billReader {
	return &billReader{input: bufio.NewReaderSize(r, maxBillLine), zone: beijing(), have: map[string]bool{}}
}

// rows ends with the summary, or with an error.
func (r *billReader) rows() iter.Seq2[BillRow, error] {
	return func(yield func(BillRow, error) bool) {
		for {
			row, err := r.next()
			switch {
			case err == io.EOF:
				return
			case err != nil:
				yield(BillRow{}, r.at(err))
				return
			case !yield(row, nil):
				return
			}
		}
	}
}

// damaged is a fault of the bill, as opposed to one of reading it.
type damaged string

func (d damaged) Error() string { return string(d) }

// at says where a fault is. Errors of the reader are passed on as they are.
func (r *billReader) at(err error) error {
	var fault damaged
	if !errors.As(err, &fault) {
		return fmt.Errorf("bill: %w", err)
	}
	return fmt.Errorf("bill: %w: line %d: %w", ErrBillDamaged, r.line, err)
}

// next is io.EOF behind a summary that agrees with the rows.
func (r *billReader) next() (BillRow, error) {
	if r.columns == nil {
		if err := r.readHeader(); err != nil {
			return BillRow{}, err
		}
	}
	line, err := r.readLine()
	switch {
	case err == io.EOF:
		return BillRow{}, damaged("it ends without a summary")
	case err != nil:
		return BillRow{}, err
	}
	cells := strings.Split(line, ",")
	if value(cells[0]) == "总交易单数" {
		if err := r.readSummary(cells); err != nil {
			return BillRow{}, err
		}
		return BillRow{}, io.EOF
	}
	return r.readRow(cells)
}

// readLine skips empty lines and cuts the line break off, CRLF or LF.
func (r *billReader) readLine() (string, error) {
	for {
		line, err := r.input.ReadSlice('\n')
		r.line++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return "", damaged("it is longer than 64 KiB")
		case err != nil && (err != io.EOF || len(line) == 0):
			return "", err
		}
		text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
		if text != "" {
			return text, nil
		}
	}
}

// value takes the one backtick off that keeps spreadsheets from reading numbers.
// There is no other quoting: WeChat Pay replaces commas and line breaks.
func value(cell string) string { return strings.TrimPrefix(cell, "`") }

// readHeader finds out what each column is. Order and number differ by type of
// bill, and merchants who never changed still get bills of an old form.
func (r *billReader) readHeader() error {
	line, err := r.readLine()
	if err == io.EOF {
		return damaged("it is empty")
	} else if err != nil {
		return err
	}
	known := map[string]billColumn{}
	for _, column := range billColumns() {
		for _, name := range column.names {
			known[name] = column
		}
	}
	var columns []billColumn
	for cell := range strings.SplitSeq(strings.TrimPrefix(line, "\ufeff"), ",") {
		column := known[value(cell)]
		r.have[oldTotal] = r.have[oldTotal] || value(cell) == oldTotal
		if len(column.names) > 0 {
			if r.have[column.names[0]] {
				return damaged("the column " + column.names[0] + " is there twice")
			}
			r.have[column.names[0]] = true
		}
		columns = append(columns, column)
	}
	r.columns = columns
	return r.need("交易时间", "微信订单号", "商户订单号", "交易状态", "订单金额|"+oldTotal)
}

// oldTotal is what bills of an old form call the only amount of a payment they
// have. One that has 应结订单金额 and no 订单金额 is of no form: what WeChat Pay
// settles is not what was asked for.
const oldTotal = "总金额"

// need names the first column that is missing. One of those with | between
// them is enough.
func (r *billReader) need(names ...string) error {
	for _, alternatives := range names {
		found := false
		for name := range strings.SplitSeq(alternatives, "|") {
			found = found || r.have[name]
		}
		if !found {
			return damaged("the column " + strings.ReplaceAll(alternatives, "|", " or ") + " is missing")
		}
	}
	return nil
}

func (r *billReader) readRow(cells []string) (BillRow, error) {
	if len(cells) != len(r.columns) {
		return BillRow{}, damaged(fmt.Sprintf("%d cells under %d columns", len(cells), len(r.columns)))
	}
	var row BillRow
	for i, column := range r.columns {
		if err := column.read(&row, value(cells[i]), r.zone); err != nil {
			return BillRow{}, err
		}
		if err := column.add(&r.sums, &row); err != nil {
			return BillRow{}, err
		}
	}
	r.sums.Count++
	return row, r.complete(&row)
}

// complete checks what every row has, and evens out the forms of bills.
func (r *billReader) complete(row *BillRow) error {
	if row.SubMchID == "0" {
		row.SubMchID = ""
	}
	if row.RefundID == "0" { // none; of a merchant's own number 0 is a good one
		row.RefundID = ""
		if row.OutRefundNo == "0" {
			row.OutRefundNo = ""
		}
	}
	if !r.have["订单金额"] {
		row.OrderTotal = row.SettlementTotal
	}
	if !r.have["申请退款金额"] {
		row.RefundApplied = row.Refund
	}
	required := []namedText{{"微信订单号", row.TransactionID}, {"商户订单号", row.OutTradeNo}, {"交易状态", row.TradeState}}
	if row.TradeState == StateRefund {
		applied := "申请退款金额"
		if r.have[oldTotal] {
			applied += "|退款金额"
		}
		if err := r.need("微信退款单号", "商户退款单号", "退款状态", applied); err != nil {
			return err
		}
		required = append(required, namedText{"微信退款单号", row.RefundID},
			namedText{"商户退款单号", row.OutRefundNo}, namedText{"退款状态", row.RefundStatus})
	}
	for _, field := range required {
		if field.value == "" {
			return damaged(field.name + " is empty")
		}
	}
	return nil
}

// readSummary holds the last two lines against the rows.
func (r *billReader) readSummary(names []string) error {
	line, err := r.readLine()
	if err == io.EOF {
		return damaged("the summary has no values")
	} else if err != nil {
		return err
	}
	cells := strings.Split(line, ",")
	if len(cells) != len(names) {
		return damaged(fmt.Sprintf("%d values under %d names of the summary", len(cells), len(names)))
	}
	r.summary = r.sums
	if !r.have["订单金额"] {
		r.summary.OrderTotal = r.sums.SettlementTotal
	}
	if !r.have["申请退款金额"] {
		r.summary.RefundApplied = r.sums.Refund
	}
	for i, name := range names {
		if err := r.readTotal(value(name), value(cells[i])); err != nil {
			return err
		}
	}
	if _, err := r.readLine(); err == nil {
		return damaged("something follows the summary")
	} else if err != io.EOF {
		return err
	}
	return nil
}

// readTotal holds one number of the summary against the rows.
func (r *billReader) readTotal(name, text string) error {
	switch name {
	case "总交易单数":
		count, err := decimal(text, 0) // written 45.0 at times
		if err == nil && count != r.sums.Count {
			return damaged(fmt.Sprintf("the summary counts %d rows, there are %d", count, r.sums.Count))
		}
		return inColumn(name, err)
	case "手续费总金额":
		r.summary.Fee = text // rounded, nobody says how: not compared
		return nil
	}
	for _, column := range billColumns() {
		if !slices.Contains(column.totals, name) || !r.have[column.names[0]] {
			continue
		}
		sum, err := decimal(text, 2)
		if rows := *column.sum(&r.sums); err == nil && rows != sum {
			return damaged(fmt.Sprintf("%s is %d fen, the rows have %d", name, sum, rows))
		}
		return inColumn(name, err)
	}
	return nil
}

func inColumn(name string, err error) error {
	if err == nil {
		return nil
	}
	return damaged(name + ": " + err.Error())
}
