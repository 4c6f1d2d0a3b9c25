package wxpay_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

// certificate makes the certificate of a key, as apiclient_cert.pem holds it.
func certificate(t testing.TB, key crypto.Signer, serial string) string {
	t.Helper()
	number, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		t.Fatal(serial)
	}
	template := &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: "1600000000"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// merchantKey is the private key of an account.
func merchantKey(t testing.TB, privateKeyPEM string) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode([]byte(privateKeyPEM))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

// TestMerchantFaults changes one thing in a good account.
func TestMerchantFaults(t *testing.T) {
	t.Parallel()
	sim := wxsim.Start(t)
	acct, key := sim.Account(), merchantKey(t, sim.Account().PrivateKeyPEM)
	own := certificate(t, key, acct.SerialNo)
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*wxpay.Merchant)
		want   string // empty: it is good
	}{
		{"no merchant number", func(m *wxpay.Merchant) { m.MchID = "" }, "wxpay: Merchant.MchID is required: the merchant number (WXPAY_MCHID)"},
		{"no serial", func(m *wxpay.Merchant) { m.CertSerial = "" }, "wxpay: Merchant.CertSerial is required: the serial of apiclient_cert.pem (WXPAY_CERT_SERIAL)"},
		{"serial is the public key's id", func(m *wxpay.Merchant) { m.CertSerial = m.PublicKeyID }, "wxpay: Merchant.CertSerial is the id of WeChat Pay's public key: it belongs into PublicKeyID, and the serial of apiclient_cert.pem here"},
		{"serial in small letters", func(m *wxpay.Merchant) { m.CertSerial = strings.ToLower(m.CertSerial) }, ""},
		{"public key's id is a serial", func(m *wxpay.Merchant) { m.PublicKeyID = m.CertSerial }, "wxpay: Merchant.PublicKey: WeChat Pay public key: the id is the serial number of a certificate; the id of a public key starts with PUB_KEY_ID_"},
		{"no public key", func(m *wxpay.Merchant) { m.PublicKey = "" }, "wxpay: Merchant.PublicKeyID and PublicKey go together (WXPAY_PUBLIC_KEY_ID, WXPAY_PUBLIC_KEY_FILE): set both or neither"},
		{"no public key id", func(m *wxpay.Merchant) { m.PublicKeyID = "" }, "wxpay: Merchant.PublicKeyID and PublicKey go together (WXPAY_PUBLIC_KEY_ID, WXPAY_PUBLIC_KEY_FILE): set both or neither"},
		{"neither", func(m *wxpay.Merchant) { m.PublicKey, m.PublicKeyID = "", "" }, ""},
		{"public key is the merchant's own key", func(m *wxpay.Merchant) { m.PublicKey = m.PrivateKey }, "wxpay: Merchant.PublicKey: WeChat Pay public key: is a private key, and WeChat Pay hands out none; is it the merchant's own? The public key of WeChat Pay is in pub_key.pem"},

		{"no key", func(m *wxpay.Merchant) { m.PrivateKey = "" }, "wxpay: Merchant.PrivateKey is required: the text of apiclient_key.pem (WXPAY_PRIVATE_KEY_FILE)"},
		{"key is a file's name", func(m *wxpay.Merchant) { m.PrivateKey = "apiclient_key.pem" }, "wxpay: Merchant.PrivateKey: merchant private key: is no PEM; give the content of the file, from -----BEGIN to -----END, not its name"},
		{"key is the certificate", func(m *wxpay.Merchant) { m.PrivateKey = own }, "wxpay: Merchant.PrivateKey: merchant private key: is a certificate (apiclient_cert.pem?); its private key is needed, which is in apiclient_key.pem"},
		{"key is WeChat's public key", func(m *wxpay.Merchant) { m.PrivateKey = m.PublicKey }, "wxpay: Merchant.PrivateKey: merchant private key: is a public key; the private key of the merchant API certificate is needed, which is in apiclient_key.pem"},
		{"key without line breaks", func(m *wxpay.Merchant) { m.PrivateKey = strings.ReplaceAll(m.PrivateKey, "\n", `\n`) }, `wxpay: Merchant.PrivateKey: merchant private key: has the two characters \n where line breaks belong; replace each by a real line break`},
		{"key in PKCS#1", func(m *wxpay.Merchant) { m.PrivateKey = pkcs1 }, ""},
		{"key with Windows line ends", func(m *wxpay.Merchant) { m.PrivateKey = strings.ReplaceAll(m.PrivateKey, "\n", "\r\n") }, ""},
		{"signer", func(m *wxpay.Merchant) { m.PrivateKey, m.Signer = "", key }, ""},

		{"APIv3 key of 31", func(m *wxpay.Merchant) { m.APIv3Key = m.APIv3Key[1:] }, "wxpay: Merchant.APIv3Key (WXPAY_APIV3_KEY): APIv3 key: has 31 characters, 32 are needed"},
		{"APIv3 key of 33", func(m *wxpay.Merchant) { m.APIv3Key += "a" }, "wxpay: Merchant.APIv3Key (WXPAY_APIV3_KEY): APIv3 key: has 33 characters, 32 are needed"},
		{"APIv3 key with a line break", func(m *wxpay.Merchant) { m.APIv3Key += "\n" }, "wxpay: Merchant.APIv3Key (WXPAY_APIV3_KEY): APIv3 key: has 33 characters, 32 are needed; there are blanks or line breaks around it"},
		{"APIv3 key of other letters", func(m *wxpay.Merchant) { m.APIv3Key = m.APIv3Key[1:] + "!" }, "wxpay: Merchant.APIv3Key (WXPAY_APIV3_KEY): APIv3 key: holds other characters than 0-9, A-Z and a-z"},

		{"certificate", func(m *wxpay.Merchant) { m.Certificate = own }, ""},
		{"certificate instead of the serial", func(m *wxpay.Merchant) { m.Certificate, m.CertSerial = own, "" }, ""},
		{"certificate of another key", func(m *wxpay.Merchant) { m.Certificate, m.CertSerial = acct.PlatformCertPEM, "" }, "wxpay: Merchant.PrivateKey does not belong to Certificate: take both from one download"},
		{"certificate of another serial", func(m *wxpay.Merchant) { m.Certificate = certificate(t, key, "77AA") }, "wxpay: Merchant.CertSerial is " + acct.SerialNo + ", but Certificate has the serial 77AA"},
		{"certificate is the key", func(m *wxpay.Merchant) { m.Certificate = m.PrivateKey }, "wxpay: Merchant.Certificate: certificate: is a private key; a certificate is needed"},
		{"platform certificate", func(m *wxpay.Merchant) { m.Certificates = []string{acct.PlatformCertPEM} }, ""},
		{"platform certificate is the public key", func(m *wxpay.Merchant) { m.Certificates = []string{acct.PlatformCertPEM, m.PublicKey} }, "wxpay: Merchant.Certificates[1]: certificate: is a public key; it goes to ParsePublicKey, together with its id PUB_KEY_ID_…"},
		{"platform certificate is the merchant's", func(m *wxpay.Merchant) { m.Certificates = []string{own} }, "wxpay: Merchant.Certificates[0] is the merchant's own certificate: it belongs into Certificate, WeChat Pay's platform certificates here"},

		{"no appid", func(m *wxpay.Merchant) { m.AppID = "" }, "wxpay: Merchant.AppID is required: the appid that the merchant number is bound to (WXPAY_APPID)"},
		{"appid of one product", func(m *wxpay.Merchant) { m.AppID, m.AppIDApp = "", m.AppID }, ""},
		{"API on loopback", func(m *wxpay.Merchant) { m.APIBase = "http://127.0.0.1:9090" }, ""},
		{"API with a slash", func(m *wxpay.Merchant) { m.APIBase = "https://api2.mch.weixin.qq.com/" }, ""},
		{"API over http", func(m *wxpay.Merchant) { m.APIBase = "http://api.mch.weixin.qq.com" }, "wxpay: Merchant.APIBase is not a URL like https://api.mch.weixin.qq.com (http is taken for loopback hosts only)"},
		{"login on loopback", func(m *wxpay.Merchant) { m.LoginBase = "http://127.0.0.1:9090/" }, ""},
		{"login over http", func(m *wxpay.Merchant) { m.LoginBase = "http://api.weixin.qq.com" }, "wxpay: Merchant.LoginBase is not a URL like https://api.weixin.qq.com (http is taken for loopback hosts only)"},
		{"login with a path", func(m *wxpay.Merchant) { m.LoginBase = "https://api.weixin.qq.com/sns" }, "wxpay: Merchant.LoginBase is not a URL like https://api.weixin.qq.com (http is taken for loopback hosts only)"},
		{"a good app secret", func(m *wxpay.Merchant) { m.AppSecret = strings.Repeat("0", 32) }, ""},
		{"app secret with a line break", func(m *wxpay.Merchant) { m.AppSecret = "0\n" }, "wxpay: Merchant.AppSecret has other characters than letters and digits: is there a blank or a line break at its end?"},
		{"page's secret with a line break", func(m *wxpay.Merchant) { m.AppSecretJSAPI = "0\n" }, "wxpay: Merchant.AppSecretJSAPI has other characters than letters and digits: is there a blank or a line break at its end?"},
		{"app secret of an App", func(m *wxpay.Merchant) { m.AppID, m.AppIDApp, m.AppSecret = "", "wxa", "0" }, "wxpay: Merchant.AppSecret belongs to no appid: set AppIDMiniProgram, AppIDJSAPI or AppID with it"},
		{"API without scheme", func(m *wxpay.Merchant) { m.APIBase = "api.mch.weixin.qq.com" }, "wxpay: Merchant.APIBase is not a URL like https://api.mch.weixin.qq.com (http is taken for loopback hosts only)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := goodOptions(t)
			c.change(&o.Merchant)
			_, err := wxpay.New(o)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("a good account: %v", err)
			case c.want != "" && (err == nil || err.Error() != c.want):
				t.Errorf("error\n%v, want\n%s", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), acct.APIv3Key[1:]) || strings.Contains(err.Error(), "MII")) {
				t.Errorf("the error holds a key: %v", err)
			}
		})
	}

	// What is wrong is named by its field, whatever the words.
	for _, c := range []struct {
		field  string
		change func(*wxpay.Merchant)
	}{
		{"Signer", func(m *wxpay.Merchant) { m.PrivateKey, m.Signer = "", ec }},
		{"Signer", func(m *wxpay.Merchant) { m.PrivateKey, m.Signer = "", (*rsa.PrivateKey)(nil) }},
		{"APIBase", func(m *wxpay.Merchant) { m.APIBase = "https://api.mch.weixin.qq.com/v3" }},
		{"APIBase", func(m *wxpay.Merchant) { m.APIBase = "https://u:p@api.mch.weixin.qq.com" }},
		{"MchID", func(m *wxpay.Merchant) { m.MchID += "\r" }}, // of a file with Windows line ends
		{"CertSerial", func(m *wxpay.Merchant) { m.CertSerial += "\n" }},
		{"AppID", func(m *wxpay.Merchant) { m.AppID += " " }},
	} {
		o := goodOptions(t)
		c.change(&o.Merchant)
		if _, err := wxpay.New(o); err == nil || !strings.HasPrefix(err.Error(), "wxpay: Merchant."+c.field) {
			t.Errorf("wrong %s: %v", c.field, err)
		}
	}
}

