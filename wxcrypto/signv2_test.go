package wxcrypto_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// testAPIv2Key is the key of the documentation's sample of a sign.
const testAPIv2Key = "192006250b4c09247ec02edce69f6a2d"

func apiv2Key(tb testing.TB) wxcrypto.APIv2Key {
	tb.Helper()
	key, err := wxcrypto.ParseAPIv2Key(testAPIv2Key)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// The documentation's sample (API v2, chapter 4_3), as in github.com/binarywang/WxJava SignUtilsTest (T17).
const (
	sampleMD5  = "9A0A8659F005D6984697E2CA0A9CF3B7"
	sampleHMAC = "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
)

func sampleV2() map[string]string {
	return map[string]string{
		"appid": "wxd930ea5d5a258f4f", "mch_id": "10000100", "device_info": "1000", "body": "test",
		"nonce_str": "ibuaiVcKdpRxkhJA",
	}
}

func TestParseAPIv2Key(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, key, want string }{
		{"empty", "", "APIv2 key: has 0 characters, 32 are needed"},
		{"31 characters", testAPIv2Key[1:], "APIv2 key: has 31 characters, 32 are needed"},
		{"blank behind", testAPIv2Key + " ", "APIv2 key: has 33 characters, 32 are needed; there are blanks or line breaks around it"},
		{"hyphen", "-" + testAPIv2Key[1:], "APIv2 key: holds other characters than 0-9, A-Z and a-z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := wxcrypto.ParseAPIv2Key(test.key)
			if err == nil || err.Error() != test.want || key != (wxcrypto.APIv2Key{}) {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

func TestVectorSignV2(t *testing.T) {
	t.Parallel()
	for signType, want := range map[wxcrypto.SignType]string{
		wxcrypto.SignMD5: sampleMD5, wxcrypto.SignHMACSHA256: sampleHMAC,
	} {
		got, err := apiv2Key(t).Sign(sampleV2(), signType)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", signType, got, err, want)
		}
	}
}

// What is empty is not signed, and neither is the sign itself.
func TestSignV2LeavesOut(t *testing.T) {
	t.Parallel()
	fields := sampleV2()
	fields["attach"], fields["sign"] = "", sampleHMAC
	if got, err := apiv2Key(t).Sign(fields, wxcrypto.SignMD5); err != nil || got != sampleMD5 {
		t.Errorf("%s, %v", got, err)
	}
}

func TestSignV2UnknownType(t *testing.T) {
	t.Parallel()
	for _, signType := range []wxcrypto.SignType{"", "RSA", "md5"} {
		if got, err := apiv2Key(t).Sign(sampleV2(), signType); !errors.Is(err, wxcrypto.ErrSignType) || got != "" {
			t.Errorf("%q: %q, %v", signType, got, err)
		}
	}
}

// TestVerifyV2 changes one thing in the sample.
func TestVerifyV2(t *testing.T) {
	t.Parallel()
	other, err := wxcrypto.ParseAPIv2Key(strings.Repeat("0", 32))
	if err != nil {
		t.Fatal(err)
	}
	others, err := other.Sign(sampleV2(), wxcrypto.SignMD5)
	if err != nil {
		t.Fatal(err)
	}
	set := func(name, value string) func(map[string]string) {
		return func(fields map[string]string) { fields[name] = value }
	}
	for _, test := range []struct {
		name   string
		change func(map[string]string)
		want   error
	}{
		{"MD5", set("sign", sampleMD5), nil},
		{"HMAC-SHA256", set("sign", sampleHMAC), nil},
		{"an empty field more", set("attach", ""), nil},
		{"no sign", func(fields map[string]string) { delete(fields, "sign") }, wxcrypto.ErrUnsigned},
		{"an empty sign", set("sign", ""), wxcrypto.ErrUnsigned},
		{"a sign of SHA-1's length", set("sign", sampleMD5+"00000000"), wxcrypto.ErrSignType},
		{"half a sign", set("sign", sampleMD5[:16]), wxcrypto.ErrSignType},
		{"half an HMAC", set("sign", sampleHMAC[:32]), wxcrypto.ErrSignature},
		{"lower case", set("sign", strings.ToLower(sampleMD5)), wxcrypto.ErrSignature},
		{"signed with another key", set("sign", others), wxcrypto.ErrSignature},
		{"another value", set("body", "best"), wxcrypto.ErrSignature},
		{"a blank behind a value", set("body", "test "), wxcrypto.ErrSignature},
		{"an unknown field more", set("unknown", "1"), wxcrypto.ErrSignature},
		{"a field less", func(fields map[string]string) { delete(fields, "device_info") }, wxcrypto.ErrSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fields := sampleV2()
			fields["sign"] = sampleMD5
			test.change(fields)
			if err := apiv2Key(t).Verify(fields); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

// A key that was never set must not sign with nothing.
func TestZeroAPIv2Key(t *testing.T) {
	t.Parallel()
	var key wxcrypto.APIv2Key
	fields := sampleV2()
	if got, err := key.Sign(fields, wxcrypto.SignMD5); err == nil || got != "" {
		t.Errorf("signed: %q, %v", got, err)
	}
	fields["sign"] = "F5A1A4B0E7E3F4C0AE8D5D1D3B3F8A11"
	if err := key.Verify(fields); err == nil {
		t.Error("verified")
	}
	if got, err := key.OpenReqInfo("AAAAAAAAAAAAAAAAAAAAAA=="); err == nil || got != nil {
		t.Errorf("opened: %q, %v", got, err)
	}
}

// The parameters of the clients are signed as the fields that the SDKs take, with their names.
func TestPaySignV2(t *testing.T) {
	t.Parallel()
	const appID, prepayID, nonce = "wx2421b1c4370ec43b", "wx201410272009395522657a690389285100", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"
	key, at := apiv2Key(t), time.Unix(1554208460, 0)
	for _, signType := range []wxcrypto.SignType{wxcrypto.SignMD5, wxcrypto.SignHMACSHA256} {
		jsapi, err := key.SignJSAPI(appID, prepayID, signType, at, nonce)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"appId": appID, "timeStamp": "1554208460", "nonceStr": nonce, "package": "prepay_id=" + prepayID,
			"signType": string(signType), "paySign": jsapi.PaySign,
		}
		if got := fieldsOf(t, jsapi); !maps.Equal(got, want) {
			t.Errorf("JSAPI %v", got)
		}
		checkPaySignV2(t, want, "paySign", signType)

		mini, err := key.SignMiniProgram(appID, prepayID, signType, at, nonce)
		if err != nil || mini.AppID != "" || mini.PaySign != jsapi.PaySign {
			t.Errorf("mini-program %+v, %v", mini, err)
		}

		app, err := key.SignApp(appID, testMchID, prepayID, signType, at, nonce)
		if err != nil {
			t.Fatal(err)
		}
		want = map[string]string{
			"appid": appID, "partnerid": testMchID, "prepayid": prepayID, "package": "Sign=WXPay",
			"noncestr": nonce, "timestamp": "1554208460", "sign": app.Sign,
		}
		if got := fieldsOf(t, app); !maps.Equal(got, want) {
			t.Errorf("App %v", got)
		}
		checkPaySignV2(t, want, "sign", signType)
	}
	if _, err := key.SignJSAPI(appID, "prepay_id="+prepayID, wxcrypto.SignMD5, at, nonce); err == nil {
		t.Error("a prepay_id with prepay_id= in front was signed")
	}
	if _, err := key.SignApp(appID, "", prepayID, wxcrypto.SignMD5, at, nonce); err == nil {
		t.Error("no merchant id was signed")
	}
	if _, err := key.SignJSAPI(appID, prepayID, "RSA", at, nonce); !errors.Is(err, wxcrypto.ErrSignType) {
		t.Errorf("sign type of API v3: %v", err)
	}
}

// checkPaySignV2 verifies a set of parameters as the client's side does: as one set, all but the sign.
func checkPaySignV2(t *testing.T, pay map[string]string, signField string, signType wxcrypto.SignType) {
	t.Helper()
	rest := maps.Clone(pay)
	delete(rest, signField)
	if got, err := apiv2Key(t).Sign(rest, signType); err != nil || got != pay[signField] {
		t.Errorf("sign %s, want %s, %v", pay[signField], got, err)
	}
}

// fieldsOf is an object as a client's SDK gets it.
func fieldsOf(t *testing.T, pay any) map[string]string {
	t.Helper()
	var fields map[string]string
	if err := json.Unmarshal([]byte(toJSON(t, pay)), &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}
