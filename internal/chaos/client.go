package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// front is where customers and the admin stand: in front of some shop.
type front struct {
	fleet  *fleet
	client *http.Client
	diary  *diary
	counts *counter
	// disaster is that servers of the database may be gone.
	disaster bool
}

func newFront(f *fleet, d *diary, c *counter) *front {
	return &front{fleet: f, diary: d, counts: c, client: &http.Client{
		Timeout:   30 * time.Second, // longer than a shop takes for anything
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
}

// order is what a shop says of an order or a refund; absent fields stay zero.
type order struct {
	OutTradeNo  string `json:"out_trade_no"`
	PayStatus   int    `json:"pay_status"`
	Total       int64  `json:"total"`
	OutRefundNo string `json:"out_refund_no"`
	Refund      int64  `json:"refund"`
	Status      string `json:"status"`
}

// answer is an answer of a shop; code 0 means that there was none.
type answer struct {
	Code int    `json:"code"`
	Data order  `json:"data"`
	Msg  string `json:"msg"`
}

// unclear reports whether the shop may have done it all the same, or may do it
// when asked again.
func (a answer) unclear() bool {
	switch a.Code {
	case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable:
		return true
	}
	return false
}

// ask is a request that a customer or the admin makes.
type ask struct {
	user, method, path, key string
	body                    any
}

func (q ask) request(ctx context.Context, shop string) (*http.Request, error) {
	var raw []byte
	if q.body != nil {
		raw, _ = json.Marshal(q.body) // maps of strings and numbers
	}
	req, err := http.NewRequestWithContext(ctx, q.method, shop+q.path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.AddCookie(&http.Cookie{Name: "shop_user", Value: q.user})
	if q.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if q.key != "" {
		req.Header.Set("Idempotency-Key", q.key)
	}
	return req, nil
}

// do asks a random shop. A shop that is dead gives no answer; an answer that
// nobody should get is a violation.
func (f *front) do(ctx context.Context, dice *rand.Rand, q ask) answer {
	req, err := q.request(ctx, f.fleet.any(dice))
	if err != nil {
		return answer{}
	}
	status, text, err := f.read(req)
	switch {
	case ctx.Err() != nil:
		return answer{} // the run is over
	case err != nil:
		f.counts.add("no answer")
		return answer{}
	}
	f.counts.add(fmt.Sprint("answer ", status))
	var a answer
	err = json.Unmarshal(text, &a)
	if f.disaster && status == http.StatusInternalServerError && a.Msg == "查询商品信息失败" {
		a.Code = http.StatusServiceUnavailable // the price list is in the database that is gone
		return a
	}
	if status == http.StatusInternalServerError || err != nil {
		a.Code = status
		f.diary.complain(audit.Violation{Rule: audit.OddAnswer, OutTradeNo: a.Data.OutTradeNo,
			Detail: fmt.Sprintf("%s %s: %d %s", q.method, q.path, status, text)})
	}
	return a
}

// read fails for a shop that was killed while it answered, too.
func (f *front) read(req *http.Request) (int, []byte, error) {
	resp, err := f.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, text, err
}

// status asks for an order as its owner, and notes what was told.
func (f *front) status(ctx context.Context, dice *rand.Rand, user, no string) int {
	before := f.diary.so(no)
	a := f.do(ctx, dice, ask{user: user, method: http.MethodGet, path: "/pay/orders/" + no})
	if a.Code != http.StatusOK {
		return -1
	}
	f.diary.heard(no, a.Data.PayStatus, before)
	return a.Data.PayStatus
}

// close gives an order up, and reports whether the shop said that it is
// closed.
func (f *front) close(ctx context.Context, dice *rand.Rand, user, no string) bool {
	before := f.diary.so(no)
	a := f.do(ctx, dice, ask{user: user, method: http.MethodPost, path: "/pay/orders/" + no + "/close"})
	if a.Code != http.StatusOK {
		return false
	}
	f.diary.heard(no, a.Data.PayStatus, before)
	f.counts.add("closed by customer")
	return true
}

// pause waits, or ends with ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