// TestMerchantProducts: a product without an appid cannot be bought, and each
// is sold under its own.
func TestMerchantProducts(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) {
		o.Merchant.AppIDMiniProgram, o.Merchant.AppID, o.Merchant.AppIDApp = o.Merchant.AppID, "", ""
	})
	acct := s.sim.Account()
	for product, appID := range map[string]string{"jsapi": acct.AppIDJSAPI, "miniprogram": acct.AppID} {
		if o := s.stored(s.buy(product, "u1").OutTradeNo); o.AppID != appID {
			t.Errorf("%s is sold under %s, want %s", product, o.AppID, appID)
		}
	}
	for _, product := range []string{"app", "h5", "native"} {
		s.do("POST", "/pay/prepay/"+product, "u1", body(product, "vip-month")).refused(t, 404, 404, "接口不存在")
	}
}

// TestMerchantWithASigner: the key stays where it is.
func TestMerchantWithASigner(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) {
		key := merchantKey(t, o.Merchant.PrivateKey)
		o.Merchant.Certificate, o.Merchant.CertSerial = certificate(t, key, o.Merchant.CertSerial), ""
		o.Merchant.PrivateKey, o.Merchant.Signer = "", key
	})
	o := s.buy("jsapi", "u1")
	s.verifyPay("jsapi", o.PrepayID, o.Pay)
}

