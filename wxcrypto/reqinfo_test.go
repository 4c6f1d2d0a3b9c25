package wxcrypto_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

type reqInfoVector struct {
	Key     string `json:"key"`
	ReqInfo string `json:"req_info"`
}

// blockOfV2 is AES under the key of req_info, made with the standard library alone.
func blockOfV2(tb testing.TB, apiv2Key string) cipher.Block {
	tb.Helper()
	digest := md5.Sum([]byte(apiv2Key))
	block, err := aes.NewCipher([]byte(hex.EncodeToString(digest[:])))
	if err != nil {
		tb.Fatal(err)
	}
	return block
}

// sealReqInfo encrypts blocks that have their padding already.
func sealReqInfo(tb testing.TB, padded string) string {
	tb.Helper()
	block, out := blockOfV2(tb, testAPIv2Key), make([]byte, len(padded))
	for i := 0; i < len(padded); i += aes.BlockSize {
		block.Encrypt(out[i:], []byte(padded)[i:i+aes.BlockSize])
	}
	return base64.StdEncoding.EncodeToString(out)
}

// pad is PKCS#7.
func pad(text string) string {
	n := aes.BlockSize - len(text)%aes.BlockSize
	return text + strings.Repeat(string(rune(n)), n)
}

// github.com/wechatpay-apiv3/wechatpay-php tests/Crypto/AesEcbTest.php (T15).
func TestVectorECB(t *testing.T) {
	t.Parallel()
	block, err := aes.NewCipher([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	ciphertext, err := base64.StdEncoding.DecodeString("pZwJZBLuy3mDACEQT4YTBw==")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wxcrypto.OpenECB(block, ciphertext); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestVectorReqInfo(t *testing.T) {
	t.Parallel()
	vector := readJSON[reqInfoVector](t, "gopay_req_info.json")
	key, err := wxcrypto.ParseAPIv2Key(vector.Key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := key.OpenReqInfo(vector.ReqInfo)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<root>", "50fd012ed1b311e7af7800163e32c503", "2017-11-25 15:36:17", "</root>"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if got, err := apiv2Key(t).OpenReqInfo(vector.ReqInfo); !errors.Is(err, wxcrypto.ErrReqInfoKey) || got != nil {
		t.Errorf("opened with another key: %q, %v", got, err)
	}
}

func TestOpenReqInfo(t *testing.T) {
	t.Parallel()
	const text = "<root></root>"
	for _, test := range []struct {
		name, reqInfo string
		want          error
	}{
		{"good", sealReqInfo(t, pad(text)), nil},
		{"empty", "", wxcrypto.ErrReqInfo},
		{"not base64", "!" + sealReqInfo(t, pad(text))[1:], wxcrypto.ErrReqInfo},
		{"half a block", base64.StdEncoding.EncodeToString(make([]byte, 24)), wxcrypto.ErrReqInfo},
		{"too long", strings.Repeat("A", 64<<10+1), wxcrypto.ErrReqInfo},
		{"padding of nothing", sealReqInfo(t, text+"\x03\x03\x00"), wxcrypto.ErrReqInfoKey},
		{"padding of more than a block", sealReqInfo(t, text+"\x11\x11\x11"), wxcrypto.ErrReqInfoKey},
		{"padding that is not the same all over", sealReqInfo(t, text+"\x03\x02\x03"), wxcrypto.ErrReqInfoKey},
		{"padding longer than the text", sealReqInfo(t, text+"\x10\x10\x10"), wxcrypto.ErrReqInfoKey},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := apiv2Key(t).OpenReqInfo(test.reqInfo)
			if !errors.Is(err, test.want) || (err == nil) != (string(got) == text) || err != nil && got != nil {
				t.Errorf("%q, %v, want %v", got, err, test.want)
			}
		})
	}
}

// A plaintext of whole blocks has a block of padding behind it, and nothing may be one.
func TestOpenReqInfoWholeBlocks(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", strings.Repeat("x", 16), strings.Repeat("x", 32)} {
		if got, err := apiv2Key(t).OpenReqInfo(sealReqInfo(t, pad(text))); err != nil || string(got) != text {
			t.Errorf("%d bytes: %q, %v", len(text), got, err)
		}
	}
}

func reqInfoSeeds(tb testing.TB) []string {
	good := sealReqInfo(tb, pad("<root><refund_status>SUCCESS</refund_status></root>"))
	return []string{
		good, sealReqInfo(tb, pad("")), "", good[:24], good + "=", strings.Repeat("A", 64),
		readJSON[reqInfoVector](tb, "gopay_req_info.json").ReqInfo,
	}
}

// Whatever req_info comes: it is refused with one of the sentinels, or returns the plaintext that encrypts to it.
func FuzzOpenReqInfo(f *testing.F) {
	seeds := reqInfoSeeds(f)
	for _, reqInfo := range seeds {
		f.Add(reqInfo)
	}
	key := apiv2Key(f)
	f.Fuzz(func(t *testing.T, reqInfo string) {
		plaintext, err := key.OpenReqInfo(reqInfo)
		if err == nil {
			raw, _ := base64.StdEncoding.DecodeString(reqInfo)
			if again := sealReqInfo(t, pad(string(plaintext))); again != base64.StdEncoding.EncodeToString(raw) {
				t.Errorf("opened to %q, which encrypts to something else", plaintext)
			}
			return
		}
		if plaintext != nil || !errors.Is(err, wxcrypto.ErrReqInfo) && !errors.Is(err, wxcrypto.ErrReqInfoKey) {
			t.Errorf("%q, %v", plaintext, err)
		}
	})
}
