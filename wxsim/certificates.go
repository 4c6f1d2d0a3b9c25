package wxsim

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"net/http"
)

// certificates is GET /v3/certificates: the platform certificates in force,
// encrypted with the APIv3 key (wire facts §2.4).
func (s *Sim) certificates(r *http.Request, _ []byte) (answer, *refusal) {
	switch kind := r.URL.Query().Get("algorithm_type"); kind {
	case "", "RSA", "ALL":
	case "SM2":
		return answer{}, &refusedNoCert
	default:
		return answer{}, refusedParameter.at("query", "algorithm_type", kind, "取值应为RSA、SM2、ALL之一")
	}
	inForce := s.platformSigners()
	if len(inForce) == 0 {
		return answer{}, &refusedNoCert
	}
	var data []any
	for _, p := range inForce {
		sealed, err := encrypt(s.keys.account.APIv3Key, nonce(12), "certificate", []byte(p.pem))
		if err != nil {
			s.log.ErrorContext(r.Context(), "certificates", "err", err)
			return answer{}, &refusedSystem
		}
		data = append(data, map[string]any{
			"serial_no":           p.serial,
			"effective_time":      stamp(p.from),
			"expire_time":         stamp(p.expires),
			"encrypt_certificate": sealed,
		})
	}
	return ok(map[string]any{"data": data}), nil
}

// encrypt seals a plaintext as WeChat does: AES-256-GCM, the key's letters
// used as raw bytes, the tag at the end of the ciphertext.
func encrypt(key, nonce, aad string, plaintext []byte) (map[string]any, error) {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	// A test may ask for a nonce of a wrong length; GCM would panic on it.
	gcm, err := cipher.NewGCMWithNonceSize(block, max(len(nonce), 1))
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	iv := []byte(nonce)
	if len(iv) == 0 {
		iv = []byte{0}
	}
	return map[string]any{
		"algorithm":       "AEAD_AES_256_GCM",
		"nonce":           nonce,
		"associated_data": aad,
		"ciphertext":      base64.StdEncoding.EncodeToString(gcm.Seal(nil, iv, plaintext, []byte(aad))),
	}, nil
}