// TestMerchantWithoutAPublicKey: platform certificates are downloaded when
// they are needed.
func TestMerchantWithoutAPublicKey(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.Merchant.PublicKey, o.Merchant.PublicKeyID = "", "" })
	o := s.buy("native", "u1")
	if o.CodeURL == "" || s.sim.Requests("certificates") != 1 {
		t.Errorf("%+v, %d downloads", o, s.sim.Requests("certificates"))
	}
	s.buy("native", "u1")
	if n := s.sim.Requests("certificates"); n != 1 {
		t.Errorf("%d downloads", n)
	}
}

// environment sets the variables of an account, and clears the others.
func environment(t *testing.T, values map[string]string) {
	t.Helper()
	for _, name := range []string{
		"MCHID", "CERT_SERIAL", "CERT_FILE", "PRIVATE_KEY_FILE", "APIV3_KEY", "APIV2_KEY", "PUBLIC_KEY_ID", "PUBLIC_KEY_FILE",
		"APPID", "APPID_APP", "APPID_JSAPI", "APPID_MINIPROGRAM", "NOTIFY_URL", "API_BASE",
		"APP_SECRET", "APP_SECRET_JSAPI", "LOGIN_BASE",
	} {
		t.Setenv("WXPAY_"+name, values[name])
	}
}

