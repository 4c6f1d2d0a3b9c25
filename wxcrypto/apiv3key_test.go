package wxcrypto_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxcrypto"
	"pgregory.net/rapid"
)

const testGCMNonce = "Kj7QIyUiYx1q"

func apiv3Key(tb testing.TB) wxcrypto.APIv3Key {
	tb.Helper()
	key, err := wxcrypto.ParseAPIv3Key(testAPIv3Key)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// seal encrypts as WeChat Pay does, with the standard library alone.
func seal(tb testing.TB, nonce, associatedData string, plaintext []byte) wxcrypto.Resource {
	tb.Helper()
	block, err := aes.NewCipher([]byte(testAPIv3Key))
	if err != nil {
		tb.Fatal(err)
	}
	aead, err := cipher.NewGCMWithNonceSize(block, len(nonce))
	if err != nil {
		tb.Fatal(err)
	}
	return wxcrypto.Resource{
		OriginalType: "transaction", Algorithm: "AEAD_AES_256_GCM", Nonce: nonce, AssociatedData: associatedData,
		Ciphertext: base64.StdEncoding.EncodeToString(aead.Seal(nil, []byte(nonce), plaintext, []byte(associatedData))),
	}
}

func TestParseAPIv3Key(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, key, want string }{
		{"empty", "", "has 0 characters, 32 are needed"},
		{"31 characters", testAPIv3Key[1:], "has 31 characters, 32 are needed"},
		{"33 characters", testAPIv3Key + "0", "has 33 characters, 32 are needed"},
		{"16 characters, good for AES-128", testAPIv3Key[:16], "has 16 characters, 32 are needed"},
		{"line break behind", testAPIv3Key + "\n", "has 33 characters, 32 are needed; there are blanks or line breaks around it"},
		{"blank inside", "0123456789abcdef ABCDEFGHIJKLMNO", "other characters than"},
		{"hyphen", "0123456789abcdef-ABCDEFGHIJKLMNO", "other characters than"},
		{"32 letters, more bytes", strings.Repeat("é", 32), "other characters than"},
		{"32 bytes, fewer letters", strings.Repeat("é", 16), "has 16 characters, 32 are needed"},
		{"NUL", "0123456789abcdefABCDEFGHIJKLMNO\x00", "other characters than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := wxcrypto.ParseAPIv3Key(test.key)
			wantError(t, err, test.want)
			wantNoLineOf(t, err, []byte(test.key))
			if key != (wxcrypto.APIv3Key{}) {
				t.Error("a key all the same")
			}
		})
	}
}

func TestNewAPIv3KeyLength(t *testing.T) {
	t.Parallel()
	_, err := wxcrypto.NewAPIv3Key(make([]byte, 31))
	wantError(t, err, "APIv3 key: crypto/aes: invalid key size 31")
}

