package wxsim

import (
	"bytes"
	"slices"
)

// disfigure changes a notification as a fault wants it.
func (n *NotificationV2) disfigure(fault, wrongKey string) {
	switch fault {
	case "forge":
		n.AfterSigning = forgeV2
	case "wrong_amount":
		names, from := [...]string{"total_fee", "cash_fee"}, n.Fields
		if n.ReqInfo != nil {
			names, from = [...]string{"refund_fee", "cash_refund_fee"}, n.ReqInfo
		}
		wrong := "1"
		if from[names[0]] == wrong {
			wrong = "2"
		}
		for _, name := range names {
			from[name] = wrong
		}
	case "wrong_key":
		n.Key = wrongKey
	}
}

// forgeV2 changes a message on the way: a payment's names another time than
// the signature covers, the first block of a refund's req_info turns to noise.
func forgeV2(body []byte) []byte {
	for _, before := range [...]string{"<time_end><![CDATA[", "<req_info><![CDATA["} {
		if at := bytes.Index(body, []byte(before)); at >= 0 {
			at += len(before)
			return slices.Concat(body[:at], []byte(spoil(string(body[at:at+1]))), body[at+1:])
		}
	}
	return body
}
