package wxpay

import (
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strings"

	"github.com/wxpaykit/wxpay/internal/seal"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// Merchant is an account at WeChat Pay. MchID, CertSerial (or Certificate),
// PrivateKey (or Signer), APIv3Key and an appid are required; with
// Options.API APIv2 it is MchID, APIv2Key and an appid. It prints without its
// secrets.
type Merchant struct {
	// MchID is the merchant number (商户号).
	MchID string
	// CertSerial is the serial of the merchant API certificate, in hex; not
	// the PUB_KEY_ID_ of WeChat Pay's public key.
	CertSerial string
	// Certificate is apiclient_cert.pem. Optional: it fills CertSerial in and
	// proves that PrivateKey belongs to it. API v2 wants both of them for refunds.
	Certificate string
	// PrivateKey is apiclient_key.pem: the text, not the file's name.
	PrivateKey string
	// Signer replaces PrivateKey where the key lives in a KMS or HSM.
	Signer crypto.Signer

	// APIv3Key decrypts notifications: 32 characters, not the APIv2 key.
	APIv3Key string
	// APIv2Key is the key of the legacy API v2 (API密钥): 32 characters, another
	// than APIv3Key. Optional: with it the kit takes notifications of API v2, at
	// /notify/v2, and can order through it; see Options.API.
	APIv2Key string
	// PublicKeyID and PublicKey are WeChat Pay's public key (微信支付公钥),
	// PUB_KEY_ID_… and the text of pub_key.pem. Accounts that have none leave
	// both empty: platform certificates are downloaded then.
	PublicKeyID string
	PublicKey   string
	// Certificates are platform certificates (PEM) to begin with. Optional:
	// they are downloaded and renewed when needed.
	Certificates []string

	// AppID is used by every product that has none of its own, and by H5 and
	// Native.
	AppID            string
	AppIDApp         string
	AppIDJSAPI       string
	AppIDMiniProgram string

	// AppSecret is the secret of the mini-program's appid, with which the kit
	// learns who somebody is; AppSecretJSAPI is that of AppIDJSAPI, and AppSecret
	// does for it too when there is but one appid. Optional: without them POST
	// /login and /oauth/… do not exist.
	AppSecret      string
	AppSecretJSAPI string

	// NotifyURL is Options.NotifyURL, for accounts that come from outside.
	NotifyURL string
	// APIBase is WeChat Pay's address. Defaults to
	// https://api.mch.weixin.qq.com; http is taken for loopback hosts only.
	APIBase string
	// LoginBase takes the place of https://api.weixin.qq.com and, for the pages
	// that ask who is in front of them, of https://open.weixin.qq.com: a
	// simulator plays both. http is taken for loopback hosts only.
	LoginBase string

	faults  []error // found while reading the environment
	keyFile string  // where PrivateKey came from, for [Merchant.Check]
}

// MerchantFromEnv reads WXPAY_MCHID, WXPAY_CERT_SERIAL,
// WXPAY_CERT_FILE, WXPAY_PRIVATE_KEY_FILE, WXPAY_APIV3_KEY, WXPAY_APIV2_KEY,
// WXPAY_PUBLIC_KEY_ID, WXPAY_PUBLIC_KEY_FILE, WXPAY_APPID, WXPAY_APPID_APP,
// WXPAY_APPID_JSAPI, WXPAY_APPID_MINIPROGRAM, WXPAY_APP_SECRET,
// WXPAY_APP_SECRET_JSAPI, WXPAY_NOTIFY_URL, WXPAY_API_BASE and
// WXPAY_LOGIN_BASE. What is missing or cannot be read is reported by [New] with
// everything else.
func MerchantFromEnv() Merchant {
	var m Merchant
	file := func(name string) string {
		path := os.Getenv(name)
		if path == "" {
			return ""
		}
		text, err := os.ReadFile(path)
		if err != nil {
			m.faults = append(m.faults, fmt.Errorf("wxpay: %s: %w", name, err))
		}
		return string(text)
	}
	m.MchID = os.Getenv("WXPAY_MCHID")
	m.CertSerial = os.Getenv("WXPAY_CERT_SERIAL")
	m.Certificate = file("WXPAY_CERT_FILE")
	m.PrivateKey, m.keyFile = file("WXPAY_PRIVATE_KEY_FILE"), os.Getenv("WXPAY_PRIVATE_KEY_FILE")
	m.APIv3Key = os.Getenv("WXPAY_APIV3_KEY")
	m.APIv2Key = os.Getenv("WXPAY_APIV2_KEY")
	m.PublicKeyID = os.Getenv("WXPAY_PUBLIC_KEY_ID")
	m.PublicKey = file("WXPAY_PUBLIC_KEY_FILE")
	m.AppID = os.Getenv("WXPAY_APPID")
	m.AppIDApp = os.Getenv("WXPAY_APPID_APP")
	m.AppIDJSAPI = os.Getenv("WXPAY_APPID_JSAPI")
	m.AppIDMiniProgram = os.Getenv("WXPAY_APPID_MINIPROGRAM")
	m.NotifyURL = os.Getenv("WXPAY_NOTIFY_URL")
	m.APIBase = os.Getenv("WXPAY_API_BASE")
	m.AppSecret = os.Getenv("WXPAY_APP_SECRET")
	m.AppSecretJSAPI = os.Getenv("WXPAY_APP_SECRET_JSAPI")
	m.LoginBase = os.Getenv("WXPAY_LOGIN_BASE")
	return m
}

// String names the account and nothing secret.
func (m Merchant) String() string { return "wxpay.Merchant{" + m.MchID + "}" }

// Format is String for every verb of package fmt.
func (m Merchant) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue is the account's number.
func (m Merchant) LogValue() slog.Value { return slog.StringValue(m.MchID) }

// MarshalText is String: JSON carries no secret either.
func (m Merchant) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// account is what was parsed of the options: everything in it is usable.
type account struct {
	signer   wxcrypto.Signer
	keys     *wxcrypto.KeySet
	v3, v2   bool // which APIs there are keys for
	apiv3    wxcrypto.APIv3Key
	apiv2    wxcrypto.APIv2Key
	cert     *tls.Certificate // of the merchant, for refunds through API v2; nil if there is none
	appIDs   map[orderstore.Product]string
	logins   map[orderstore.Product]credential
	loopback bool // WeChat is a simulator on this machine
	cross    *http.CrossOriginProtection
	seal     seal.Key // for links and cookies

	secretDerived bool // seal is made of the APIv3 key
}

// parse turns the texts into keys and reports every fault. What API v3 needs
// may be absent as a whole when orders go through v2.
func (m Merchant) parse(api API) (account, []error) {
	errs := append([]error(nil), m.faults...)
	fault := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("wxpay: Merchant."+format, args...))
	}
	if m.MchID == "" {
		fault("MchID is required: the merchant number (WXPAY_MCHID)")
	}
	for _, f := range []struct{ name, value string }{
		{"MchID", m.MchID}, {"CertSerial", strings.ReplaceAll(m.CertSerial, "_", "")},
		{"AppID", m.AppID}, {"AppIDApp", m.AppIDApp}, {"AppIDJSAPI", m.AppIDJSAPI}, {"AppIDMiniProgram", m.AppIDMiniProgram},
		{"AppSecret", m.AppSecret}, {"AppSecretJSAPI", m.AppSecretJSAPI},
	} {
		if strings.ContainsFunc(f.value, notAlphanumeric) {
			fault("%s has other characters than letters and digits: is there a blank or a line break at its end?", f.name)
		}
	}
	acct := account{keys: wxcrypto.NewKeySet(), v3: api == APIv3 || m.APIv3Key != "", v2: api == APIv2 || m.APIv2Key != ""}
	acct.signer = wxcrypto.Signer{MchID: m.MchID, SerialNo: strings.ToUpper(m.CertSerial)}
	for _, err := range m.parseKeys(&acct) {
		fault("%w", err)
	}
	if acct.appIDs = m.appIDs(); len(acct.appIDs) == 0 {
		fault("AppID is required: the appid that the merchant number is bound to (WXPAY_APPID)")
	}
	var sound bool
	if acct.loopback, sound = checkBase(m.APIBase); !sound {
		fault("APIBase is not a URL like https://api.mch.weixin.qq.com (http is taken for loopback hosts only)")
	}
	if _, sound = checkBase(m.LoginBase); !sound {
		fault("LoginBase is not a URL like https://api.weixin.qq.com (http is taken for loopback hosts only)")
	}
	if acct.logins = m.logins(acct.appIDs); len(acct.logins) == 0 && m.AppSecret+m.AppSecretJSAPI != "" {
		fault("AppSecret belongs to no appid: set AppIDMiniProgram, AppIDJSAPI or AppID with it")
	}
	return acct, errs
}

