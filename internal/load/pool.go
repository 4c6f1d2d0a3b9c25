package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// message is a signed notification of a payment.
type message struct {
	number string // of the order
	header http.Header
	body   []byte
	wire   []byte // the whole request, as the client sends it
}

// number is that of the i-th order.
func number(i int) string { return fmt.Sprintf("load%016d", i) }

// plaintext is what WeChat Pay says of a payment without coupons. Source:
// 支付通知.
func plaintext(number string, at time.Time) []byte {
	return fmt.Appendf(nil, `{"mchid":"%s","appid":"%s","out_trade_no":"%s","transaction_id":"4200000000%s",`+
		`"trade_type":"JSAPI","trade_state":"SUCCESS","trade_state_desc":"支付成功","bank_type":"CMC_DEBIT","attach":"自定义数据",`+
		`"success_time":"%s","payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"scene_info":{"device_id":"013467007045764"},`+
		`"amount":{"total":%d,"payer_total":%d,"currency":"CNY","payer_currency":"CNY"}}`,
		mchID, appID, number, number[len(number)-18:], at.In(time.FixedZone("", 8*60*60)).Format(time.RFC3339), price, price)
}

// seal makes a notification's body. Source: 回调通知.
func seal(aead cipher.AEAD, i int, at time.Time) []byte {
	const about = "transaction"
	nonce := fmt.Sprintf("%012d", i)
	ciphertext := aead.Seal(nil, []byte(nonce), plaintext(number(i), at), []byte(about))
	return fmt.Appendf(nil, `{"id":"EV-%020d","create_time":"%s","resource_type":"encrypt-resource","event_type":"TRANSACTION.SUCCESS",`+
		`"summary":"支付成功","resource":{"original_type":"transaction","algorithm":"AEAD_AES_256_GCM","ciphertext":"%s",`+
		`"associated_data":"%s","nonce":"%s"}}`, i, at.Format(time.RFC3339), base64.StdEncoding.EncodeToString(ciphertext), about, nonce)
}

// sign makes the message of a body. Source: 签名验证.
func sign(key *rsa.PrivateKey, number string, body []byte, at time.Time) (message, error) {
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), "nonce"+number
	digest := sha256.Sum256([]byte(timestamp + "\n" + nonce + "\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return message{}, err
	}
	return newMessage(number, http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"Mozilla/4.0"}, "Content-Length": {strconv.Itoa(len(body))},
		"Wechatpay-Timestamp": {timestamp}, "Wechatpay-Nonce": {nonce}, "Wechatpay-Serial": {publicKeyID},
		"Wechatpay-Signature": {base64.StdEncoding.EncodeToString(signature)}, "Wechatpay-Signature-Type": {"WECHATPAY2-SHA256-RSA2048"},
	}, body), nil
}

func newMessage(number string, header http.Header, body []byte) message {
	var wire bytes.Buffer
	wire.WriteString("POST /pay/notify HTTP/1.1\r\nHost: shop.example.com\r\n")
	_ = header.Write(&wire) // a buffer takes everything
	wire.WriteString("\r\n")
	wire.Write(body)
	return message{number, header, body, wire.Bytes()}
}

// with is the message with another value of a header; without one if it is
// empty. The signature stays.
func (m message) with(name, value string) message {
	header := m.header.Clone()
	if header.Del(name); value != "" {
		header.Set(name, value)
	}
	return newMessage(m.number, header, m.body)
}

// newPool signs the notifications of n orders.
func newPool(ctx context.Context, n int, key *rsa.PrivateKey, at time.Time) ([]message, error) {
	aead, err := newAEAD()
	if err != nil {
		return nil, err
	}
	pool, errs := make([]message, n), make([]error, runtime.GOMAXPROCS(0))
	var signing sync.WaitGroup
	for worker := range errs {
		signing.Go(func() {
			for i := worker; i < n && errs[worker] == nil && ctx.Err() == nil; i += len(errs) {
				pool[i], errs[worker] = sign(key, number(i), seal(aead, i, at), at)
			}
		})
	}
	signing.Wait()
	for _, err := range append(errs, ctx.Err()) {
		if err != nil {
			return nil, err
		}
	}
	return pool, nil
}
