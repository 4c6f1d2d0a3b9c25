package wxpay_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxcrypto"
	"github.com/wxpaykit/wxpay/wxsim"
)

// optionsV2 are complete for an account that has API v2 only.
func optionsV2(t testing.TB) wxpay.Options {
	t.Helper()
	o := goodOptions(t)
	o.API = wxpay.APIv2
	o.Merchant = wxpay.Merchant{MchID: o.Merchant.MchID, AppID: o.Merchant.AppID, APIv2Key: keyV2}
	return o
}

// TestAPIFaults changes one thing in good options.
func TestAPIFaults(t *testing.T) {
	t.Parallel()
	acct := wxsim.Start(t).Account()
	own := certificate(t, merchantKey(t, acct.PrivateKeyPEM), acct.SerialNo)
	refunds := func(o *wxpay.Options) {
		o.AuthorizeRefund = func(*http.Request, string, wxpay.Order) error { return nil }
	}
	certified := func(o *wxpay.Options) { o.Merchant.Certificate, o.Merchant.PrivateKey = own, acct.PrivateKeyPEM }
	const needCertificate = "wxpay: Options.AuthorizeRefund and RefundLate need Merchant.Certificate and PrivateKey with API v2: the texts of apiclient_cert.pem and apiclient_key.pem (WXPAY_CERT_FILE, WXPAY_PRIVATE_KEY_FILE)"
	for _, c := range []struct {
		name   string
		base   func(testing.TB) wxpay.Options
		change func(*wxpay.Options)
		want   string // empty: it is good
	}{
		{"v2 only", optionsV2, func(*wxpay.Options) {}, ""},
		{"v3 only", goodOptions, func(*wxpay.Options) {}, ""},
		{"v3, with notifications of v2", goodOptions, func(o *wxpay.Options) { o.Merchant.APIv2Key = keyV2 }, ""},
		{"v2, with all of v3", goodOptions, func(o *wxpay.Options) { o.API, o.Merchant.APIv2Key = wxpay.APIv2, keyV2 }, ""},
		{"HMAC-SHA256", optionsV2, func(o *wxpay.Options) { o.SignTypeV2 = wxcrypto.SignHMACSHA256 }, ""},
		{"no such API", goodOptions, func(o *wxpay.Options) { o.API = 4 }, "wxpay: Options.API is 4: use APIv3 or APIv2"},
		{"no such sign type", optionsV2, func(o *wxpay.Options) { o.SignTypeV2 = "RSA" }, `wxpay: Options.SignTypeV2 is "RSA": use wxcrypto.SignMD5 or wxcrypto.SignHMACSHA256`},
		{"no key", optionsV2, func(o *wxpay.Options) { o.Merchant.APIv2Key, o.Secret = "", strings.Repeat("x", 32) }, "wxpay: Merchant.APIv2Key is required to order through API v2: its key on the merchant platform (WXPAY_APIV2_KEY)"},
		{"a key of 31", goodOptions, func(o *wxpay.Options) { o.Merchant.APIv2Key = keyV2[1:] }, "wxpay: Merchant.APIv2Key (WXPAY_APIV2_KEY): APIv2 key: has 31 characters, 32 are needed"},
		{"one key for both", goodOptions, func(o *wxpay.Options) { o.Merchant.APIv2Key = o.Merchant.APIv3Key }, "wxpay: Merchant.APIv2Key is the same as APIv3Key: they are two settings of the merchant platform and must differ, so that who learns one cannot use the other"},
		{"the key of v3 and nothing else of it", optionsV2, func(o *wxpay.Options) { o.Merchant.APIv3Key = strings.Repeat("0", 32) }, "wxpay: Merchant.PrivateKey is required: the text of apiclient_key.pem (WXPAY_PRIVATE_KEY_FILE)\nwxpay: Merchant.CertSerial is required: the serial of apiclient_cert.pem (WXPAY_CERT_SERIAL)"},

		{"refunds without a certificate", optionsV2, refunds, needCertificate},
		{"refunds of late money without a certificate", optionsV2, func(o *wxpay.Options) { o.LatePayment = wxpay.RefundLate }, needCertificate},
		{"refunds at a simulator", optionsV2, func(o *wxpay.Options) { refunds(o); o.Merchant.APIBase = loopbackAPI }, ""},
		{"refunds with a certificate", optionsV2, func(o *wxpay.Options) { refunds(o); certified(o) }, ""},
		{"refunds with a certificate and a signer", optionsV2, func(o *wxpay.Options) {
			refunds(o)
			o.Merchant.Certificate, o.Merchant.Signer = own, merchantKey(t, acct.PrivateKeyPEM)
		}, ""},
		{"a certificate without its key", optionsV2, func(o *wxpay.Options) { o.Merchant.Certificate = own }, "wxpay: Merchant.PrivateKey is required: the text of apiclient_key.pem (WXPAY_PRIVATE_KEY_FILE)"},
		{"a certificate of another key", optionsV2, func(o *wxpay.Options) { certified(o); o.Merchant.Certificate = acct.PlatformCertPEM }, "wxpay: Merchant.PrivateKey does not belong to Certificate: take both from one download"},

		{"bills without v3", optionsV2, func(o *wxpay.Options) { o.ReconcileDaily = true }, "wxpay: Options.ReconcileDaily needs API v3, where the bills are: set Merchant.APIv3Key, CertSerial and PrivateKey too"},
		{"no way to /notify/v2", optionsV2, func(o *wxpay.Options) { o.NotifyURL = "https://shop.example.com/wx" }, "wxpay: Options.NotifyURLv2 is required: the public https address of this kit's /notify/v2, such as https://shop.example.com/pay/notify/v2"},
		{"/notify/v2 over http", optionsV2, func(o *wxpay.Options) { o.NotifyURLv2 = "http://shop.example.com/v2" }, "wxpay: Options.NotifyURLv2 must be https (http is taken for loopback hosts only)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := c.base(t)
			c.change(&o)
			_, err := wxpay.New(o)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("good options: %v", err)
			case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
				t.Errorf("error\n%v, want\n%s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), keyV2[1:]) {
				t.Errorf("the error holds a key: %v", err)
			}
		})
	}
}

// TestReconcileNeedsV3: what only API v3 can do says so, and does not fail in
// some other way.
func TestReconcileNeedsV3(t *testing.T) {
	t.Parallel()
	kit, err := wxpay.New(optionsV2(t))
	if err != nil {
		t.Fatal(err)
	}
	_, err = kit.Reconcile(t.Context(), time.Now().AddDate(0, 0, -3))
	if err == nil || !strings.Contains(err.Error(), "this needs API v3") {
		t.Errorf("error %v", err)
	}
}

// TestNotifyWithoutV3: a notification of API v3 cannot be verified, and is
// refused like any other that is not.
func TestNotifyWithoutV3(t *testing.T) {
	t.Parallel()
	in := openInbox(t, wxsim.Config{}, withV2)
	number := in.paidAtWeChat()
	o := optionsV2(t)
	o.Store = in.store
	kit, err := wxpay.New(o)
	if err != nil {
		t.Fatal(err)
	}
	in.mux = http.NewServeMux()
	in.mux.Handle("/pay/", kit)
	before := in.stored(number)
	if got := in.inProcess(in.note(number)); got.status != http.StatusUnauthorized || got.raw != refusalBody {
		t.Errorf("answer %d %s", got.status, got.raw)
	}
	in.untouched(before)
}
