// Package seal keeps texts that leave the kit, in a link or a cookie, from
// being altered before they come back. It hides nothing: whoever holds a sealed
// text can read it.
package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// What is wrong with a sealed text.
var (
	ErrBroken  = errors.New("seal: not sealed here, or not for this purpose")
	ErrExpired = errors.New("seal: its time is over")
)

// macSize and timeSize are the parts before the text.
const (
	macSize  = sha256.Size
	timeSize = 8
)

// Key seals and opens. All replicas of an app must have the same.
type Key struct{ secret []byte }

// New derives a key of its own from a secret of at least 32 random characters,
// so that nothing sealed tells anything about the secret, whatever else it is
// used for. Source: RFC 5869.
func New(secret string) (Key, error) {
	derived, err := hkdf.Key(sha256.New, []byte(secret), nil, "github.com/wxpaykit/wxpay/internal/seal", sha256.Size)
	return Key{derived}, err
}

// Seal returns text in a form for URLs and cookies. It opens until the given
// time, in seconds, for the same purpose only.
func (k Key) Seal(purpose, text string, until time.Time) string {
	b := make([]byte, macSize, macSize+timeSize+len(text))
	b = binary.BigEndian.AppendUint64(b, uint64(until.Unix()))
	b = append(b, text...)
	copy(b, k.mac(purpose, b[macSize:]))
	return base64.RawURLEncoding.EncodeToString(b)
}

// Open returns the text, or [ErrBroken] or [ErrExpired].
func (k Key) Open(purpose, sealed string, now time.Time) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) < macSize+timeSize || !hmac.Equal(b[:macSize], k.mac(purpose, b[macSize:])) {
		return "", ErrBroken
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(b[macSize:])), 0)
	if now.After(until) {
		return "", ErrExpired
	}
	return string(b[macSize+timeSize:]), nil
}

// mac is over the purpose's length too, so that no purpose is another's
// beginning.
func (k Key) mac(purpose string, rest []byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(purpose))))
	h.Write([]byte(purpose))
	h.Write(rest)
	return h.Sum(nil)
}