// TestMerchantFromEnv reads every variable that the documents name.
func TestMerchantFromEnv(t *testing.T) {
	acct := wxsim.Start(t).Account()
	dir := t.TempDir()
	keyFile, publicFile := filepath.Join(dir, "apiclient_key.pem"), filepath.Join(dir, "pub_key.pem")
	certFile, cert := filepath.Join(dir, "apiclient_cert.pem"), certificate(t, merchantKey(t, acct.PrivateKeyPEM), acct.SerialNo)
	for name, text := range map[string]string{keyFile: acct.PrivateKeyPEM, publicFile: acct.PublicKeyPEM, certFile: cert} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	environment(t, map[string]string{
		"MCHID": acct.MchID, "CERT_SERIAL": acct.SerialNo, "PRIVATE_KEY_FILE": keyFile, "APIV3_KEY": acct.APIv3Key,
		"CERT_FILE": certFile, "APIV2_KEY": keyV2,
		"PUBLIC_KEY_ID": acct.PublicKeyID, "PUBLIC_KEY_FILE": publicFile,
		"APPID": "wxa", "APPID_APP": "wxb", "APPID_JSAPI": "wxc", "APPID_MINIPROGRAM": "wxd",
		"NOTIFY_URL": "https://shop.example.com/pay/notify", "API_BASE": "http://127.0.0.1:9090",
		"APP_SECRET": "5f3b", "APP_SECRET_JSAPI": "7e2d", "LOGIN_BASE": "http://127.0.0.1:9091",
	})
	m := wxpay.MerchantFromEnv()
	got := []string{m.MchID, m.CertSerial, m.PrivateKey, m.APIv3Key, m.PublicKeyID, m.PublicKey, m.AppID, m.AppIDApp, m.AppIDJSAPI, m.AppIDMiniProgram, m.NotifyURL, m.APIBase, m.AppSecret, m.AppSecretJSAPI, m.LoginBase, m.Certificate, m.APIv2Key}
	want := []string{acct.MchID, acct.SerialNo, acct.PrivateKeyPEM, acct.APIv3Key, acct.PublicKeyID, acct.PublicKeyPEM, "wxa", "wxb", "wxc", "wxd", "https://shop.example.com/pay/notify", "http://127.0.0.1:9090", "5f3b", "7e2d", "http://127.0.0.1:9091", cert, keyV2}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("field %d is %q, want %q", i, got[i], want[i])
		}
	}
	o := goodOptions(t)
	o.Merchant, o.NotifyURL = m, ""
	if _, err := wxpay.New(o); err != nil {
		t.Error(err)
	}
}

