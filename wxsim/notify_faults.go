package wxsim

import (
	"maps"
	"strings"
)

// probePrefix begins the signature of WeChat's probes (wire facts §7.8).
const probePrefix = "WECHATPAY/SIGNTEST/"

// disfigure changes a notification as a fault wants it.
func (s *Sim) disfigure(n *Notification, fault string) {
	switch fault {
	case "forge":
		n.AfterSigning = func(body []byte) []byte {
			return []byte(strings.Replace(string(body), `"id":"`, `"id":"0`, 1))
		}
	case "wrong_amount":
		n.Plaintext = withWrongAmount(n.Plaintext)
	case "old_timestamp":
		n.Timestamp = s.oldTimestamp()
	case "wrong_key":
		n.SigningKey = s.keys.merchant
	}
}

// withWrongAmount copies a plaintext as if one fen had been paid or refunded;
// when it was one fen, as if two had been.
func withWrongAmount(plaintext map[string]any) map[string]any {
	out := maps.Clone(plaintext)
	amount, isMap := out["amount"].(map[string]any)
	if !isMap {
		return out
	}
	amount = maps.Clone(amount)
	names := [...]string{"total", "payer_total"}
	if _, refund := amount["refund"]; refund {
		names = [...]string{"refund", "payer_refund"}
	}
	wrong := int64(1)
	if amount[names[0]] == wrong {
		wrong = 2
	}
	for _, name := range names {
		amount[name] = wrong
	}
	out["amount"] = amount
	return out
}
