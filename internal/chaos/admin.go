package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// admin refunds what customers have paid.
type admin struct {
	*front
	sim *weChat
	on  bool // the shop has refunds at all
}

const adminName = "admin"

// probe finds out whether the shop has refunds.
func (d *admin) probe(ctx context.Context, dice *rand.Rand) {
	a := d.do(ctx, dice, ask{user: adminName, method: http.MethodPost, path: "/pay/orders/no-such-order/refunds", body: map[string]any{"refund": 1}})
	d.on = a.Code != 0 && !(a.Code == http.StatusNotFound && a.Msg == "接口不存在")
}

// refund asks for one to three refunds of a paid order, at once or one after
// the other, some of them of more than there is.
func (d *admin) refund(ctx context.Context, dice *rand.Rand, no string) {
	o, ok := d.sim.Order(no)
	if !d.on || !ok {
		return
	}
	for i := range 1 + dice.IntN(3) {
		r := audit.Refund{OutRefundNo: fmt.Sprintf("r%d-%s", i, no), OutTradeNo: no, Fen: 1 + dice.Int64N(o.Total)}
		d.diary.wish(r)
		if dice.IntN(2) == 0 {
			d.insist(ctx, dice, r)
			continue
		}
		other := rand.New(rand.NewPCG(dice.Uint64(), 0))
		done := make(chan struct{})
		go func() { defer close(done); d.insist(ctx, other, r) }()
		d.insist(ctx, dice, r) // the same number, clicked twice
		<-done
	}
}

// insist asks for a refund until there is a clear answer, always with the same
// number.
func (d *admin) insist(ctx context.Context, dice *rand.Rand, r audit.Refund) {
	body := map[string]any{"refund": r.Fen, "reason": "chaos", "out_refund_no": r.OutRefundNo}
	for range 5 {
		a := d.do(ctx, dice, ask{user: adminName, method: http.MethodPost, path: "/pay/orders/" + r.OutTradeNo + "/refunds", body: body})
		switch {
		case a.Code == http.StatusOK:
			d.counts.add("refunds accepted")
			return
		case !a.unclear() || ctx.Err() != nil:
			d.counts.add("refunds refused")
			return
		}
		d.counts.add("refunds asked for again")
		pause(ctx, time.Duration(100+dice.IntN(200))*time.Millisecond)
	}
}

// here is what the shop says of the refunds that were asked for or that WeChat
// holds.
func (d *admin) here(ctx context.Context, dice *rand.Rand, numbers map[string]string) []audit.Refund {
	var found []audit.Refund
	for number, no := range numbers {
		a := d.do(ctx, dice, ask{user: adminName, method: http.MethodGet, path: "/pay/orders/" + no + "/refunds/" + number})
		if a.Code == http.StatusOK {
			found = append(found, audit.Refund{OutRefundNo: number, OutTradeNo: no, Fen: a.Data.Refund, Status: a.Data.Status})
		}
	}
	return found
}

// there is what WeChat holds; nothing while the simulator has no refunds.
func (d *admin) there() ([]audit.Refund, error) {
	resp, err := http.Get(d.sim.URL() + "/_sim/refunds")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, nil
	}
	var answer struct {
		Refunds []struct {
			OutRefundNo string `json:"out_refund_no"`
			OutTradeNo  string `json:"out_trade_no"`
			Refund      int64  `json:"refund"`
			Status      string `json:"status"`
		} `json:"refunds"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read WeChat's refunds: %w", err)
	}
	var found []audit.Refund
	for _, r := range answer.Refunds {
		found = append(found, audit.Refund{OutRefundNo: r.OutRefundNo, OutTradeNo: r.OutTradeNo, Fen: r.Refund, Status: strings.ToUpper(r.Status)})
	}
	return found, nil
}