// TestMerchantFromEnvFaults: files that cannot be read are reported by New,
// with everything else.
func TestMerchantFromEnvFaults(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.pem")
	environment(t, map[string]string{"MCHID": "1600000000", "PRIVATE_KEY_FILE": missing, "PUBLIC_KEY_FILE": dir, "NOTIFY_URL": "http://shop.example.com/n"})
	o := goodOptions(t)
	o.Merchant, o.NotifyURL = wxpay.MerchantFromEnv(), ""
	_, err := wxpay.New(o)
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{
		"wxpay: WXPAY_PRIVATE_KEY_FILE: open " + missing + ": no such file or directory",
		"wxpay: WXPAY_PUBLIC_KEY_FILE: read " + dir + ": is a directory",
		"wxpay: Merchant.PrivateKey is required: the text of apiclient_key.pem (WXPAY_PRIVATE_KEY_FILE)",
		"wxpay: Merchant.CertSerial is required: the serial of apiclient_cert.pem (WXPAY_CERT_SERIAL)",
		"wxpay: Merchant.APIv3Key (WXPAY_APIV3_KEY): APIv3 key: has 0 characters, 32 are needed",
		"wxpay: Merchant.AppID is required: the appid that the merchant number is bound to (WXPAY_APPID)",
		notifyPlain,
	} {
		if !strings.Contains("\n"+err.Error()+"\n", "\n"+want+"\n") {
			t.Errorf("no line %q in\n%v", want, err)
		}
	}
}

// TestMerchantPrintsNoSecret, however it is printed, also inside the options.
func TestMerchantPrintsNoSecret(t *testing.T) {
	t.Parallel()
	o := goodOptions(t)
	m := o.Merchant
	m.Signer = merchantKey(t, m.PrivateKey)
	m.AppSecret, m.AppSecretJSAPI = strings.Repeat("5f3b", 8), strings.Repeat("7e2d", 8)
	m.APIv2Key = keyV2
	o.Merchant = m
	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed = append(printed, fmt.Sprintf(verb, m), fmt.Sprintf(verb, &m), fmt.Sprintf(verb, o), fmt.Sprintf(verb, []wxpay.Merchant{m}), fmt.Sprintf(verb, map[string]any{"m": m}))
	}
	for _, v := range []any{m, &m, map[string]wxpay.Merchant{"m": m}} {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		printed = append(printed, string(raw))
	}
	var b bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("m", slog.Any("m", m), slog.Any("p", &m), slog.Any("o", struct{ M wxpay.Merchant }{m}))
	}
	printed = append(printed, b.String(), m.String(), m.LogValue().String())
	block, _ := pem.Decode([]byte(m.PrivateKey))
	secrets := []string{m.AppSecret, m.AppSecretJSAPI, m.APIv3Key, m.APIv2Key, fmt.Sprintf("%x", m.APIv3Key), "PRIVATE KEY", m.PrivateKey[40:80], fmt.Sprintf("%x", block.Bytes[40:60]), m.Signer.(*rsa.PrivateKey).D.String()[:20]}
	for _, text := range printed {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%.60q is in %.200q", secret, text)
			}
		}
	}
	if m.String() != "wxpay.Merchant{"+m.MchID+"}" {
		t.Errorf("String is %q", m.String())
	}
}
