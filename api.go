package wxpay

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/wxpaykit/wxpay/internal/till"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// API is one of WeChat Pay's two APIs.
type API int

// The APIs. Front ends see no difference: endpoints, answers and orders are the
// same.
const (
	APIv3 API = iota // JSON and RSA, what WeChat Pay tells everybody to use
	APIv2            // XML and a shared key, for accounts that have no more than that
)

// errNoAPIv3 is what only API v3 can do, for a merchant without its keys.
var errNoAPIv3 = errors.New("wxpay: this needs API v3: set Merchant.APIv3Key, CertSerial, PrivateKey and, if the account has one, the public key")

// connect makes a client of each API that there are keys for, and returns the
// seam through which orders reach them.
func (k *Kit) connect() (till.API, error) {
	calls := wxapi.Config{
		Signer:     k.acct.signer,
		Keys:       k.acct.keys,
		APIv3Key:   k.acct.apiv3,
		BaseURL:    k.opt.Merchant.APIBase,
		HTTPClient: k.opt.HTTPClient,
		Now:        k.opt.Now,
		NewNonce:   k.opt.NewNonce,
		Observe:    k.opt.Hooks.WeChatCall,
	}
	var either till.Either // a nil client must not become an API that is not nil
	if k.acct.v3 {
		client, err := wxapi.New(calls)
		if err != nil {
			return nil, err
		}
		k.api, either.V3 = client, till.V3{Client: client}
	}
	if k.acct.v2 {
		client, err := apiv2.New(apiv2.Config{
			MchID: k.acct.signer.MchID, Key: k.acct.apiv2, SignType: k.opt.SignTypeV2, Certificate: k.acct.cert, Calls: calls,
		})
		if err != nil {
			return nil, err
		}
		either.V2 = client
	}
	either.API = either.V3
	if k.opt.API == APIv2 {
		either.API = either.V2
	}
	return either, nil
}

// notifyURL is where WeChat reports what goes through Options.API.
func (o Options) notifyURL() string {
	if o.API == APIv2 {
		return o.NotifyURLv2
	}
	return o.NotifyURL
}

// validateV2 reports every fault that has to do with the choice of an API.
func (o Options) validateV2(acct account) (errs []error) {
	fault := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("wxpay: Options."+format, args...))
		}
	}
	fault(o.API != APIv3 && o.API != APIv2, "API is %d: use APIv3 or APIv2", o.API)
	fault(o.SignTypeV2 != wxcrypto.SignMD5 && o.SignTypeV2 != wxcrypto.SignHMACSHA256,
		"SignTypeV2 is %q: use wxcrypto.SignMD5 or wxcrypto.SignHMACSHA256", o.SignTypeV2)
	fault(o.ReconcileDaily && !acct.v3, "ReconcileDaily needs API v3, where the bills are: set Merchant.APIv3Key, CertSerial and PrivateKey too")
	if o.API != APIv2 {
		return errs
	}
	fault((o.AuthorizeRefund != nil || o.LatePayment == RefundLate) && acct.cert == nil && !acct.loopback,
		"AuthorizeRefund and RefundLate need Merchant.Certificate and PrivateKey with API v2: the texts of apiclient_cert.pem and apiclient_key.pem (WXPAY_CERT_FILE, WXPAY_PRIVATE_KEY_FILE)")
	if err := checkNotifyURL("NotifyURLv2", "/notify/v2", o.NotifyURLv2); err != nil && o.NotifyURL != "" {
		errs = append(errs, err)
	}
	return errs
}

// onlyAPI is the API that an account without the other's key is for.
func (m Merchant) onlyAPI() API {
	if m.APIv3Key == "" && m.APIv2Key != "" {
		return APIv2
	}
	return APIv3
}

// parseV2 takes what API v2 works with: its key, and the merchant's certificate
// for refunds. Source: wire facts §12, P1: two keys, each where it belongs.
func (m Merchant) parseV2(acct *account) []error {
	var errs []error
	var err error
	switch {
	case m.APIv2Key == "":
		errs = append(errs, errors.New("APIv2Key is required to order through API v2: its key on the merchant platform (WXPAY_APIV2_KEY)"))
	case m.APIv2Key == m.APIv3Key:
		errs = append(errs, errors.New("APIv2Key is the same as APIv3Key: they are two settings of the merchant platform and must differ, so that who learns one cannot use the other"))
	default:
		if acct.apiv2, err = wxcrypto.ParseAPIv2Key(m.APIv2Key); err != nil {
			errs = append(errs, fmt.Errorf("APIv2Key (WXPAY_APIV2_KEY): %w", err))
		}
	}
	if m.Certificate != "" && acct.signer.Key != nil { // otherwise there is a fault already
		if acct.cert, err = m.clientCertificate(); err != nil {
			errs = append(errs, fmt.Errorf("Certificate: %w", err))
		}
	}
	return errs
}

// clientCertificate is apiclient_cert.pem with its key, as TLS presents it.
func (m Merchant) clientCertificate() (*tls.Certificate, error) {
	if m.Signer == nil {
		pair, err := tls.X509KeyPair([]byte(m.Certificate), []byte(m.PrivateKey))
		if err != nil {
			return nil, err
		}
		return &pair, nil
	}
	block, _ := pem.Decode([]byte(m.Certificate))
	if block == nil {
		return nil, errors.New("is no PEM")
	}
	return &tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: m.Signer}, nil
}
