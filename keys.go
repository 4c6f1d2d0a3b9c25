package wxpay

import (
	"context"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// KeyKind says whose key it is, and in which form the kit has it.
type KeyKind string

// The kinds of keys.
const (
	KeyMerchant KeyKind = "merchant"   // the merchant's own, of Merchant.Certificate or CertSerial
	KeyPublic   KeyKind = "public_key" // WeChat Pay's public key (微信支付公钥)
	KeyPlatform KeyKind = "platform"   // a platform certificate (平台证书)
)

// KeyInfo describes a key in use. It holds nothing secret.
type KeyInfo struct {
	Kind   KeyKind
	Serial string
	// NotAfter is when the certificate ends. It is zero for what does not
	// expire, and for the merchant's own without Merchant.Certificate: its
	// serial does not say.
	NotAfter time.Time
}

// keysInUse lists the merchant's own key first, then WeChat Pay's.
func (k *Kit) keysInUse() []KeyInfo {
	own := KeyInfo{Kind: KeyMerchant, Serial: k.acct.signer.SerialNo}
	if cert, err := wxcrypto.ParseCertificate([]byte(k.opt.Merchant.Certificate)); err == nil {
		own.NotAfter = cert.NotAfter()
	}
	keys := []KeyInfo{own}
	for _, key := range k.acct.keys.Keys() {
		info := KeyInfo{Kind: KeyPlatform, Serial: key.Serial(), NotAfter: key.NotAfter()}
		if info.NotAfter.IsZero() {
			info.Kind = KeyPublic
		}
		keys = append(keys, info)
	}
	return keys
}

func (k *Kit) tellKeys(ctx context.Context) { k.opt.Hooks.Keys(ctx, k.keysInUse()) }
