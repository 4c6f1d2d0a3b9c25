package wxpay_test

import (
	"bytes"
	"crypto/aes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

// keyV2 is the APIv2 key of these tests.
const keyV2 = "192006250b4c09247ec02edce69f6a2d"

func withV2(o *wxpay.Options) { o.Merchant.APIv2Key = keyV2 }

// v2 is a message of API v2 as WeChat makes it, without any of the code under
// test.
type v2 map[string]string

// sign is MD5, or HMAC-SHA256 when asked for.
func (m v2) sign(key string, hmacToo bool) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" && name != "sign" && name != "paySign" {
			b.WriteString(name + "=" + m[name] + "&")
		}
	}
	b.WriteString("key=" + key)
	sum := md5.Sum([]byte(b.String()))
	sign := sum[:]
	if hmacToo {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(b.String()))
		sign = mac.Sum(nil)
	}
	return strings.ToUpper(hex.EncodeToString(sign))
}

// signed is the message with its sign.
func (m v2) signed() v2 { return m.with("sign", m.sign(keyV2, false)) }

// with is the message with one field more or another; "" takes it out.
func (m v2) with(name, value string) v2 {
	m = maps.Clone(m)
	m[name] = value
	if value == "" {
		delete(m, name)
	}
	return m
}

func (m v2) xml(root string) string {
	var b strings.Builder
	for name, value := range m {
		fmt.Fprintf(&b, "<%s><![CDATA[%s]]></%s>", name, value, name)
	}
	return "<" + root + ">" + b.String() + "</" + root + ">"
}

// sealV2 is req_info.
func sealV2(t testing.TB, plaintext string) string {
	t.Helper()
	sum := md5.Sum([]byte(keyV2))
	block, err := aes.NewCipher([]byte(hex.EncodeToString(sum[:])))
	if err != nil {
		t.Fatal(err)
	}
	n := aes.BlockSize - len(plaintext)%aes.BlockSize
	text := append([]byte(plaintext), bytes.Repeat([]byte{byte(n)}, n)...)
	for i := 0; i < len(text); i += aes.BlockSize {
		block.Encrypt(text[i:], text[i:])
	}
	return base64.StdEncoding.EncodeToString(text)
}

// paymentV2 is what API v2 would say of an order that was paid.
func paymentV2(o wxsim.Order) v2 {
	return v2{
		"return_code": "SUCCESS", "result_code": "SUCCESS", "appid": o.AppID, "mch_id": o.MchID, "nonce_str": "n",
		"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "is_subscribe": "Y", "trade_type": "NATIVE", "bank_type": "CMC",
		"total_fee": strconv.FormatInt(o.Total, 10), "cash_fee": strconv.FormatInt(o.Total, 10), "fee_type": "CNY",
		"transaction_id": o.TransactionID, "out_trade_no": o.OutTradeNo, "time_end": "20260102111213",
	}
}

// postV2 delivers a body as WeChat does.
func (in *inbox) postV2(path, body string) reply {
	in.t.Helper()
	req, err := http.NewRequestWithContext(in.t.Context(), "POST", in.url+path, strings.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", "text/xml")
	}
	return in.deliver(req, err)
}

const (
	successV2 = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
	failureV2 = "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[失败]]></return_msg></xml>"
)

// endedV2 checks the answer on the wire, the hook and the log line of the
// latest notification.
func (in *inbox) endedV2(got reply, want ending) {
	in.t.Helper()
	status, text := want.status, failureV2
	if want.name == "ok" {
		status, text = http.StatusOK, successV2
	}
	if got.status != status || got.raw != text || got.header.Get("Content-Type") != "text/xml; charset=utf-8" {
		in.t.Errorf("answer %d %s %q, want %d %q", got.status, got.header.Get("Content-Type"), got.raw, status, text)
	}
	in.told(want)
}
