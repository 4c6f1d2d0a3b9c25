package wxsim

import (
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
)

// applyAbnormal is POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund:
// an ABNORMAL refund is sent on to a bank card. Once it is on its way the same
// call answers the refund again.
func (s *Sim) applyAbnormal() endpoint {
	fields := abnormalFields()
	return func(r *http.Request, body []byte) (answer, *refusal) {
		parsed, refused := parseBody(body)
		if refused == nil {
			refused = checkFields("", parsed, fields)
		}
		if refused == nil {
			refused = s.checkCard(r, parsed)
		}
		if refused != nil {
			return answer{}, refused
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		known, exists := s.refunds[s.refundIDs[r.PathValue("id")]]
		switch {
		case !exists:
			return answer{}, &refusedNoRefund
		case parsed["out_refund_no"] != known.OutRefundNo:
			return answer{}, &refusedRefundNumbers
		case known.Channel == otherCard:
			return ok(known.resource()), nil
		case known.Status != refundAbnormal:
			return answer{}, &refusedNotAbnormal
		}
		known.Channel, known.fate = otherCard, refundSuccess
		known.receiver = map[any]string{userCard: "用户银行卡", merchantCard: "商户银行账户"}[parsed["type"]]
		s.process(known, s.clock.now())
		return ok(known.resource()), nil
	}
}

// otherCard is the channel of a refund that was sent on.
const otherCard = "OTHER_BANKCARD"

// checkCard wants, for the customer's card, a bank and two fields that the key
// named by Wechatpay-Serial decrypts. What they say is not looked at.
func (s *Sim) checkCard(r *http.Request, parsed map[string]any) *refusal {
	if r.Header.Get("Wechatpay-Serial") == "" {
		return refusedParameter.at("header", "Wechatpay-Serial", nil, "缺少加密所用的微信支付公钥ID或平台证书序列号")
	}
	by, refused := s.signerFor(r)
	if refused != nil {
		return refused
	}
	if _, named := parsed["bank_type"]; parsed["type"] == userCard && !named {
		return parameter("/bank_type", nil, "缺少必填参数bank_type")
	}
	for _, name := range [...]string{"bank_account", "real_name"} {
		sealed, sent := parsed[name].(string)
		switch {
		case !sent && parsed["type"] == userCard:
			return parameter("/"+name, nil, "缺少必填参数"+name)
		case sent && !opens(by.key, sealed):
			return parameter("/"+name, nil, name+"解密失败")
		}
	}
	return nil
}

// opens reports whether a field was encrypted for a key, with RSA-OAEP over
// SHA-1 as WeChat has it.
func opens(key *rsa.PrivateKey, sealed string) bool {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return false
	}
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, raw, nil)
	return err == nil && len(plain) > 0
}
