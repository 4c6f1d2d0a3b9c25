package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// admin gives back what customers have paid. Several goroutines may send it at
// the same time.
type admin struct {
	*front
	sim *weChat
	// early is until when refunds may be asked for that take their time: WeChat
	// wants a minute between two of one order, and a hopeless one is given up
	// only when no earlier application can arrive any more.
	early time.Time
}

const adminName = "admin"

// earlyUntil leaves as much as a run of a minute can bear, and runs of seconds
// nothing at all.
func (c config) earlyUntil(start time.Time) time.Time {
	if c.time < 30*time.Second {
		return start
	}
	return start.Add(max(c.time/4, c.time-time.Minute))
}

// refund gives an order back, in one of the ways that people have.
func (d *admin) refund(ctx context.Context, dice *rand.Rand, no string) {
	o, ok := d.sim.Order(no)
	if !ok {
		return
	}
	d.decide(dice)
	whole, part := o.Total, 1+dice.Int64N(o.Total-1)
	n := dice.IntN(100)
	if n >= 78 && !time.Now().Before(d.early) {
		n = dice.IntN(78)
	}
	switch {
	case n < 35:
		d.insist(ctx, dice, wishOf(no, "whole", whole))
	case n < 50: // clicked twice
		d.atOnce(ctx, dice, wishOf(no, "twice", whole), wishOf(no, "twice", whole))
	case n < 58: // by two people: only one of them may have it
		d.atOnce(ctx, dice, wishOf(no, "mine", whole), wishOf(no, "yours", whole))
	case n < 62:
		d.insist(ctx, dice, wishOf(no, "toomuch", whole+1+dice.Int64N(whole)))
	case n < 66:
		d.reuse(ctx, dice, wishOf(no, "reused", part))
	case n < 78:
		d.insist(ctx, dice, wishOf(no, "part", max(part/2, 1))) // twice would not be too much
	default:
		d.inTime(ctx, dice, o.OutTradeNo, whole, part)
	}
}

// inTime are the ways that take a minute or longer.
func (d *admin) inTime(ctx context.Context, dice *rand.Rand, no string, whole, part int64) {
	switch n := dice.IntN(22); {
	case n < 8: // two parts at once, and the whole of it
		d.atOnce(ctx, dice, wishOf(no, "left", part), wishOf(no, "right", whole-part))
	case n < 14: // one part after the other, and one too many
		d.insist(ctx, dice, wishOf(no, "first", part))
		d.insist(ctx, dice, wishOf(no, "second", whole-part))
		d.insist(ctx, dice, wishOf(no, "third", 1))
	case n < 18: // another number for what was closed, or is done
		d.insist(ctx, dice, wishOf(no, "once", whole))
		pause(ctx, time.Duration(dice.Int64N(int64(8*time.Second))))
		d.insist(ctx, dice, wishOf(no, "again", whole))
	default:
		w := wishOf(no, "gone", whole)
		w.Hopeless = d.sim.SetPayerGone(no, true) == nil
		d.insist(ctx, dice, w)
	}
}

// wishOf is a wish with a number that says what it is for.
func wishOf(no, what string, fen int64) audit.Wish {
	return audit.Wish{OutRefundNo: what + "-" + no, OutTradeNo: no, Fen: fen}
}

// decide lets one of the next refunds go wrong, now and then.
func (d *admin) decide(dice *rand.Rand) {
	switch dice.IntN(40) {
	case 0:
		_ = d.sim.DecideRefund("", "ABNORMAL") // a known ending
	case 1, 2:
		_ = d.sim.DecideRefund("", "CLOSED")
	}
}

// atOnce asks for both at the same time.
func (d *admin) atOnce(ctx context.Context, dice *rand.Rand, a, b audit.Wish) {
	other := rand.New(rand.NewPCG(dice.Uint64(), 0))
	var both sync.WaitGroup
	both.Go(func() { d.insist(ctx, other, a) })
	d.insist(ctx, dice, b)
	both.Wait()
}

// reuse asks for another sum under a number that was taken.
func (d *admin) reuse(ctx context.Context, dice *rand.Rand, w audit.Wish) {
	if !d.insist(ctx, dice, w) {
		return
	}
	other := w
	other.Fen++
	if a := d.ask(ctx, dice, other); a.Code == http.StatusOK {
		d.diary.complain(audit.Violation{Rule: audit.RefundReused, OutTradeNo: w.OutTradeNo,
			Detail: fmt.Sprintf("%s of %d fen, then of %d fen: %+v", w.OutRefundNo, w.Fen, other.Fen, a.Data)})
	}
}

func (d *admin) ask(ctx context.Context, dice *rand.Rand, w audit.Wish) answer {
	return d.do(ctx, dice, ask{user: adminName, method: http.MethodPost, path: "/pay/orders/" + w.OutTradeNo + "/refunds",
		body: map[string]any{"refund": w.Fen, "reason": w.OutRefundNo, "out_refund_no": w.OutRefundNo}})
}

// insist asks for a refund until there is a clear answer, always with the same
// number, and reports whether it is granted.
func (d *admin) insist(ctx context.Context, dice *rand.Rand, w audit.Wish) bool {
	d.diary.wish(w)
	for range 8 {
		a := d.ask(ctx, dice, w)
		refused := a.Data.Status == "REFUSED" // by WeChat: 502, but clear
		switch {
		case a.Code == http.StatusOK:
			d.counts.add("refunds accepted")
			d.diary.answered(w.OutRefundNo, true)
			return true
		case refused, !a.unclear():
			d.counts.add("refunds refused")
			d.diary.answered(w.OutRefundNo, false)
			return false
		case ctx.Err() != nil:
			return false
		}
		d.counts.add("refunds asked for again")
		pause(ctx, time.Duration(100+dice.IntN(200))*time.Millisecond)
	}
	return false
}

// clear asks once more for what got no clear answer, now that all shops run.
func (d *admin) clear(ctx context.Context, dice *rand.Rand) {
	for _, w := range d.diary.unclear() {
		d.insist(ctx, dice, w)
	}
}
