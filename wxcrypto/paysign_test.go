package wxcrypto_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	testAppID    = "wx8888888888888888"
	testPrepayID = "wx201410272009395522657a690389285100"
)

func toJSON(tb testing.TB, v any) string {
	tb.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(raw)
}

// The JSON is passed to the client SDK unread, so its names, its order and what is missing from it matter.
func TestPaySignJSON(t *testing.T) {
	t.Parallel()
	key := merchantKey(t)
	jsapi, err1 := key.SignJSAPI(testAppID, testPrepayID, testNow, testNonce)
	mini, err2 := key.SignMiniProgram(testAppID, testPrepayID, testNow, testNonce)
	app, err3 := key.SignApp(testAppID, testMchID, testPrepayID, testNow, testNonce)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	common := `"timeStamp":"1772366400","nonceStr":"` + testNonce + `","package":"prepay_id=` + testPrepayID +
		`","signType":"RSA","paySign":"` + jsapi.PaySign + `"}`
	for _, test := range []struct{ name, got, want string }{
		{"jsapi", toJSON(t, jsapi), `{"appId":"` + testAppID + `",` + common},
		{"mini-program", toJSON(t, mini), `{` + common},
		{"app", toJSON(t, app), `{"appid":"` + testAppID + `","partnerid":"` + testMchID + `","prepayid":"` + testPrepayID +
			`","package":"Sign=WXPay","noncestr":"` + testNonce + `","timestamp":"1772366400","sign":"` + app.Sign + `"}`},
	} {
		if test.got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, test.got, test.want)
		}
	}
	checkSignature(t, key.Public(), testAppID+"\n1772366400\n"+testNonce+"\nprepay_id="+testPrepayID+"\n", jsapi.PaySign)
	checkSignature(t, key.Public(), testAppID+"\n1772366400\n"+testNonce+"\n"+testPrepayID+"\n", app.Sign)
}

type payInput struct {
	appID, mchID, prepayID string
	at                     time.Time
	nonce                  string
}

func TestPaySignRefuses(t *testing.T) {
	t.Parallel()
	key := merchantKey(t)
	for _, test := range []struct {
		name   string
		change func(*payInput)
		want   string
	}{
		{"no appid", func(in *payInput) { in.appID = "" }, "the appid is empty"},
		{"line feed in appid", func(in *payInput) { in.appID = "wx1\n1" }, "the appid holds"},
		{"no prepay_id", func(in *payInput) { in.prepayID = "" }, "the prepay_id is empty"},
		{"line feed in prepay_id", func(in *payInput) { in.prepayID = "wx1\n" }, "the prepay_id holds"},
		{"whole package for prepay_id", func(in *payInput) { in.prepayID = "prepay_id=wx1" }, "give the bare id"},
		{"no nonce", func(in *payInput) { in.nonce = "" }, "the nonce is empty"},
		{"line feed in nonce", func(in *payInput) { in.nonce = "a\nb" }, "the nonce holds"},
		{"long nonce", func(in *payInput) { in.nonce = strings.Repeat("a", 33) }, "the nonce has 33 characters"},
		{"zero time", func(in *payInput) { in.at = time.Time{} }, "before 1970"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := payInput{testAppID, testMchID, testPrepayID, testNow, testNonce}
			test.change(&in)
			jsapi, err := key.SignJSAPI(in.appID, in.prepayID, in.at, in.nonce)
			wantError(t, err, test.want)
			mini, err := key.SignMiniProgram(in.appID, in.prepayID, in.at, in.nonce)
			wantError(t, err, test.want)
			app, err := key.SignApp(in.appID, in.mchID, in.prepayID, in.at, in.nonce)
			wantError(t, err, test.want)
			if jsapi != (wxcrypto.JSAPIPay{}) || mini != (wxcrypto.JSAPIPay{}) || app != (wxcrypto.AppPay{}) {
				t.Error("parameters all the same")
			}
		})
	}
}

func TestSignAppRefusesMchID(t *testing.T) {
	t.Parallel()
	_, err := merchantKey(t).SignApp(testAppID, "", testPrepayID, testNow, testNonce)
	wantError(t, err, "the merchant id is empty")
}
