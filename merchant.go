package wxpay

import (
	"crypto"
	"fmt"
	"io"
	"log/slog"
	"os"
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
