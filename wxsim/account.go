package wxsim

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// Account is everything a merchant's program needs to talk to this simulator.
// GET /_sim/config answers the same. All of it is play money: nothing here is
// accepted by the real WeChat Pay.
type Account struct {
	MchID           string `json:"mchid"`
	AppID           string `json:"appid"`             // the mini-program's
	AppIDApp        string `json:"appid_app"`         // the mobile app's
	AppIDJSAPI      string `json:"appid_jsapi"`       // the service account's (公众号)
	SerialNo        string `json:"serial_no"`         // of the merchant API certificate
	PrivateKeyPEM   string `json:"private_key_pem"`   // PKCS#8, of the merchant API certificate
	APIv3Key        string `json:"apiv3_key"`         // 32 letters, used as raw bytes
	APIv2Key        string `json:"apiv2_key"`         // 32 letters
	PublicKeyID     string `json:"public_key_id"`     // PUB_KEY_ID_…
	PublicKeyPEM    string `json:"public_key_pem"`    // WeChat Pay public key (微信支付公钥), SPKI
	PlatformSerial  string `json:"platform_serial"`   // of the newest platform certificate
	PlatformCertPEM string `json:"platform_cert_pem"` // the newest platform certificate
	AppSecret       string `json:"app_secret"`
}

// describe derives the account of a seed, without the platform certificate.
func (k *keyring) describe() (Account, error) {
	private, err := x509.MarshalPKCS8PrivateKey(k.merchant)
	if err != nil {
		return Account{}, fmt.Errorf("merchant key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&k.publicKey.PublicKey)
	if err != nil {
		return Account{}, fmt.Errorf("public key: %w", err)
	}
	return Account{
		MchID:         "16" + k.letters("mchid", digits, 8),
		AppID:         "wx" + k.letters("appid", lowerHex, 16),
		AppIDApp:      "wx" + k.letters("appid app", lowerHex, 16),
		AppIDJSAPI:    "wx" + k.letters("appid jsapi", lowerHex, 16),
		SerialNo:      "3" + k.letters("merchant serial", upperHex, 39),
		PrivateKeyPEM: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		APIv3Key:      k.letters("apiv3 key", alnum, 32),
		APIv2Key:      k.letters("apiv2 key", alnum, 32),
		PublicKeyID:   "PUB_KEY_ID_01" + k.letters("public key id", digits, 14) + "000000000000",
		PublicKeyPEM:  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		AppSecret:     k.letters("app secret", lowerHex, 32),
	}, nil
}
