package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// A final look at refunds through the shops' own endpoint: this many at most,
// and so many at the same time.
const (
	mostTold = 1500
	askers   = 8
)

// told holds what the shops answer about refunds against what their table
// holds. It comes after the settling, as a question makes the shop ask WeChat.
func (d *admin) told(ctx context.Context, dice *rand.Rand, l audit.Ledgers) (found []audit.Violation) {
	here := map[string]audit.Refund{}
	for _, r := range l.RefundsHere {
		here[r.OutRefundNo] = r
	}
	wishes := make(chan audit.Wish)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range askers {
		own := rand.New(rand.NewPCG(dice.Uint64(), 0))
		all.Go(func() {
			for w := range wishes {
				r, known := here[w.OutRefundNo]
				if v, wrong := d.tells(ctx, own, w, r, known); wrong {
					mu.Lock()
					found = append(found, v)
					mu.Unlock()
				}
			}
		})
	}
	for _, i := range dice.Perm(len(l.Wishes))[:min(mostTold, len(l.Wishes))] {
		wishes <- l.Wishes[i]
	}
	close(wishes)
	all.Wait()
	return found
}

// tells asks for one refund.
func (d *admin) tells(ctx context.Context, dice *rand.Rand, w audit.Wish, r audit.Refund, known bool) (audit.Violation, bool) {
	a := d.do(ctx, dice, ask{user: adminName, method: http.MethodGet, path: "/pay/orders/" + w.OutTradeNo + "/refunds/" + w.OutRefundNo})
	d.counts.add("refunds looked at in the end")
	right := a.Code == http.StatusNotFound
	if known {
		right = a.Code == http.StatusOK && a.Data.Status == r.Status && a.Data.Refund == r.Fen && a.Data.OutRefundNo == r.OutRefundNo
	}
	return audit.Violation{Rule: audit.RefundTold, OutTradeNo: w.OutTradeNo, Detail: fmt.Sprintf("told %+v, holds %+v", a, r)}, !right
}
