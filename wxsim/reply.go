package wxsim

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// answer is one answer of the API before it is signed.
type answer struct {
	status int
	body   []byte
	number int // ends the Request-ID; 0 is fine

	contentType string // of a file, which is not signed; empty: JSON
}

// compact marshals a value of this package's own making, with & and < as they
// are: WeChat does not escape them either.
func compact(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("{}")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// ok is a 200 with a JSON body.
func ok(v any) answer { return answer{status: http.StatusOK, body: compact(v)} }

// signer is a private key and the name the merchant knows its public half by.
type signer struct {
	serial string
	key    *rsa.PrivateKey
}

// signerFor chooses the key an answer is signed with: what the client's
// Wechatpay-Serial names, the platform certificate when it names nothing
// (wire facts §1.7, §2.3). An unknown name is refused.
func (s *Sim) signerFor(r *http.Request) (signer, *refusal) {
	named := r.Header.Get("Wechatpay-Serial")
	public := signer{s.keys.account.PublicKeyID, s.keys.publicKey}
	if named == public.serial || named == "" && s.conf.PublicKeyOnly {
		return public, nil
	}
	for _, p := range s.platformSigners() {
		if named == "" || named == p.serial {
			return signer{p.serial, p.key}, nil
		}
	}
	return signer{}, refusedParameter.at("header", "Wechatpay-Serial", named, "没有这个微信支付公钥ID或平台证书序列号")
}

// platformSigners lists the certificates in force, newest first; none for a
// public-key merchant.
func (s *Sim) platformSigners() []platformSigner {
	if s.conf.PublicKeyOnly {
		return nil
	}
	s.mu.Lock()
	newest, oldest := s.rotation, s.rotation
	if s.rotating {
		oldest--
	}
	s.mu.Unlock()
	var out []platformSigner
	for n := newest; n >= oldest; n-- {
		p, err := s.keys.platformSigner(n)
		if err != nil {
			s.log.Error("platform certificate", "err", err)
			continue
		}
		out = append(out, p)
	}
	return out
}

// newestPlatform is the number of the newest platform certificate.
func (s *Sim) newestPlatform() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rotation
}

// setSignature writes the five headers of a signed answer or notification over
// exactly these body bytes.
func setSignature(h http.Header, by signer, timestamp, nonce string, body []byte) error {
	signature, err := sign(by.key, timestamp+"\n"+nonce+"\n"+string(body)+"\n")
	if err != nil {
		return err
	}
	h.Set("Wechatpay-Timestamp", timestamp)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", by.serial)
	h.Set("Wechatpay-Signature", signature)
	h.Set("Wechatpay-Signature-Type", scheme)
	return nil
}

// sign makes a base64 RSA PKCS#1 v1.5 signature over the SHA-256 of a message.
func sign(key *rsa.PrivateKey, message string) (string, error) {
	sum := sha256.Sum256([]byte(message))
	raw, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

// headerTime is the header clock in the form of Wechatpay-Timestamp.
func (s *Sim) headerTime() string { return strconv.FormatInt(s.clock.header().Unix(), 10) }

// write puts an answer on the wire. Only 2xx answers are signed, and no files;
// what WeChat does with business errors is not documented (wire facts §1.8).
func (s *Sim) write(w http.ResponseWriter, r *http.Request, a answer, by signer, f Fault) {
	h := w.Header()
	h.Set("Date", s.clock.header().UTC().Format(http.TimeFormat))
	// PROBE (wire facts §1.11): 401 on the payment paths has no Request-ID.
	if a.status != http.StatusUnauthorized || !strings.HasPrefix(r.URL.Path, "/v3/pay/transactions/") {
		h.Set("Request-ID", fmt.Sprintf("08%s-%d", nonce(24), a.number))
	}
	signed := a.status < 300 && a.contentType == "" && f.Fault != "unsigned"
	if signed {
		if err := setSignature(h, by, s.headerTime(), nonce(32), a.body); err != nil {
			s.log.ErrorContext(r.Context(), "answer", "err", err)
		}
	}
	if signed && f.Fault == "bad_signature" {
		h.Set("Wechatpay-Signature", spoil(h.Get("Wechatpay-Signature")))
	}
	if len(a.body) > 0 {
		h.Set("Content-Type", cmp.Or(a.contentType, "application/json; charset=utf-8"))
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone
}

// spoil turns a signature into another of the same shape.
func spoil(signature string) string {
	first := byte('A')
	if signature != "" && signature[0] == 'A' {
		first = 'B'
	}
	return string(first) + signature[min(1, len(signature)):]
}
