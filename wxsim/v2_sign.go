package wxsim

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The values of sign_type.
const (
	signMD5  = "MD5"
	signHMAC = "HMAC-SHA256"
)

// signType is how a message is signed; MD5 when it does not say.
func (m v2Message) signType() string {
	if m["sign_type"] == "" {
		return signMD5
	}
	return m["sign_type"]
}

// sign computes the signature over every element that is not empty, known or
// not, but sign itself (wire facts §9.2).
func (m v2Message) sign(signType, key string) string {
	var joined strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if name != "sign" && m[name] != "" {
			joined.WriteString(name + "=" + m[name] + "&")
		}
	}
	joined.WriteString("key=" + key)
	sum := md5.Sum([]byte(joined.String()))
	digest := sum[:]
	if signType == signHMAC {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(joined.String()))
		digest = mac.Sum(nil)
	}
	return strings.ToUpper(hex.EncodeToString(digest))
}

// signed reports whether a message carries the signature its sign_type asks
// for.
func (m v2Message) signed(key string) bool {
	signType := m.signType()
	if signType != signMD5 && signType != signHMAC {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(m["sign"]), []byte(m.sign(signType, key))) == 1
}

// sealReqInfo encrypts the plaintext of a refund's notification: AES-256-ECB
// under the lower-case hex MD5 of the API key (wire facts §9.7).
func sealReqInfo(key string, plaintext []byte) (string, error) {
	sum := md5.Sum([]byte(key))
	sealed, err := sealECB([]byte(hex.EncodeToString(sum[:])), plaintext)
	if err != nil {
		return "", fmt.Errorf("req_info: %w", err)
	}
	return base64.StdEncoding.EncodeToString(sealed), nil
}

// sealECB encrypts block by block, padded as PKCS#7 has it.
func sealECB(key, plaintext []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(plaintext)%aes.BlockSize
	out := slices.Concat(plaintext, slices.Repeat([]byte{byte(pad)}, pad))
	for at := 0; at < len(out); at += aes.BlockSize {
		block.Encrypt(out[at:], out[at:at+aes.BlockSize])
	}
	return out, nil
}
