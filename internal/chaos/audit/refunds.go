package audit

import "fmt"

// Refund is one refund, in somebody's books.
type Refund struct {
	OutRefundNo, OutTradeNo string
	Fen                     int64
	Status                  string // PROCESSING, SUCCESS, CLOSED, ABNORMAL; here also APPLYING
}

// refunds holds the refunds of both sides against each other, against the
// orders, and against what was asked for.
func refunds(b *books) (found []Violation) {
	wished, here, there := byNumber(b.Wishes), byNumber(b.RefundsHere), byNumber(b.RefundsWeChat)
	add := func(bad bool, rule Rule, no, format string, args ...any) {
		if bad {
			found = append(found, Violation{rule, no, fmt.Sprintf(format, args...)})
		}
	}
	for number, r := range there {
		mine, known := here[number]
		_, asked := wished[number]
		add(!asked, RefundUnwished, r.OutTradeNo, "refund %s of %d fen", number, r.Fen)
		add(!known, RefundUnknown, r.OutTradeNo, "refund %s of %d fen", number, r.Fen)
		add(known && mine != r, RefundDiffers, r.OutTradeNo, "here %+v, there %+v", mine, r)
	}
	for number, r := range here {
		_, known := there[number]
		add(!known && r.Status != "APPLYING" && r.Status != "CLOSED", RefundMissing, r.OutTradeNo, "refund %s of %d fen is %s here", number, r.Fen, r.Status)
	}
	return append(found, refundedSums(b)...)
}

// refundedSums adds the refunds of each order up.
func refundedSums(b *books) (found []Violation) {
	taken, done := map[string]int64{}, map[string]int64{}
	for _, r := range b.RefundsWeChat {
		if r.Status != "CLOSED" {
			taken[r.OutTradeNo] += r.Fen
		}
		if r.Status == "SUCCESS" {
			done[r.OutTradeNo] += r.Fen
		}
	}
	for no, sum := range taken {
		if total := b.wechat[no].Total; sum > total {
			found = append(found, Violation{RefundAbovePaid, no, fmt.Sprintf("%d fen of %d", sum, total)})
		}
	}
	for _, o := range b.Here {
		if o.Refunded != done[o.OutTradeNo] {
			found = append(found, Violation{RefundSumDiffers, o.OutTradeNo, fmt.Sprintf("%d fen here, %d there", o.Refunded, done[o.OutTradeNo])})
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