// parseKeys takes the keys of the APIs that the account is for, and the
// certificate that shows whose they are.
func (m Merchant) parseKeys(acct *account) []error {
	var errs []error
	var err error
	if acct.v3 || m.Certificate != "" {
		if acct.signer.Key, err = m.privateKey(); err != nil {
			errs = append(errs, err)
		}
		if err := m.checkCertificate(&acct.signer); err != nil {
			errs = append(errs, err)
		}
	}
	if acct.v3 {
		if acct.apiv3, err = wxcrypto.ParseAPIv3Key(m.APIv3Key); err != nil {
			errs = append(errs, fmt.Errorf("APIv3Key (WXPAY_APIV3_KEY): %w", err))
		}
		errs = append(errs, m.verifyKeys(acct.keys, acct.signer.Key)...)
	}
	if acct.v2 {
		errs = append(errs, m.parseV2(acct)...)
	}
	return errs
}

func notAlphanumeric(c rune) bool {
	return !('0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z')
}

func (m Merchant) privateKey() (*wxcrypto.PrivateKey, error) {
	if m.Signer != nil {
		key, err := wxcrypto.NewPrivateKey(m.Signer)
		if err != nil {
			return nil, fmt.Errorf("Signer: %w", err)
		}
		return key, nil
	}
	if m.PrivateKey == "" {
		return nil, errors.New("PrivateKey is required: the text of apiclient_key.pem (WXPAY_PRIVATE_KEY_FILE)")
	}
	key, err := wxcrypto.ParsePrivateKey([]byte(m.PrivateKey))
	if err != nil {
		return nil, fmt.Errorf("PrivateKey: %w", err)
	}
	return key, nil
}

