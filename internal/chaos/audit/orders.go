package audit

import (
	"fmt"
	"slices"
	"time"
)

// payments holds WeChat's payments against the table.
func payments(b *books) (found []Violation) {
	for _, p := range b.WeChat {
		o, known := b.here[p.OutTradeNo]
		switch {
		case !known:
			found = append(found, Violation{UnknownHere, p.OutTradeNo, "it is " + p.TradeState})
		case p.paid() && o.PayStatus == unpaid:
			found = append(found, Violation{PaidMissing, p.OutTradeNo, "transaction " + p.TransactionID})
		case p.paid() && o.PayStatus == paid && (o.TradeNo != p.TransactionID || o.Total != p.Total):
			found = append(found, Violation{PaidDiffers, p.OutTradeNo,
				fmt.Sprintf("%d fen by %q here, %d fen by %q there", o.Total, o.TradeNo, p.Total, p.TransactionID)})
		}
	}
	for _, o := range b.Here {
		if o.PayStatus == paid && !b.wechat[o.OutTradeNo].paid() {
			found = append(found, Violation{PaidInvented, o.OutTradeNo, "WeChat says " + b.state(o.OutTradeNo)})
		}
		if o.PaidEvents > 1 {
			found = append(found, Violation{PaidTwice, o.OutTradeNo, fmt.Sprintf("%d times", o.PaidEvents)})
		}
	}
	return found
}

// closings holds what was closed against what WeChat still takes money for.
func closings(b *books) (found []Violation) {
	for _, o := range b.Here {
		p, known := b.wechat[o.OutTradeNo]
		switch {
		case !known: // its prepay never came, or it was closed without one
		case o.PayStatus == closed && p.paid():
			found = append(found, Violation{ClosedButPaid, o.OutTradeNo, "transaction " + p.TransactionID})
		case o.PayStatus == closed && p.TradeState != "CLOSED":
			found = append(found, Violation{ClosedInvented, o.OutTradeNo, "WeChat says " + p.TradeState})
		case o.PayStatus == unpaid && p.TradeState == "CLOSED":
			found = append(found, Violation{ClosedMissing, o.OutTradeNo, ""})
		}
	}
	return found
}

// handOvers holds the paid orders against what was granted.
func handOvers(b *books) (found []Violation) {
	add := func(bad bool, rule Rule, o Order, detail string) {
		if bad {
			found = append(found, Violation{rule, o.OutTradeNo, detail})
		}
	}
	for _, o := range b.Here {
		calls := max(o.HandedOverEvents, b.HandOvers[o.OutTradeNo])
		granted := b.grants[o.OutTradeNo]
		add(o.PayStatus == paid && granted == 0, NotGranted, o, "user "+o.UserID)
		add(o.PayStatus == paid && granted > 0 && !o.HandedOver, NotHandedOver, o, fmt.Sprintf("after %d tries", o.HandOverTries))
		add(calls > 1, HandedOverTwice, o, fmt.Sprintf("%d times", calls))
		add(o.HandedOver && o.HandOverTries == 0, HandedUnclaimed, o, "hand_over_tries is 0")
	}
	for _, g := range b.Grants {
		if o, known := b.here[g.OutTradeNo]; !known || o.PayStatus != paid {
			found = append(found, Violation{GrantedUnpaid, g.OutTradeNo, "to " + g.User})
		}
	}
	return found
}

// slack is less than the shortest month, and more than any order of grants
// makes of a difference.
const slack = 20 * 24 * time.Hour

// memberships adds up what each user was granted and keeps: a grant that came
// twice is seen in the end of the membership, wherever else it is not.
func memberships(b *books) (found []Violation) {
	byUser := map[string][]Grant{}
	for _, g := range b.Grants {
		if !g.At.IsZero() { // the money went back before anything was granted
			byUser[g.User] = append(byUser[g.User], g)
		}
	}
	for user, grants := range byUser {
		slices.SortFunc(grants, func(a, b Grant) int { return a.At.Compare(b.At) })
		months, want := 0, grants[0].At
		for _, g := range grants {
			if g.At.After(want) {
				want = g.At
			}
			if !g.Revoked {
				months, want = months+g.Months, want.AddDate(0, g.Months, 0)
			}
		}
		if got := b.VIPUntil[user]; got.Sub(want).Abs() > slack {
			found = append(found, Violation{GrantedTwice, "", fmt.Sprintf("%s is a member until %s, bought and kept %d months until %s",
				user, got.Format(time.DateOnly), months, want.Format(time.DateOnly))})
		}
	}
	for no, n := range b.grants {
		if n > 1 {
			found = append(found, Violation{GrantedTwice, no, fmt.Sprintf("%d lines", n)})
		}
	}
	return found
}

// promises holds what customers were told against what is.
func promises(b *books) (found []Violation) {
	add := func(bad bool, rule Rule, no, detail string) {
		if bad {
			found = append(found, Violation{rule, no, detail})
		}
	}
	for _, t := range b.Told {
		o, known := b.here[t.OutTradeNo]
		p := b.wechat[t.OutTradeNo]
		add(!known, PrepayLost, t.OutTradeNo, "WeChat says "+b.state(t.OutTradeNo))
		add(t.TakenBack, TakenBack, t.OutTradeNo, "")
		add(known && t.Paid && o.PayStatus != paid, ToldPaid, t.OutTradeNo, fmt.Sprintf("pay_status is %d", o.PayStatus))
		add(known && t.Closed && o.PayStatus != closed && p.TradeState != "CLOSED", ToldClosed, t.OutTradeNo, "WeChat says "+b.state(t.OutTradeNo))
	}
	for _, k := range b.Keys {
		add(len(k.Numbers) > 1, KeySplit, k.Numbers[0], fmt.Sprintf("key %s of %s gave %v", k.Key, k.User, k.Numbers))
	}
	return found
}

func (b *books) state(no string) string {
	if p, known := b.wechat[no]; known {
		return p.TradeState
	}
	return "nothing"
}
