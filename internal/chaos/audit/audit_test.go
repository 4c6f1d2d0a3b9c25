package audit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// honest are books that agree: two paid orders of one user, one closed, one
// open, one refunded in part.
func honest() audit.Ledgers {
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	return audit.Ledgers{
		Here: []audit.Order{
			{OutTradeNo: "paid-1", UserID: "u", TradeNo: "t1", Total: 100, PayStatus: 1, HandOverTries: 1, HandedOver: true, PaidEvents: 1, HandedOverEvents: 1},
			{OutTradeNo: "paid-2", UserID: "u", TradeNo: "t2", Total: 270, PayStatus: 1, HandOverTries: 2, HandedOver: true, PaidEvents: 1, HandedOverEvents: 1, Refunded: 70},
			{OutTradeNo: "closed", UserID: "u", Total: 100, PayStatus: 2},
			{OutTradeNo: "open", UserID: "u", Total: 100},
		},
		WeChat: []audit.Paper{
			{OutTradeNo: "paid-1", TradeState: "SUCCESS", TransactionID: "t1", Total: 100},
			{OutTradeNo: "paid-2", TradeState: "REFUND", TransactionID: "t2", Total: 270},
			{OutTradeNo: "closed", TradeState: "CLOSED", Total: 100},
			{OutTradeNo: "open", TradeState: "NOTPAY", Total: 100},
		},
		Grants:    []audit.Grant{{"paid-1", "u", 1, at, false}, {"paid-2", "u", 3, at.Add(time.Second), false}},
		VIPUntil:  map[string]time.Time{"u": at.AddDate(0, 1, 0).AddDate(0, 3, 0)},
		HandOvers: map[string]int{"paid-1": 1, "paid-2": 1},
		Told: []audit.Told{
			{OutTradeNo: "paid-1", Paid: true}, {OutTradeNo: "closed", Closed: true}, {OutTradeNo: "open"},
		},
		Keys:          []audit.KeyUse{{User: "u", Key: "k", Numbers: []string{"paid-1"}}},
		Wishes:        []audit.Wish{{"r1", "paid-2", 70, true, false, false}, {"r2", "paid-2", 900, false, true, false}},
		RefundsHere:   []audit.Refund{{"r1", "paid-2", 70, "SUCCESS", "", true, 1}},
		RefundsWeChat: []audit.Refund{{"r1", "paid-2", 70, "SUCCESS", "r1", false, 0}},
	}
}