// checkCertificate fills the serial in from the merchant's own certificate and
// holds the key against it.
func (m Merchant) checkCertificate(s *wxcrypto.Signer) error {
	if strings.HasPrefix(s.SerialNo, "PUB_KEY_ID_") {
		return errors.New("CertSerial is the id of WeChat Pay's public key: it belongs into PublicKeyID, and the serial of apiclient_cert.pem here")
	}
	if m.Certificate == "" {
		if s.SerialNo == "" {
			return errors.New("CertSerial is required: the serial of apiclient_cert.pem (WXPAY_CERT_SERIAL)")
		}
		return nil
	}
	cert, err := wxcrypto.ParseCertificate([]byte(m.Certificate))
	switch {
	case err != nil:
		return fmt.Errorf("Certificate: %w", err)
	case s.SerialNo != "" && s.SerialNo != cert.Serial():
		return fmt.Errorf("CertSerial is %s, but Certificate has the serial %s", s.SerialNo, cert.Serial())
	case s.Key != nil && !s.Key.Public().Equal(cert.PublicKey()):
		return errors.New("PrivateKey does not belong to Certificate: take both from one download")
	}
	s.SerialNo = cert.Serial()
	return nil
}

func (m Merchant) verifyKeys(keys *wxcrypto.KeySet, own *wxcrypto.PrivateKey) []error {
	var errs []error
	switch {
	case m.PublicKey == "" && m.PublicKeyID == "":
	case m.PublicKey == "" || m.PublicKeyID == "":
		errs = append(errs, errors.New("PublicKeyID and PublicKey go together (WXPAY_PUBLIC_KEY_ID, WXPAY_PUBLIC_KEY_FILE): set both or neither"))
	default:
		key, err := wxcrypto.ParsePublicKey(m.PublicKeyID, []byte(m.PublicKey))
		if err != nil {
			errs = append(errs, fmt.Errorf("PublicKey: %w", err))
			break
		}
		keys.Add(key)
	}
	for i, text := range m.Certificates {
		key, err := wxcrypto.ParseCertificate([]byte(text))
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("Certificates[%d]: %w", i, err))
		case own != nil && own.Public().Equal(key.PublicKey()):
			errs = append(errs, fmt.Errorf("Certificates[%d] is the merchant's own certificate: it belongs into Certificate, WeChat Pay's platform certificates here", i))
		default:
			keys.Add(key)
		}
	}
	return errs
}

// appIDs leaves out the products that have no appid: they cannot be sold.
func (m Merchant) appIDs() map[orderstore.Product]string {
	ids := make(map[orderstore.Product]string)
	own := map[orderstore.Product]string{
		orderstore.App:         m.AppIDApp,
		orderstore.JSAPI:       m.AppIDJSAPI,
		orderstore.MiniProgram: m.AppIDMiniProgram,
	}
	for _, p := range orderstore.Products() {
		id := own[p]
		set(&id, m.AppID)
		if id != "" {
			ids[p] = id
		}
	}
	return ids
}

// credential is an appid's secret, and the setting that it is from.
type credential struct{ appID, secret, setting string }

// logins leaves out the products whose people cannot be asked for: they have no
// secret. One secret is good for one appid only.
func (m Merchant) logins(appIDs map[orderstore.Product]string) map[orderstore.Product]credential {
	own := map[orderstore.Product]credential{
		orderstore.MiniProgram: {appIDs[orderstore.MiniProgram], m.AppSecret, "AppSecret"},
		orderstore.JSAPI:       {appIDs[orderstore.JSAPI], m.AppSecretJSAPI, "AppSecretJSAPI"},
	}
	mini, page := own[orderstore.MiniProgram], own[orderstore.JSAPI]
	if page.secret == "" && (mini.appID == page.appID || mini.appID == "") {
		own[orderstore.JSAPI] = credential{page.appID, m.AppSecret, "AppSecret"}
	}
	maps.DeleteFunc(own, func(_ orderstore.Product, c credential) bool { return c.appID == "" || c.secret == "" })
	return own
}
