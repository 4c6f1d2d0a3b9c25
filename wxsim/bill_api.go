package wxsim

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// The paths of bills.
const (
	billApplyPath    = "/v3/bill/tradebill"
	billDownloadPath = "/v3/billdownload/file"
)

// billLife is how long a download_url is good for, in business time.
const billLife = 5 * time.Minute

// billFile is a bill that was applied for, as it goes over the wire.
type billFile struct {
	body        []byte
	contentType string
	until       time.Time
}

// billQuery is a checked application.
type billQuery struct {
	day  time.Time // a Beijing midnight
	kind string
	gzip bool
}

// applyBill is GET /v3/bill/tradebill.
func (s *Sim) applyBill(r *http.Request, _ []byte) (answer, *refusal) {
	q, refused := readBillQuery(r)
	if refused != nil {
		return answer{}, refused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	if refused := q.available(now); refused != nil {
		return answer{}, refused
	}
	rows := s.billRows(q.day, q.kind)
	if len(rows) == 0 {
		return answer{}, &refusedNoStatement
	}
	without := ""
	if struck(r) == "missing_column" {
		without = orderAmount
	}
	bill := writeBill(rows, q.kind, without)
	hashed := bill
	if struck(r) == "wrong_hash" {
		hashed = []byte("another bill")
	}
	sum := sha1.Sum(hashed)
	return ok(map[string]string{
		"hash_type":    "SHA1",
		"hash_value":   hex.EncodeToString(sum[:]),
		"download_url": s.base(r) + billDownloadPath + "?token=" + s.keepBill(bill, q.gzip, now),
	}), nil
}

// readBillQuery reads an application.
func readBillQuery(r *http.Request) (billQuery, *refusal) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return billQuery{}, refusedParameter.at("query", "", nil, "查询参数不合法")
	}
	q := billQuery{kind: values.Get("bill_type"), gzip: values.Get("tar_type") == "GZIP"}
	if q.kind == "" {
		q.kind = billAll
	}
	date := values.Get("bill_date")
	q.day, err = time.ParseInLocation(time.DateOnly, date, beijing)
	switch {
	case err != nil:
		return q, refusedParameter.at("query", "bill_date", date, "bill_date应为yyyy-MM-DD格式")
	case !slices.Contains([]string{billAll, billSuccess, billRefund}, q.kind):
		return q, refusedParameter.at("query", "bill_type", q.kind, "取值应为ALL、SUCCESS、REFUND之一")
	case values.Has("tar_type") && !q.gzip:
		return q, refusedParameter.at("query", "tar_type", values.Get("tar_type"), "取值应为GZIP")
	}
	return q, nil
}

// available says why there is no bill of a day now, or nil. Bills are made from
// nine o'clock on; ten is when they are promised, and the stricter is played.
func (q billQuery) available(now time.Time) *refusal {
	now = now.In(beijing)
	year, month, day := now.Date()
	today := time.Date(year, month, day, 0, 0, 0, 0, beijing)
	switch {
	case !q.day.Before(today):
		return refusedBillDate.at("query", "bill_date", q.day.Format(time.DateOnly), "只能下载今天之前的账单")
	case q.day.Before(today.AddDate(0, -3, 0)):
		return refusedBillDate.at("query", "bill_date", q.day.Format(time.DateOnly), "只能下载三个月以内的账单")
	case q.day.Equal(today.AddDate(0, 0, -1)) && now.Hour() < 10:
		return &refusedCreating
	}
	return nil
}

// keepBill makes a bill ready to be downloaded and returns its token. The
// caller holds mu.
func (s *Sim) keepBill(bill []byte, zip bool, now time.Time) string {
	for token, file := range s.bills {
		if !now.Before(file.until) {
			delete(s.bills, token)
		}
	}
	s.billsMade++
	token := s.keys.letters(fmt.Sprint("bill ", s.billsMade), alnum, 32)
	file := billFile{body: bill, contentType: "text/plain; charset=utf-8", until: now.Add(billLife)}
	if zip {
		file.body, file.contentType = gzipped(bill), "application/x-gzip"
	}
	s.bills[token] = file
	return token
}

// gzipped is a gzip file of some bytes.
func gzipped(plain []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(plain) // into memory
	_ = w.Close()
	return out.Bytes()
}

// downloadBill is GET /v3/billdownload/file. Its answer is a file and carries
// no signature.
func (s *Sim) downloadBill(r *http.Request, _ []byte) (answer, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, exists := s.bills[r.URL.Query().Get("token")]
	if !exists || !s.clock.now().Before(file.until) {
		return answer{}, &refusedBillToken
	}
	body := file.body
	if struck(r) == "truncated" {
		body = body[:len(body)/2]
	}
	return answer{status: http.StatusOK, body: body, contentType: file.contentType}, nil
}
