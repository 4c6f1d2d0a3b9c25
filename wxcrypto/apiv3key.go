package wxcrypto

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// What [APIv3Key.Open] refuses, in the order it looks. Match with [errors.Is].
var (
	ErrAlgorithm  = errors.New("wxcrypto: resource algorithm is not AEAD_AES_256_GCM")
	ErrNonce      = errors.New("wxcrypto: resource nonce is not 12 bytes")
	ErrCiphertext = errors.New("wxcrypto: resource ciphertext is damaged")
	ErrDecrypt    = errors.New("wxcrypto: resource does not open with this APIv3 key")
)

// APIv3Key is the merchant's APIv3 key (APIv3密钥). It opens what WeChat Pay encrypted with it: the resource of a
// notification and the certificates of GET /v3/certificates. Build it with [ParseAPIv3Key]; the zero value opens
// nothing. It prints as redacted in every form and is safe for concurrent use.
type APIv3Key struct {
	aead cipher.AEAD // the key itself is not kept
}

// secretLen is how many characters the APIv3 key has, and the APIv2 key.
const secretLen = 32

// ParseAPIv3Key takes the APIv3 key as it was set on the merchant platform: 32 characters 0-9A-Za-z, whose bytes are
// the key; it is not hex and not base64. The APIv2 key is another one. The error says what is wrong, for instance the
// length, and never repeats the key.
func ParseAPIv3Key(s string) (APIv3Key, error) {
	if err := checkSecret("APIv3 key", s); err != nil {
		return APIv3Key{}, err
	}
	return newAPIv3Key([]byte(s))
}

// checkSecret takes what the merchant platform takes for a key.
func checkSecret(name, s string) error {
	if n := utf8.RuneCountInString(s); n != secretLen {
		hint := ""
		if n > 0 && strings.TrimSpace(s) != s {
			hint = "; there are blanks or line breaks around it"
		}
		return fmt.Errorf("%s: has %d characters, %d are needed%s", name, n, secretLen, hint)
	}
	if strings.ContainsFunc(s, notAlphanumeric) {
		return fmt.Errorf("%s: holds other characters than 0-9, A-Z and a-z", name)
	}
	return nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// newAPIv3Key builds the AEAD once; it has no state of its own, so one serves all goroutines.
func newAPIv3Key(raw []byte) (APIv3Key, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return APIv3Key{}, fmt.Errorf("APIv3 key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return APIv3Key{}, fmt.Errorf("APIv3 key: %w", err)
	}
	return APIv3Key{aead: aead}, nil
}

// Resource is the encrypted part of a notification, and of each certificate in GET /v3/certificates. OriginalType
// (transaction, refund, …) and AssociatedData may be empty or absent; Nonce is 12 ASCII characters used as they are;
// Ciphertext is standard base64 and ends in the 16 bytes of the tag.
type Resource struct {
	OriginalType   string `json:"original_type"`
	Algorithm      string `json:"algorithm"`
	Ciphertext     string `json:"ciphertext"`
	AssociatedData string `json:"associated_data"`
	Nonce          string `json:"nonce"`
}

// Open decrypts a resource with AES-256-GCM and returns the plaintext, JSON or PEM (wire: API v3, 回调解密). The error
// wraps [ErrAlgorithm], [ErrNonce], [ErrCiphertext] or [ErrDecrypt]; with ErrDecrypt the APIv3 key is another one than
// the merchant platform's, or the bytes were changed on the way. Nothing of a plaintext is returned unless its tag fits.
//
// Opening proves only that somebody knows the APIv3 key. That a notification is WeChat Pay's is proven by
// [KeySet.Verify], which comes first.
func (k APIv3Key) Open(r Resource) ([]byte, error) {
	if k.aead == nil {
		return nil, errors.New("APIv3 key: not set")
	}
	if r.Algorithm != "AEAD_AES_256_GCM" {
		return nil, fmt.Errorf("%w: %.40q", ErrAlgorithm, r.Algorithm)
	}
	// Checked here because GCM panics on it, and a signed body may still lack it.
	if len(r.Nonce) != k.aead.NonceSize() {
		return nil, fmt.Errorf("%w: it has %d", ErrNonce, len(r.Nonce))
	}
	ciphertext, err := base64.StdEncoding.DecodeString(r.Ciphertext)
	if err != nil {
		return nil, fmt.Errorf("%w: not base64", ErrCiphertext)
	}
	if len(ciphertext) < k.aead.Overhead() {
		return nil, fmt.Errorf("%w: %d bytes are shorter than the tag", ErrCiphertext, len(ciphertext))
	}
	plaintext, err := k.aead.Open(ciphertext[:0], []byte(r.Nonce), ciphertext, []byte(r.AssociatedData)) // in its place
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

const redactedAPIv3Key = "wxcrypto.APIv3Key(redacted)"

// String returns a fixed text without the key.
func (k APIv3Key) String() string { return redactedAPIv3Key }

// GoString is String, for %#v.
func (k APIv3Key) GoString() string { return redactedAPIv3Key }

// LogValue is String, for log/slog.
func (k APIv3Key) LogValue() slog.Value { return slog.StringValue(redactedAPIv3Key) }

// MarshalText is String, for encoding/json and its like.
func (k APIv3Key) MarshalText() ([]byte, error) { return []byte(redactedAPIv3Key), nil }
