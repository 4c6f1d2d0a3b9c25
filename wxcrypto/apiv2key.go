package wxcrypto

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
)

// APIv2Key is the merchant's APIv2 key (API密钥), the one secret of the legacy API v2: both sides sign with it, and it
// opens the req_info of refund notifications. It is another key than the [APIv3Key] and neither stands in for the
// other. Build it with [ParseAPIv2Key]; the zero value signs, verifies and opens nothing. It prints as redacted in every
// form and is safe for concurrent use.
type APIv2Key struct {
	secret *apiv2Secret
}

// apiv2Secret is behind a pointer, and the key behind another: fmt follows one of them for a verb that does not fit, and
// shows the second as an address.
type apiv2Secret struct {
	key     *[secretLen]byte
	reqInfo cipher.Block
}

// ParseAPIv2Key takes the APIv2 key as it was set on the merchant platform: 32 characters 0-9A-Za-z, used as they are;
// it is not hex and not base64. The error says what is wrong, for instance the length, and never repeats the key.
func ParseAPIv2Key(s string) (APIv2Key, error) {
	if err := checkSecret("APIv2 key", s); err != nil {
		return APIv2Key{}, err
	}
	// The AES key is the text of the MD5, 32 lower-case hex digits with their leading zeros, not its 16 bytes
	// (wire: API v2, 退款结果通知).
	digest := md5.Sum([]byte(s))
	block, err := aes.NewCipher([]byte(hex.EncodeToString(digest[:])))
	if err != nil {
		return APIv2Key{}, fmt.Errorf("APIv2 key: %w", err)
	}
	return APIv2Key{&apiv2Secret{key: (*[secretLen]byte)([]byte(s)), reqInfo: block}}, nil
}

var errNoAPIv2Key = errors.New("APIv2 key: not set")

const redactedAPIv2Key = "wxcrypto.APIv2Key(redacted)"

// String returns a fixed text without the key.
func (k APIv2Key) String() string { return redactedAPIv2Key }

// GoString is String, for %#v.
func (k APIv2Key) GoString() string { return redactedAPIv2Key }

// LogValue is String, for log/slog.
func (k APIv2Key) LogValue() slog.Value { return slog.StringValue(redactedAPIv2Key) }

// MarshalText is String, for encoding/json and its like.
func (k APIv2Key) MarshalText() ([]byte, error) { return []byte(redactedAPIv2Key), nil }