func TestOpenRejects(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*wxcrypto.Resource)
		want   error
	}{
		{"another algorithm", func(r *wxcrypto.Resource) { r.Algorithm = "AEAD_SM4_GCM" }, wxcrypto.ErrAlgorithm},
		{"algorithm in lower case", func(r *wxcrypto.Resource) { r.Algorithm = "aead_aes_256_gcm" }, wxcrypto.ErrAlgorithm},
		{"no algorithm", func(r *wxcrypto.Resource) { r.Algorithm = "" }, wxcrypto.ErrAlgorithm},
		{"no resource at all", func(r *wxcrypto.Resource) { *r = wxcrypto.Resource{} }, wxcrypto.ErrAlgorithm},
		{"no nonce", func(r *wxcrypto.Resource) { r.Nonce = "" }, wxcrypto.ErrNonce},
		{"nonce of 11", func(r *wxcrypto.Resource) { r.Nonce = r.Nonce[1:] }, wxcrypto.ErrNonce},
		{"nonce of 13", func(r *wxcrypto.Resource) { r.Nonce += "0" }, wxcrypto.ErrNonce},
		{"nonce of 16, sealed with it", func(r *wxcrypto.Resource) {
			*r = seal(t, "Kj7QIyUiYx1qKj7Q", "transaction", []byte("{}"))
		}, wxcrypto.ErrNonce},
		{"nonce of 12 letters, 24 bytes", func(r *wxcrypto.Resource) { r.Nonce = strings.Repeat("é", 12) }, wxcrypto.ErrNonce},
		{"not base64", func(r *wxcrypto.Resource) { r.Ciphertext = "!" + r.Ciphertext[1:] }, wxcrypto.ErrCiphertext},
		{"URL alphabet", func(r *wxcrypto.Resource) { r.Ciphertext = "_-_-" + r.Ciphertext }, wxcrypto.ErrCiphertext},
		{"no ciphertext", func(r *wxcrypto.Resource) { r.Ciphertext = "" }, wxcrypto.ErrCiphertext},
		{"shorter than the tag", func(r *wxcrypto.Resource) {
			r.Ciphertext = base64.StdEncoding.EncodeToString(make([]byte, 15))
		}, wxcrypto.ErrCiphertext},
		{"a tag of zeros", func(r *wxcrypto.Resource) {
			r.Ciphertext = base64.StdEncoding.EncodeToString(make([]byte, 16))
		}, wxcrypto.ErrDecrypt},
		{"another nonce", func(r *wxcrypto.Resource) { r.Nonce = "Kj7QIyUiYx1Q" }, wxcrypto.ErrDecrypt},
		{"another associated data", func(r *wxcrypto.Resource) { r.AssociatedData = "refund" }, wxcrypto.ErrDecrypt},
		{"no associated data", func(r *wxcrypto.Resource) { r.AssociatedData = "" }, wxcrypto.ErrDecrypt},
		{"end cut off", func(r *wxcrypto.Resource) { r.Ciphertext = r.Ciphertext[:len(r.Ciphertext)-4] }, wxcrypto.ErrDecrypt},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			resource := seal(t, testGCMNonce, "transaction", []byte(`{"trade_state":"SUCCESS"}`))
			test.change(&resource)
			plaintext, err := apiv3Key(t).Open(resource)
			if plaintext != nil {
				t.Errorf("plaintext %q", plaintext)
			}
			requireOnly(t, err, test.want)
		})
	}
}

func TestOpenWithAnotherKey(t *testing.T) {
	t.Parallel()
	other, err := wxcrypto.ParseAPIv3Key(strings.ToLower(testAPIv3Key))
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.Open(seal(t, testGCMNonce, "transaction", []byte("{}")))
	requireOnly(t, err, wxcrypto.ErrDecrypt)
}

func TestOpenWithZeroKey(t *testing.T) {
	t.Parallel()
	plaintext, err := wxcrypto.APIv3Key{}.Open(seal(t, testGCMNonce, "transaction", []byte("{}")))
	if plaintext != nil {
		t.Errorf("plaintext %q", plaintext)
	}
	wantError(t, err, "APIv3 key: not set")
}

// Optional fields may be absent from WeChat Pay's JSON.
func TestOpenWithoutOptionalFields(t *testing.T) {
	t.Parallel()
	sealed := seal(t, testGCMNonce, "", []byte("{}"))
	var resource wxcrypto.Resource
	text := `{"algorithm":"AEAD_AES_256_GCM","nonce":"` + sealed.Nonce + `","ciphertext":"` + sealed.Ciphertext + `"}`
	if err := json.Unmarshal([]byte(text), &resource); err != nil {
		t.Fatal(err)
	}
	if got, err := apiv3Key(t).Open(resource); string(got) != "{}" || err != nil {
		t.Errorf("Open = %q, %v", got, err)
	}
}

// What was sealed opens, and after any one changed bit it does not.
func TestOpenProperty(t *testing.T) {
	t.Parallel()
	key := apiv3Key(t)
	rapid.Check(t, func(r *rapid.T) {
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(r, "plaintext")
		nonce := rapid.StringMatching(`[0-9A-Za-z]{12}`).Draw(r, "nonce")
		resource := seal(t, nonce, rapid.String().Draw(r, "associated data"), plaintext)
		if got, err := key.Open(resource); !bytes.Equal(got, plaintext) || err != nil {
			r.Fatalf("Open = %q, %v", got, err)
		}
		raw, err := base64.StdEncoding.DecodeString(resource.Ciphertext)
		if err != nil {
			r.Fatal(err)
		}
		raw[rapid.IntRange(0, len(raw)-1).Draw(r, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
		resource.Ciphertext = base64.StdEncoding.EncodeToString(raw)
		if got, err := key.Open(resource); got != nil || err == nil {
			r.Fatalf("changed: Open = %q, %v", got, err)
		}
	})
}
