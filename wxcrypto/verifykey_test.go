package wxcrypto_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

func TestParsePublicKeyID(t *testing.T) {
	t.Parallel()
	text := publicPEM(t, &wechatRSA().PublicKey)
	for _, test := range []struct{ name, id, want string }{
		{"none", "", "the id is empty"},
		{"serial of a certificate", testSerial, "is the serial number of a certificate"},
		{"serial in lower case", strings.ToLower(testSerial), "is the serial number of a certificate"},
		{"prefix alone", "PUB_KEY_ID_", "and what follows it"},
		{"without prefix", "0119000000012024Z", "must be PUB_KEY_ID_"},
		{"prefix in lower case", strings.ToLower(testPublicKeyID), "must be PUB_KEY_ID_"},
		{"blank in front", " " + testPublicKeyID, "must be PUB_KEY_ID_"},
		{"line break behind", testPublicKeyID + "\n", "holds blanks"},
		{"quote", testPublicKeyID + `"`, "holds blanks or other characters"},
		{"too long", "PUB_KEY_ID_" + strings.Repeat("0", 200), "too long"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := wxcrypto.ParsePublicKey(test.id, text)
			wantError(t, err, test.want)
		})
	}
}

func TestPublicKeyFields(t *testing.T) {
	t.Parallel()
	key := wechatPublicKey(t)
	if key.Serial() != testPublicKeyID || !key.PublicKey().Equal(&wechatRSA().PublicKey) {
		t.Errorf("%v", key)
	}
	if !key.NotBefore().IsZero() || !key.NotAfter().IsZero() {
		t.Errorf("a validity: %v to %v", key.NotBefore(), key.NotAfter())
	}
	if got := fmt.Sprint(key); got != "wxcrypto.VerifyKey("+testPublicKeyID+")" {
		t.Errorf("prints %s", got)
	}
}

func TestCertificateFields(t *testing.T) {
	t.Parallel()
	from, to := testNow.AddDate(-1, 0, 0), testNow.AddDate(4, 0, 0)
	for _, test := range []struct{ given, want string }{
		{"5157f09efdc096de15ebe81a47057a72aabbccdd", "5157F09EFDC096DE15EBE81A47057A72AABBCCDD"},
		{"0A57F09EFDC096DE15EBE81A47057A72AABBCCDD", "0A57F09EFDC096DE15EBE81A47057A72AABBCCDD"},
		{"FF57F09EFDC096DE15EBE81A47057A72AABBCCDD", "FF57F09EFDC096DE15EBE81A47057A72AABBCCDD"},
		{"7", "07"},
		{"ABC", "0ABC"},
		{"100", "0100"},
	} {
		t.Run(test.given, func(t *testing.T) {
			t.Parallel()
			key := wechatCertificate(t, test.given, from, to)
			if key.Serial() != test.want {
				t.Errorf("serial %q, want %q", key.Serial(), test.want)
			}
			if !key.NotBefore().Equal(from) || !key.NotAfter().Equal(to) {
				t.Errorf("valid %v to %v", key.NotBefore(), key.NotAfter())
			}
			if !key.PublicKey().Equal(&wechatRSA().PublicKey) {
				t.Error("another key")
			}
		})
	}
}
