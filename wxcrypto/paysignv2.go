package wxcrypto

import (
	"fmt"
	"time"
)

// SignJSAPI returns the parameters with which a page inside WeChat starts a payment that was ordered through API v2
// (wire: API v2, JSAPI调起支付). t must be the sign type of that order; it is signed with the rest. The arguments are
// otherwise those of [PrivateKey.SignJSAPI].
func (k APIv2Key) SignJSAPI(appID, prepayID string, t SignType, at time.Time, nonce string) (JSAPIPay, error) {
	timestamp, err := checkPay(appID, prepayID, at, nonce)
	if err != nil {
		return JSAPIPay{}, fmt.Errorf("pay sign: %w", err)
	}
	pay := JSAPIPay{
		AppID: appID, TimeStamp: timestamp, NonceStr: nonce, Package: "prepay_id=" + prepayID, SignType: string(t),
	}
	pay.PaySign, err = k.Sign(map[string]string{
		"appId": appID, "timeStamp": timestamp, "nonceStr": nonce, "package": pay.Package, "signType": pay.SignType,
	}, t)
	if err != nil {
		return JSAPIPay{}, fmt.Errorf("pay sign: %w", err)
	}
	return pay, nil
}

// SignMiniProgram is [APIv2Key.SignJSAPI] for a mini-program: appID is signed but left out of the result.
func (k APIv2Key) SignMiniProgram(appID, prepayID string, t SignType, at time.Time, nonce string) (JSAPIPay, error) {
	pay, err := k.SignJSAPI(appID, prepayID, t, at, nonce)
	pay.AppID = ""
	return pay, err
}

// SignApp returns the parameters with which an App starts a payment that was ordered through API v2 (wire: API v2,
// APP调起支付). All its names are in lower case, mchID is signed as partnerid, and the sign type is not among them.
func (k APIv2Key) SignApp(appID, mchID, prepayID string, t SignType, at time.Time, nonce string) (AppPay, error) {
	timestamp, err := checkPay(appID, prepayID, at, nonce)
	if err == nil {
		err = checkTokens("the merchant id", mchID)
	}
	if err != nil {
		return AppPay{}, fmt.Errorf("pay sign: %w", err)
	}
	pay := AppPay{
		AppID: appID, PartnerID: mchID, PrepayID: prepayID, Package: "Sign=WXPay", NonceStr: nonce, TimeStamp: timestamp,
	}
	pay.Sign, err = k.Sign(map[string]string{
		"appid": appID, "partnerid": mchID, "prepayid": prepayID, "package": pay.Package,
		"noncestr": nonce, "timestamp": timestamp,
	}, t)
	if err != nil {
		return AppPay{}, fmt.Errorf("pay sign: %w", err)
	}
	return pay, nil
}