// TestCompare tells one lie at a time; each must be found, and nothing else.
func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lie  string
		tell func(*audit.Ledgers)
		want []audit.Rule
	}{
		{"none", func(*audit.Ledgers) {}, nil},
		{"never heard of the payment", func(l *audit.Ledgers) { l.WeChat[3].TradeState = "SUCCESS" }, []audit.Rule{audit.PaidMissing}},
		{"paid without WeChat", func(l *audit.Ledgers) { l.WeChat[0].TradeState = "NOTPAY" }, []audit.Rule{audit.PaidInvented}},
		{"another transaction", func(l *audit.Ledgers) { l.Here[0].TradeNo = "t9" }, []audit.Rule{audit.PaidDiffers}},
		{"another sum", func(l *audit.Ledgers) { l.WeChat[0].Total = 1 }, []audit.Rule{audit.PaidDiffers}},
		{"became paid twice", func(l *audit.Ledgers) { l.Here[0].PaidEvents = 2 }, []audit.Rule{audit.PaidTwice}},
		{"closed while paid", func(l *audit.Ledgers) { l.Here[3].PayStatus = 2; l.WeChat[3].TradeState = "SUCCESS" }, []audit.Rule{audit.ClosedButPaid}},
		{"closed here alone", func(l *audit.Ledgers) { l.Here[3].PayStatus = 2 }, []audit.Rule{audit.ClosedInvented}},
		{"never heard that it is closed", func(l *audit.Ledgers) { l.WeChat[3].TradeState = "CLOSED" }, []audit.Rule{audit.ClosedMissing}},
		{"a row is gone", func(l *audit.Ledgers) { l.Here = l.Here[:3]; l.Told = l.Told[:2] }, []audit.Rule{audit.UnknownHere}},
		{"not granted", func(l *audit.Ledgers) {
			l.Grants = l.Grants[:1]
			l.VIPUntil["u"] = l.Grants[0].At.AddDate(0, 1, 0)
		}, []audit.Rule{audit.NotGranted}},
		{"granted without payment", func(l *audit.Ledgers) {
			l.Grants = append(l.Grants, audit.Grant{"open", "v", 1, l.Grants[0].At, false})
			l.VIPUntil["v"] = l.Grants[0].At.AddDate(0, 1, 0)
		}, []audit.Rule{audit.GrantedUnpaid}},
		{"one month too many", func(l *audit.Ledgers) { l.VIPUntil["u"] = l.VIPUntil["u"].AddDate(0, 1, 0) }, []audit.Rule{audit.GrantedTwice}},
		{"one month too few", func(l *audit.Ledgers) { l.VIPUntil["u"] = l.VIPUntil["u"].AddDate(0, -1, 0) }, []audit.Rule{audit.GrantedTwice}},
		{"hand-over not written down", func(l *audit.Ledgers) { l.Here[0].HandedOver = false }, []audit.Rule{audit.NotHandedOver}},
		{"two events of one hand-over", func(l *audit.Ledgers) { l.Here[0].HandedOverEvents = 2 }, []audit.Rule{audit.HandedOverTwice}},
		{"two calls of one hand-over", func(l *audit.Ledgers) { l.HandOvers["paid-1"] = 2 }, []audit.Rule{audit.HandedOverTwice}},
		{"nobody claimed it", func(l *audit.Ledgers) { l.Here[0].HandOverTries = 0 }, []audit.Rule{audit.HandedUnclaimed}},
		{"an order that was given is gone", func(l *audit.Ledgers) { l.Here, l.WeChat = l.Here[:3], l.WeChat[:3] }, []audit.Rule{audit.PrepayLost}},
		{"one key, two orders", func(l *audit.Ledgers) { l.Keys[0].Numbers = append(l.Keys[0].Numbers, "paid-2") }, []audit.Rule{audit.KeySplit}},
		{"paid taken back", func(l *audit.Ledgers) { l.Told[0].TakenBack = true }, []audit.Rule{audit.TakenBack}},
		{"told paid", func(l *audit.Ledgers) { l.Told[2].Paid = true }, []audit.Rule{audit.ToldPaid}},
		{"told closed", func(l *audit.Ledgers) { l.Told[2].Closed = true }, []audit.Rule{audit.ToldClosed}},
		{"taken back for a part", func(l *audit.Ledgers) {
			l.Grants[1].Revoked = true
			l.VIPUntil["u"] = l.Grants[1].At
		}, []audit.Rule{audit.RevokedUnpaid, audit.GrantedTwice}},
		{"kept although all of it is back", func(l *audit.Ledgers) { refunded(l, 270) }, []audit.Rule{audit.NotRevoked}},
		{"taken back, months kept", func(l *audit.Ledgers) {
			refunded(l, 270)
			l.Grants[1].Revoked = true
		}, []audit.Rule{audit.GrantedTwice}},
		{"taken back", func(l *audit.Ledgers) {
			refunded(l, 270)
			l.Grants[1].Revoked = true
			l.VIPUntil["u"] = l.Grants[0].At.AddDate(0, 1, 0)
		}, nil},
		{"never granted, not taken back either", func(l *audit.Ledgers) {
			l.Grants[1].At = time.Time{}
			l.VIPUntil["u"] = l.Grants[0].At.AddDate(0, 1, 0)
		}, []audit.Rule{audit.NotGranted}},
		{"refunded too much", func(l *audit.Ledgers) {
			r := audit.Refund{OutRefundNo: "r3", OutTradeNo: "paid-2", Fen: 201, Status: "ABNORMAL"}
			l.Wishes = append(l.Wishes, audit.Wish{OutRefundNo: "r3", OutTradeNo: "paid-2", Fen: 201, Accepted: true})
			l.RefundsHere, l.RefundsWeChat = append(l.RefundsHere, r), append(l.RefundsWeChat, r)
		}, []audit.Rule{audit.RefundAbovePaid}},
		{"refunded although refused", func(l *audit.Ledgers) {
			r := audit.Refund{OutRefundNo: "r2", OutTradeNo: "paid-2", Fen: 9, Status: "ABNORMAL"}
			l.RefundsHere, l.RefundsWeChat = append(l.RefundsHere, r), append(l.RefundsWeChat, r)
		}, []audit.Rule{audit.RefundAgainstWord}},
		{"one wish, two numbers", func(l *audit.Ledgers) {
			l.RefundsWeChat = append(l.RefundsWeChat, audit.Refund{OutRefundNo: "r1x", OutTradeNo: "paid-2", Fen: 70, Status: "CLOSED", Reason: "r1"})
		}, []audit.Rule{audit.RefundUnknown, audit.RefundUnwished, audit.RefundDoubled}},
		{"refund forgotten here", func(l *audit.Ledgers) { l.RefundsHere = nil }, []audit.Rule{audit.RefundUnknown, audit.RefundLost}},
		{"refund nobody asked for", func(l *audit.Ledgers) { l.Wishes = l.Wishes[1:] }, []audit.Rule{audit.RefundUnwished}},
		{"refund WeChat does not know", func(l *audit.Ledgers) {
			l.RefundsHere = append(l.RefundsHere, audit.Refund{OutRefundNo: "r2", OutTradeNo: "paid-2", Fen: 9, Status: "ABNORMAL"})
		}, []audit.Rule{audit.RefundMissing}},
		{"refund of another state", func(l *audit.Ledgers) { l.RefundsHere[0].Status = "CLOSED" }, []audit.Rule{audit.RefundDiffers}},
		{"refund of another sum", func(l *audit.Ledgers) { l.RefundsHere[0].Fen = 71 }, []audit.Rule{audit.RefundDiffers}},
		{"refund under way for ever", func(l *audit.Ledgers) {
			refunded(l, 0)
			l.RefundsHere[0].Status, l.RefundsWeChat[0].Status = "PROCESSING", "PROCESSING"
			l.RefundsHere[0].Fen, l.RefundsWeChat[0].Fen = 70, 70
		}, []audit.Rule{audit.RefundUnfinished}},
		{"refund given up", func(l *audit.Ledgers) { give(l, "REFUSED") }, []audit.Rule{audit.RefundGivenUp}},
		{"refund that nobody can do", func(l *audit.Ledgers) { give(l, "REFUSED"); l.Wishes[1].Hopeless = true }, nil},
		{"refund applied for for ever", func(l *audit.Ledgers) { give(l, "APPLYING") }, []audit.Rule{audit.RefundUnfinished}},
		{"refunded sum", func(l *audit.Ledgers) { l.Here[1].Refunded = 0 }, []audit.Rule{audit.RefundSumDiffers}},
		{"refund not handed over", func(l *audit.Ledgers) { l.RefundsHere[0].HandedOver = false }, []audit.Rule{audit.RefundNotHandedOver}},
		{"two events of one refund", func(l *audit.Ledgers) { l.RefundsHere[0].HandOvers = 2 }, []audit.Rule{audit.RefundHandedOverTwice}},
		{"two calls of one refund", func(l *audit.Ledgers) { l.RefundHandOvers = map[string]int{"r1": 2} }, []audit.Rule{audit.RefundHandedOverTwice}},
	} {
		t.Run(c.lie, func(t *testing.T) {
			t.Parallel()
			books := honest()
			c.tell(&books)
			var got []audit.Rule
			for _, v := range audit.Compare(books) {
				got = append(got, v.Rule)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// refunded makes the refund another sum in all the books.
func refunded(l *audit.Ledgers, fen int64) {
	l.Here[1].Refunded, l.RefundsHere[0].Fen, l.RefundsWeChat[0].Fen = fen, fen, fen
}

// give lets the shop hold a second refund that WeChat does not know.
func give(l *audit.Ledgers, status string) {
	l.RefundsHere = append(l.RefundsHere, audit.Refund{OutRefundNo: "r2", OutTradeNo: "paid-2", Fen: 9, Status: status})
}
