package wxpay

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/wxpaykit/wxpay/internal/seal"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

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
