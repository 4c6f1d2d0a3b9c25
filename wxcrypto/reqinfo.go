package wxcrypto

import (
	"bytes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
)

// What [APIv2Key.OpenReqInfo] refuses. Match with [errors.Is].
var (
	ErrReqInfo    = errors.New("wxcrypto: req_info is damaged")
	ErrReqInfoKey = errors.New("wxcrypto: req_info does not open with this APIv2 key")
)

// maxReqInfo is the longest req_info, in characters of base64. A refund has about 1,100.
const maxReqInfo = 64 << 10

// OpenReqInfo decrypts the req_info of a refund notification of API v2 and returns the plaintext, XML (wire: API v2,
// 退款结果通知). The error wraps [ErrReqInfo] or [ErrReqInfoKey].
//
// AES-ECB has no integrity: blocks can be exchanged or left out, and a wrong key shows only by chance, in one case of
// some 256 not even in the padding. What was opened is a hint and no proof; ask WeChat Pay before acting on it.
func (k APIv2Key) OpenReqInfo(reqInfo string) ([]byte, error) {
	if k.secret == nil {
		return nil, errNoAPIv2Key
	}
	if len(reqInfo) > maxReqInfo {
		return nil, fmt.Errorf("%w: it is longer than %d", ErrReqInfo, maxReqInfo)
	}
	ciphertext, err := base64.StdEncoding.DecodeString(reqInfo)
	if err != nil {
		return nil, fmt.Errorf("%w: not base64", ErrReqInfo)
	}
	return openECB(k.secret.reqInfo, ciphertext)
}

// openECB decrypts and takes the padding off, which must be that of PKCS#7 to the last byte.
func openECB(block cipher.Block, ciphertext []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(ciphertext) == 0 || len(ciphertext)%size != 0 {
		return nil, fmt.Errorf("%w: %d bytes are not whole blocks of %d", ErrReqInfo, len(ciphertext), size)
	}
	plaintext := make([]byte, len(ciphertext))
	for i := 0; i < len(ciphertext); i += size {
		block.Decrypt(plaintext[i:], ciphertext[i:i+size])
	}
	n := int(plaintext[len(plaintext)-1])
	if n < 1 || n > size {
		return nil, ErrReqInfoKey
	}
	text, padding := plaintext[:len(plaintext)-n], plaintext[len(plaintext)-n:]
	if !bytes.Equal(padding, bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, ErrReqInfoKey
	}
	return text, nil
}
