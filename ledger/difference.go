package ledger

import "github.com/wxpaykit/wxpay/orderstore"

// Difference is one thing that the bill and the store do not agree on.
type Difference struct {
	Kind          Kind
	OutTradeNo    string
	OutRefundNo   string // of a refund
	TransactionID string // in the bill; of what the bill lacks, in the store
	// Here is what the store said before anything was repaired, There what the
	// bill says: facts for people, without an openid.
	Here, There string
	// Repaired says that the order now has what the bill says.
	Repaired bool
	// Remedy says what is to be done, in a sentence.
	Remedy string
}

// Kind says in which way bill and store differ. The kinds are few and fixed:
// see [Kinds].
type Kind string

// The kinds of differences. Those that are repaired, as far as the order lets
// them be, are UnpaidHere, UnknownRefund, and RefundState where the bill says
// SUCCESS.
const (
	UnknownOrder  Kind = "unknown_order"   // the store never had the order
	UnpaidHere    Kind = "unpaid_here"     // the order is unpaid or closed
	Amount        Kind = "amount"          // another 订单金额 or currency
	Identity      Kind = "identity"        // another mchid or appid
	PaidTwice     Kind = "paid_twice"      // the order is paid by another transaction
	UnknownRow    Kind = "unknown_row"     // 交易状态 is neither SUCCESS nor REFUND
	MissingInBill Kind = "missing_in_bill" // the order was paid that day, and the bill has no such payment

	RefundUnknownOrder  Kind = "refund_unknown_order"   // the store never had the order
	RefundUnpaidHere    Kind = "refund_unpaid_here"     // the order is unpaid or closed
	RefundIdentity      Kind = "refund_identity"        // another mchid or transaction
	UnknownRefund       Kind = "unknown_refund"         // the order has no such refund
	RefundAmount        Kind = "refund_amount"          // another 申请退款金额
	RefundState         Kind = "refund_state"           // the state here cannot have come after the one in the bill
	RefundMissingInBill Kind = "refund_missing_in_bill" // accepted on the day of its payment, and not in the bill
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{
		UnknownOrder, UnpaidHere, Amount, Identity, PaidTwice, UnknownRow, MissingInBill,
		RefundUnknownOrder, RefundUnpaidHere, RefundIdentity, UnknownRefund, RefundAmount, RefundState, RefundMissingInBill,
	}
}

func (k Kind) repairable() bool { return k == UnpaidHere || k == UnknownRefund || k == RefundState }

// remedy is the one of the kind, where there is none that fits better.
func (d Difference) remedy() string {
	if d.Repaired {
		return repairedRemedy[d.Kind]
	}
	return remedies[d.Kind]
}

// repairedRemedy is for what is as the bill has it now.
var repairedRemedy = map[Kind]string{
	UnpaidHere:    "Nothing is left to do for the order, which is paid now; find out why neither a notification nor a query told of the payment.",
	UnknownRefund: "Nothing is left to do if somebody refunded on the merchant platform (商户平台), since the order has the refund now; otherwise find out who did.",
	RefundState:   "Nothing is left to do for the refund, which is done now; find out why neither a notification nor a query told of it.",
}

// remedies are for what is not.
var remedies = map[Kind]string{
	UnknownOrder:  "Find out who sold this, since another system may sell on the same merchant account; if none does, restore the order from a backup or refund the payment on the merchant platform (商户平台).",
	UnpaidHere:    "Compare the day again, and if the order is still not paid then, look at its anomaly and its history.",
	Amount:        "Look the payment up on the merchant platform (商户平台), and deliver nothing for it before it is clear which amount is right; refund it there if it is not for this order.",
	Identity:      "Find out which app or merchant used this order number, since the payment is not for the order in the store; refund it on the merchant platform (商户平台) if nobody claims it.",
	PaidTwice:     "Refund this transaction on the merchant platform (商户平台) if that has not been done, since the order stays paid by its first one.",
	UnknownRow:    "Look the payment up on the merchant platform (商户平台), since rows of this state come from a way to pay that is not in use here; the order was left as it is.",
	MissingInBill: "Ask WeChat Pay for the order, and if it knows of no such payment, deliver nothing more and find out who marked the order as paid.",

	RefundUnknownOrder:  "Find out who refunded this, since another system may sell on the same merchant account; if none does, restore the order from a backup.",
	RefundUnpaidHere:    "Compare the day on which the order was paid, and then this day again.",
	RefundIdentity:      "Nothing is to be done if this gave back a second payment of the order; otherwise find out on the merchant platform (商户平台) whose money went back.",
	UnknownRefund:       "Look the refund up on the merchant platform (商户平台) and compare it with the others of the order, since with all of them more would go back than was paid.",
	RefundAmount:        "Look the refund up on the merchant platform (商户平台) and tell the customer what really went back; find out who used its number for another amount.",
	RefundState:         "Compare the day again, and if the refund is still not done then, look at the anomaly and the history of the order.",
	RefundMissingInBill: "Ask WeChat Pay for the refund, and if it does not know it, tell the customer that the money is not on its way and refund again.",
}

// midnightRemedy is for a payment that may be in the bill beside.
const midnightRemedy = "Look for the payment in the bill of the day before or after, since it was paid within a minute of midnight; if it is in neither, ask WeChat Pay for the order."

// stateRemedy is for refunds that the bill says are under way or have failed,
// by the state in the store.
var stateRemedy = map[orderstore.RefundStatus]string{
	orderstore.RefundApplying:   "Leave it to the worker, which applies again with the same number and so learns that WeChat Pay has it; if the next comparison finds the same, see that the worker runs.",
	orderstore.RefundProcessing: "Leave it to the worker, which asks WeChat Pay how far it is; if the next comparison finds the same, look the refund up on the merchant platform (商户平台).",
	orderstore.RefundRefused:    "Ask for the same refund again with the same number, upon which WeChat Pay says how far it is and moves no money twice.",
}
