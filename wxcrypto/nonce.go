package wxcrypto

import "crypto/rand"

// NewNonce returns 32 random characters of 0-9A-Za-z, about 190 bits. It is the length WeChat Pay's own SDKs use and
// the longest a nonceStr may be.
func NewNonce() string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// A byte has 256 values, 62 letters go into it four times. Taking the 8 left over modulo 62 would favour the
	// first letters; they are thrown away instead.
	const limit = 256 / len(alphabet) * len(alphabet)
	nonce := make([]byte, 0, 32)
	var random [48]byte
	for {
		rand.Read(random[:]) // never fails: crypto/rand ends the program rather than return weak bytes
		for _, b := range random {
			if int(b) >= limit {
				continue
			}
			nonce = append(nonce, alphabet[int(b)%len(alphabet)])
			if len(nonce) == cap(nonce) {
				return string(nonce)
			}
		}
	}
}
