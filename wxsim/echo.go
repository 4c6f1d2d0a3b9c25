package wxsim

import "net/http"

// echo is POST /v3/security/echo, the self-test of signatures and encryption
// (wire facts §2.6). It answers echo_message. An encrypted_echo_message must
// open with the key that the header Wechatpay-Serial names; it is not answered,
// since the documents do not say which key the answer's is encrypted with. A
// notify_url is held against the rules and not called.
func (s *Sim) echo() endpoint {
	fields := []field{
		{name: "echo_message", required: true, max: 1024},
		{name: "encrypted_echo_message", max: 1024},
		{name: "notify_url", min: 8, max: 256, check: checkNotifyURL},
	}
	return func(r *http.Request, body []byte) (answer, *refusal) {
		parsed, refused := parseBody(body)
		if refused == nil {
			refused = checkFields("", parsed, fields)
		}
		if refused == nil {
			refused = s.checkSealedEcho(r, parsed)
		}
		if refused != nil {
			return answer{}, refused
		}
		return ok(map[string]any{"echo_message": parsed["echo_message"]}), nil
	}
}

func (s *Sim) checkSealedEcho(r *http.Request, parsed map[string]any) *refusal {
	sealed, sent := parsed["encrypted_echo_message"].(string)
	if !sent {
		return nil
	}
	if r.Header.Get("Wechatpay-Serial") == "" {
		return refusedParameter.at("header", "Wechatpay-Serial", nil, "缺少加密所用的微信支付公钥ID或平台证书序列号")
	}
	by, refused := s.signerFor(r)
	if refused == nil && !opens(by.key, sealed) {
		refused = parameter("/encrypted_echo_message", nil, "encrypted_echo_message解密失败")
	}
	return refused
}
