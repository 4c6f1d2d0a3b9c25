package wxcrypto

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// JSAPIPay is what WeixinJSBridge's getBrandWCPayRequest takes and, without AppID, what a mini-program's
// wx.requestPayment takes. A front end passes it on unread. TimeStamp is Unix seconds as text, Package is
// "prepay_id=…", SignType is "RSA", or what [APIv2Key.SignJSAPI] was told.
type JSAPIPay struct {
	AppID     string `json:"appId,omitempty"`
	TimeStamp string `json:"timeStamp"`
	NonceStr  string `json:"nonceStr"`
	Package   string `json:"package"`
	SignType  string `json:"signType"`
	PaySign   string `json:"paySign"`
}

// AppPay is the PayReq of WeChat's OpenSDK for iOS, Android and HarmonyOS. PartnerID is the merchant id, Package is
// always "Sign=WXPay", TimeStamp is Unix seconds as text.
type AppPay struct {
	AppID     string `json:"appid"`
	PartnerID string `json:"partnerid"`
	PrepayID  string `json:"prepayid"`
	Package   string `json:"package"`
	NonceStr  string `json:"noncestr"`
	TimeStamp string `json:"timestamp"`
	Sign      string `json:"sign"`
}

// SignJSAPI returns the parameters with which a page inside WeChat starts the payment (wire: JSAPI调起支付). appID
// must be the one the prepay named, prepayID is the bare prepay_id, good for two hours, and nonce at most 32
// characters, normally [NewNonce]. An error means that a value cannot be signed as it is, or that the key failed.
func (k *PrivateKey) SignJSAPI(appID, prepayID string, at time.Time, nonce string) (JSAPIPay, error) {
	timestamp, err := checkPay(appID, prepayID, at, nonce)
	if err != nil {
		return JSAPIPay{}, fmt.Errorf("pay sign: %w", err)
	}
	pay := JSAPIPay{
		AppID: appID, TimeStamp: timestamp, NonceStr: nonce, Package: "prepay_id=" + prepayID, SignType: "RSA",
	}
	pay.PaySign, err = k.Sign(jsapiMessage(appID, timestamp, nonce, pay.Package))
	if err != nil {
		return JSAPIPay{}, fmt.Errorf("pay sign: %w", err)
	}
	return pay, nil
}

// SignMiniProgram is [PrivateKey.SignJSAPI] for a mini-program (wire: 小程序调起支付): appID is signed all the same
// but left out of the result, because wx.requestPayment does not take it.
func (k *PrivateKey) SignMiniProgram(appID, prepayID string, at time.Time, nonce string) (JSAPIPay, error) {
	pay, err := k.SignJSAPI(appID, prepayID, at, nonce)
	pay.AppID = ""
	return pay, err
}

// SignApp returns the parameters with which an App starts the payment (wire: APP调起支付). mchID is handed over
// unsigned; the rest is as in [PrivateKey.SignJSAPI].
func (k *PrivateKey) SignApp(appID, mchID, prepayID string, at time.Time, nonce string) (AppPay, error) {
	timestamp, err := checkPay(appID, prepayID, at, nonce)
	if err == nil {
		err = checkTokens("the merchant id", mchID)
	}
	if err != nil {
		return AppPay{}, fmt.Errorf("pay sign: %w", err)
	}
	sign, err := k.Sign(appMessage(appID, timestamp, nonce, prepayID))
	if err != nil {
		return AppPay{}, fmt.Errorf("pay sign: %w", err)
	}
	return AppPay{
		AppID: appID, PartnerID: mchID, PrepayID: prepayID, Package: "Sign=WXPay",
		NonceStr: nonce, TimeStamp: timestamp, Sign: sign,
	}, nil
}

func checkPay(appID, prepayID string, at time.Time, nonce string) (timestamp string, err error) {
	if err := checkTokens("the appid", appID, "the prepay_id", prepayID, "the nonce", nonce); err != nil {
		return "", err
	}
	if strings.HasPrefix(prepayID, "prepay_id=") {
		return "", errors.New("the prepay_id already starts with prepay_id=; give the bare id")
	}
	if len(nonce) > 32 {
		return "", fmt.Errorf("the nonce has %d characters; at most 32 are allowed", len(nonce))
	}
	return unixText(at)
}
