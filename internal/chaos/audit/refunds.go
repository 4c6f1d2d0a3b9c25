package audit

import "fmt"

// Refund is one refund, in somebody's books.
type Refund struct {
	OutRefundNo, OutTradeNo string
	Fen                     int64
	Status                  string // PROCESSING, SUCCESS, CLOSED, ABNORMAL; here also APPLYING and REFUSED
	Reason                  string // at WeChat only; each wish has one of its own

	HandedOver bool // here only, as the following
	HandOvers  int  // how often its history says so
}

// Wish is a refund that somebody asked for under a number, until the answer
// was clear.
type Wish struct {
	OutRefundNo, OutTradeNo string
	Fen                     int64
	Accepted                bool // the shop said at least once that it does it
	Refused                 bool // the shop said at least once that it does not
	Hopeless                bool // WeChat will never do it: the customer's account is gone
}

// refunds holds the refunds of both sides against each other, against the
// orders, and against what was asked for.
func refunds(b *books) (found []Violation) {
	here, there := byNumber(b.RefundsHere), byNumber(b.RefundsWeChat)
	wished := map[string]Wish{}
	for _, w := range b.Wishes {
		wished[w.OutRefundNo] = w
	}
	add := func(bad bool, rule Rule, no, format string, args ...any) {
		if bad {
			found = append(found, Violation{rule, no, fmt.Sprintf(format, args...)})
		}
	}
	for number, r := range there {
		mine, known := here[number]
		w, asked := wished[number]
		add(!asked, RefundUnwished, r.OutTradeNo, "refund %s of %d fen", number, r.Fen)
		add(w.Refused && !w.Accepted, RefundAgainstWord, r.OutTradeNo, "refund %s of %d fen", number, r.Fen)
		add(!known, RefundUnknown, r.OutTradeNo, "refund %s of %d fen", number, r.Fen)
		add(known && !mine.same(r), RefundDiffers, r.OutTradeNo, "%s is %d fen, %s here, %d fen, %s there", number, mine.Fen, mine.Status, r.Fen, r.Status)
	}
	for number, r := range here {
		_, known := there[number]
		add(!known && r.Status != "APPLYING" && r.Status != "REFUSED", RefundMissing, r.OutTradeNo, "refund %s of %d fen is %s here", number, r.Fen, r.Status)
		add(r.Status == "APPLYING" || r.Status == "PROCESSING", RefundUnfinished, r.OutTradeNo, "refund %s is %s", number, r.Status)
		add(r.Status == "REFUSED" && !wished[number].Hopeless, RefundGivenUp, r.OutTradeNo, "refund %s", number)
		add(r.Status == "SUCCESS" && !r.HandedOver, RefundNotHandedOver, r.OutTradeNo, "refund %s", number)
		calls := max(r.HandOvers, b.RefundHandOvers[number])
		add(calls > 1, RefundHandedOverTwice, r.OutTradeNo, "refund %s, %d times", number, calls)
	}
	for number, w := range wished {
		_, known := here[number]
		add(w.Accepted && !known, RefundLost, w.OutTradeNo, "refund %s of %d fen", number, w.Fen)
	}
	return append(append(found, doubledRefunds(b)...), refundedSums(b)...)
}

func (r Refund) same(other Refund) bool {
	return r.OutTradeNo == other.OutTradeNo && r.Fen == other.Fen && r.Status == other.Status
}

// doubledRefunds finds wishes that WeChat was told twice, under whatever
// numbers: the reason goes with the wish.
func doubledRefunds(b *books) (found []Violation) {
	by := map[string]Refund{}
	for _, r := range b.RefundsWeChat {
		if first, twice := by[r.Reason]; twice && r.Reason != "" {
			found = append(found, Violation{RefundDoubled, r.OutTradeNo,
				fmt.Sprintf("%s of %d fen (%s) and %s of %d fen (%s)", first.OutRefundNo, first.Fen, first.Status, r.OutRefundNo, r.Fen, r.Status)})
		}
		by[r.Reason] = r
	}
	return found
}

// refundedSums adds the refunds of each order up. Only what WeChat has closed
// leaves its money to others.
func refundedSums(b *books) (found []Violation) {
	taken := map[string]int64{}
	for _, r := range b.RefundsWeChat {
		if r.Status != "CLOSED" {
			taken[r.OutTradeNo] += r.Fen
		}
	}
	for no, sum := range taken {
		if total := b.wechat[no].Total; sum > total {
			found = append(found, Violation{RefundAbovePaid, no, fmt.Sprintf("%d fen of %d", sum, total)})
		}
	}
	for _, o := range b.Here {
		if back := b.back[o.OutTradeNo]; o.Refunded != back {
			found = append(found, Violation{RefundSumDiffers, o.OutTradeNo, fmt.Sprintf("%d fen here, %d there", o.Refunded, back)})
		}
	}
	return found
}

// revocations holds the memberships that were taken back against the money
// that went back: all of the price for one, or nothing.
func revocations(b *books) (found []Violation) {
	for _, g := range b.Grants {
		total := b.wechat[g.OutTradeNo].Total
		back := b.back[g.OutTradeNo]
		switch {
		case back >= total && total > 0 && !g.Revoked:
			found = append(found, Violation{NotRevoked, g.OutTradeNo, fmt.Sprintf("%d fen are back, %s keeps %d months", back, g.User, g.Months)})
		case back < total && g.Revoked:
			found = append(found, Violation{RevokedUnpaid, g.OutTradeNo, fmt.Sprintf("%d fen of %d are back to %s", back, total, g.User)})
		case g.At.IsZero() && !g.Revoked:
			found = append(found, Violation{NotGranted, g.OutTradeNo, "the line says that it never was, nor that it was taken back"})
		}
	}
	return found
}

func byNumber(all []Refund) map[string]Refund {
	index := make(map[string]Refund, len(all))
	for _, r := range all {
		index[r.OutRefundNo] = r
	}
	return index
}
