package audit

// Rule is the name of what must not be.
type Rule string

// The rules.
const (
	PaidMissing     Rule = "paid at WeChat, not paid here"
	PaidInvented    Rule = "paid here, not at WeChat"
	PaidDiffers     Rule = "paid on both sides, by different facts"
	PaidTwice       Rule = "became paid more than once"
	ClosedButPaid   Rule = "closed here, paid at WeChat"
	ClosedInvented  Rule = "closed here, open at WeChat"
	ClosedMissing   Rule = "closed at WeChat, open here"
	UnknownHere     Rule = "an order at WeChat that is not in the table"
	NotGranted      Rule = "paid, not granted"
	GrantedUnpaid   Rule = "granted, not paid"
	GrantedTwice    Rule = "granted twice, or not what was bought"
	NotHandedOver   Rule = "paid, the hand-over is not written down"
	HandedOverTwice Rule = "handed over twice"
	HandedUnclaimed Rule = "handed over without a claim"
	PrepayLost      Rule = "a customer was given this order, it is not in the table"
	KeySplit        Rule = "two orders for one Idempotency-Key"
	TakenBack       Rule = "told paid, then told that it is not"
	ToldPaid        Rule = "told paid, is not"
	ToldClosed      Rule = "told closed, can be paid at WeChat"
	NotRevoked      Rule = "the whole price is back, the membership too is kept"
	RevokedUnpaid   Rule = "a membership was taken back, its price was not given back"

	RefundAbovePaid       Rule = "refunds at WeChat above the paid sum"
	RefundDoubled         Rule = "two refunds at WeChat for one wish"
	RefundUnknown         Rule = "a refund at WeChat that is unknown here"
	RefundUnwished        Rule = "a refund at WeChat that nobody asked for"
	RefundAgainstWord     Rule = "a refund at WeChat that the shop said it would not do"
	RefundLost            Rule = "a refund that the shop said it would do, neither here nor there"
	RefundMissing         Rule = "a refund here that WeChat does not know"
	RefundDiffers         Rule = "a refund that is different here and at WeChat"
	RefundUnfinished      Rule = "a refund that comes to no end"
	RefundGivenUp         Rule = "a refund that was given up, WeChat would do it"
	RefundSumDiffers      Rule = "the refunded sum of the order is not WeChat's"
	RefundNotHandedOver   Rule = "refunded, the hand-over is not written down"
	RefundHandedOverTwice Rule = "a refund handed over twice"
	RefundReused          Rule = "one refund number was taken for two sums"
	RefundTold            Rule = "the shop tells another refund than it holds"

	// Seen while it happens, not in the books at the end.
	AckedUnstored Rule = "acknowledged to WeChat, not stored"
	AckedForgery  Rule = "acknowledged what WeChat did not say"
	OddAnswer     Rule = "an answer that no customer should get"
	ShopEnded     Rule = "a shop ended by itself"
	FileDamaged   Rule = "the database file is damaged"
	NodesDisagree Rule = "the nodes of the cluster hold different books"
)

// Heals reports whether a shop that is left alone may still put it right.
func (r Rule) Heals() bool {
	switch r {
	case PaidMissing, ClosedMissing, NotGranted, NotHandedOver, ToldPaid, NotRevoked,
		RefundUnknown, RefundDiffers, RefundUnfinished, RefundSumDiffers, RefundNotHandedOver:
		return true
	}
	return false
}
