package wxcrypto

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// SignType is how API v2 signs, as its sign_type and signType name it.
type SignType string

// The sign types. MD5 is WeChat Pay's default.
const (
	SignMD5        SignType = "MD5"
	SignHMACSHA256 SignType = "HMAC-SHA256"
)

// What [APIv2Key.Verify] and [APIv2Key.Sign] refuse. A sign that does not match is [ErrSignature]. Match with
// [errors.Is].
var (
	ErrUnsigned = errors.New("wxcrypto: sign is missing")
	ErrSignType = errors.New("wxcrypto: sign type is neither MD5 nor HMAC-SHA256")
)

// Sign returns the sign of a flat set of parameters: every one that is not empty, except sign itself (wire: API v2,
// 签名算法). The values are signed as they are, neither escaped nor trimmed, so what is sent must be these very values.
func (k APIv2Key) Sign(fields map[string]string, t SignType) (string, error) {
	if k.secret == nil {
		return "", errNoAPIv2Key
	}
	message := k.message(fields)
	var sum []byte
	switch t {
	case SignMD5:
		digest := md5.Sum(message)
		sum = digest[:]
	case SignHMACSHA256:
		mac := hmac.New(sha256.New, k.secret.key[:]) // over a message that ends in the key all the same
		mac.Write(message)
		sum = mac.Sum(nil)
	default:
		return "", fmt.Errorf("%w: %.20q", ErrSignType, string(t))
	}
	return strings.ToUpper(hex.EncodeToString(sum)), nil
}

// Verify checks the sign of all the parameters that were received, those too that the caller does not know. Its length
// tells the type, for notifications may lack sign_type. The error wraps [ErrUnsigned], [ErrSignType] or [ErrSignature];
// until it has returned nil nothing may be believed.
//
// A sign has no time in it and the values are not delimited, so a message that was recorded verifies for ever: whoever
// acts on one must be idempotent.
func (k APIv2Key) Verify(fields map[string]string) error {
	got := fields["sign"]
	var t SignType
	switch len(got) {
	case 0:
		return ErrUnsigned
	case hex.EncodedLen(md5.Size):
		t = SignMD5
	case hex.EncodedLen(sha256.Size):
		t = SignHMACSHA256
	default:
		return fmt.Errorf("%w: sign has %d characters", ErrSignType, len(got))
	}
	want, err := k.Sign(fields, t)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return ErrSignature
	}
	return nil
}

// message is k=v&k=v…&key=KEY in the order of the bytes of the names.
func (k APIv2Key) message(fields map[string]string) []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if value := fields[name]; value != "" && name != "sign" {
			b.WriteString(name + "=" + value + "&")
		}
	}
	b.WriteString("key=")
	b.Write(k.secret.key[:])
	return b.Bytes()
}
