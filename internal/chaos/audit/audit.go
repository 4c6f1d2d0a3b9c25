// Package audit compares what WeChat Pay holds, what the shop holds, and what
// the customers were told, line by line. It knows nothing of how the ledgers
// came about.
package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Ledgers are the books of everybody, at one moment in which nothing moves.
type Ledgers struct {
	Here   []Order  // the shop's order table
	WeChat []Paper  // WeChat's orders
	Grants []Grant  // what the shop handed over, by its own books
	Told   []Told   // what customers were told
	Keys   []KeyUse // order numbers that one Idempotency-Key was given

	// VIPUntil is when each user's membership ends.
	VIPUntil map[string]time.Time
	// HandOvers is how often the shop's log says that an order was taken over.
	HandOvers map[string]int

	Wishes        []Wish   // refunds that somebody asked for
	RefundsHere   []Refund // as the shop's table holds them
	RefundsWeChat []Refund // as WeChat holds them
	// RefundHandOvers is how often the shop's log says that a refund was taken
	// over, by its number.
	RefundHandOvers map[string]int
}

// Order is a line of the shop's order table.
type Order struct {
	OutTradeNo, UserID, TradeNo string
	Total, Refunded             int64
	PayStatus                   int // 0 unpaid, 1 paid, 2 closed
	HandOverTries               int
	HandedOver                  bool
	PaidEvents                  int // how often its history says that it became paid
	HandedOverEvents            int
}

// The values of Order.PayStatus.
const (
	unpaid = iota
	paid
	closed
)

// Paper is an order at WeChat Pay.
type Paper struct {
	OutTradeNo, TradeState, TransactionID string
	Total                                 int64
}

func (p Paper) paid() bool { return p.TradeState == "SUCCESS" || p.TradeState == "REFUND" }

// Grant is one hand-over in the shop's books.
type Grant struct {
	OutTradeNo, User string
	Months           int
	At               time.Time // zero: never granted, the money went back first
	Revoked          bool      // taken back
}

// Told is what a customer was told about an order.
type Told struct {
	OutTradeNo string
	Paid       bool
	Closed     bool
	TakenBack  bool // that it is not paid, after it was said to be
}

// KeyUse are the numbers that came back for one user's Idempotency-Key.
type KeyUse struct {
	User, Key string
	Numbers   []string
}

// Violation is something that must not be.
type Violation struct {
	Rule       Rule
	OutTradeNo string // empty where it is of no one order
	Detail     string
}

// String names the rule, the order and what is wrong.
func (v Violation) String() string { return fmt.Sprintf("%s: %s %s", v.Rule, v.OutTradeNo, v.Detail) }

// Compare is all that is wrong, in the order of the rules and the numbers.
func Compare(l Ledgers) []Violation {
	b := newBooks(l)
	var found []Violation
	for _, rule := range []func(*books) []Violation{payments, closings, handOvers, memberships, promises, refunds, revocations} {
		found = append(found, rule(b)...)
	}
	slices.SortStableFunc(found, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.OutTradeNo, b.OutTradeNo))
	})
	return found
}

// books are the ledgers with an index.
type books struct {
	Ledgers
	here   map[string]Order
	wechat map[string]Paper
	grants map[string]int
	back   map[string]int64 // what WeChat has given back of each order
}

func newBooks(l Ledgers) *books {
	b := &books{Ledgers: l, here: map[string]Order{}, wechat: map[string]Paper{}, grants: map[string]int{}, back: map[string]int64{}}
	for _, o := range l.Here {
		b.here[o.OutTradeNo] = o
	}
	for _, r := range l.RefundsWeChat {
		if r.Status == "SUCCESS" {
			b.back[r.OutTradeNo] += r.Fen
		}
	}
	for _, p := range l.WeChat {
		b.wechat[p.OutTradeNo] = p
	}
	for _, g := range l.Grants {
		b.grants[g.OutTradeNo]++
	}
	return b
}
