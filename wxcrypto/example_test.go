package wxcrypto_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// readKey reads a key of testdata, which lies there as TESTING KEY. A program reads its own file as it is.
func readKey(name string) []byte {
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		log.Fatal(err)
	}
	return bytes.ReplaceAll(raw, []byte("TESTING KEY"), []byte("PRIVATE KEY"))
}

func ExampleSigner_Authorization() {
	key, err := wxcrypto.ParsePrivateKey(readKey("example_key.pem"))
	if err != nil {
		log.Fatal(err)
	}
	signer := wxcrypto.Signer{MchID: "1900000001", SerialNo: "5157F09EFDC096DE15EBE81A47057A72AABBCCDD", Key: key}

	// A program passes time.Now() and wxcrypto.NewNonce().
	header, err := signer.Authorization("GET", "/v3/certificates", nil,
		time.Unix(1772366400, 0), "593BEC0C930BF1AFEB40B4A08C8FB242")
	if err != nil {
		log.Fatal(err)
	}
	for part := range strings.SplitSeq(header, ",") { // one line in truth
		fmt.Printf("%.52s\n", part)
	}
	// Output:
	// WECHATPAY2-SHA256-RSA2048 mchid="1900000001"
	// nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242"
	// timestamp="1772366400"
	// serial_no="5157F09EFDC096DE15EBE81A47057A72AABBCCDD"
	// signature="LDm9LSIZS7XwjWws5mQPsd+bN9KhA0jRj4IeY7IrE
}

func ExamplePrivateKey_SignMiniProgram() {
	key, err := wxcrypto.ParsePrivateKey(readKey("example_key.pem"))
	if err != nil {
		log.Fatal(err)
	}
	pay, err := key.SignMiniProgram("wx8888888888888888", "wx201410272009395522657a690389285100",
		time.Unix(1772366400, 0), "593BEC0C930BF1AFEB40B4A08C8FB242")
	if err != nil {
		log.Fatal(err)
	}
	pay.PaySign = pay.PaySign[:20] + "…" // 344 characters
	answer, err := json.MarshalIndent(pay, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(answer))
	// Output:
	// {
	//   "timeStamp": "1772366400",
	//   "nonceStr": "593BEC0C930BF1AFEB40B4A08C8FB242",
	//   "package": "prepay_id=wx201410272009395522657a690389285100",
	//   "signType": "RSA",
	//   "paySign": "JSk7hvZ71OocJBN/zN80…"
	// }
}

func ExampleKeySet_Verify() {
	key, err := wxcrypto.ParsePublicKey("PUB_KEY_ID_0119000072912024080500000000", readKey("docs_wechatpay_public_key.pem"))
	if err != nil {
		log.Fatal(err)
	}
	keys := wxcrypto.NewKeySet(key)

	// An answer of WeChat Pay from its documentation, at the time it was given.
	now := time.Unix(1722850421, 0)
	body := []byte(`{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}`)
	header := http.Header{}
	header.Set("Wechatpay-Serial", "PUB_KEY_ID_0119000072912024080500000000")
	header.Set("Wechatpay-Timestamp", "1722850421")
	header.Set("Wechatpay-Nonce", "d824f2e086d3c1df967785d13fcd22ef")
	header.Set("Wechatpay-Signature", "mfI1CPqvBrgcXfgXMFjdNIhBf27ACE2YyeWsWV9ZI7T7RU0vHvbQpu9Z32ogzc+k8ZC5n3kz7h70eWKjgqNdKQ"+
		"F0eRp8mVKlmfzMLBVHbssB9jEZEDXThOX1XFqX7s7ymia1hoHQxQagPGzkdWxtlZPZ4ZPvr1RiqkgAu6Is8MZgXXrRoBKqjmSdrP1N7uxzJ/cj"+
		"fSiis9FiLjuADoqmQ1P7p2N876YPAol7Rn0+GswwAwxldbdLrmVSjfytfSBJFqTMHn4itojgxSWWN1byuckQt8hSTEv/Lg97QoeGniYP17T80p"+
		"JeQyL3b+295FPHSO2AtvCgyIbKMZ0BALilAA==")

	serial, err := keys.Verify(header, body, now)
	fmt.Println(serial, err)

	_, err = keys.Verify(header, body, now.Add(10*time.Minute))
	fmt.Println(errors.Is(err, wxcrypto.ErrTimestamp))
	_, err = keys.Verify(header, []byte(`{"code_url":"weixin://elsewhere"}`), now)
	fmt.Println(errors.Is(err, wxcrypto.ErrSignature))
	// Output:
	// PUB_KEY_ID_0119000072912024080500000000 <nil>
	// true
	// true
}

// A server that reads bodies from the network can refuse most forgeries before.
func ExampleKeySet_CheckHeader() {
	keys := new(wxcrypto.KeySet)
	now := time.Unix(1722850421, 0)
	header := http.Header{}
	header.Set("Wechatpay-Serial", "PUB_KEY_ID_0119000072912024080500000000")
	header.Set("Wechatpay-Timestamp", "1722850421")
	header.Set("Wechatpay-Nonce", "d824f2e086d3c1df967785d13fcd22ef")
	header.Set("Wechatpay-Signature", "AAAA")

	_, err := keys.CheckHeader(header, now)
	fmt.Println(err)
	// Output: wxcrypto: unknown key: serial "PUB_KEY_ID_0119000072912024080500000000"
}

func ExampleAPIv3Key_Open() {
	key, err := wxcrypto.ParseAPIv3Key("a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb") // a published test key
	if err != nil {
		log.Fatal(err)
	}
	var resource wxcrypto.Resource
	err = json.Unmarshal([]byte(`{
		"algorithm": "AEAD_AES_256_GCM",
		"nonce": "uluk4a9R25RW",
		"associated_data": "associatedData",
		"ciphertext": "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI="
	}`), &resource)
	if err != nil {
		log.Fatal(err)
	}
	plaintext, err := key.Open(resource)
	fmt.Printf("%s %v\n", plaintext, err)

	resource.AssociatedData = "another"
	_, err = key.Open(resource)
	fmt.Println(err)
	fmt.Println(key)
	// Output:
	// message <nil>
	// wxcrypto: resource does not open with this APIv3 key
	// wxcrypto.APIv3Key(redacted)
}

func ExampleParsePrivateKey() {
	_, err := wxcrypto.ParsePrivateKey([]byte(`-----BEGIN PRIVATE KEY-----\nMIIEvg…\n-----END PRIVATE KEY-----\n`))
	fmt.Println(err)
	_, err = wxcrypto.ParsePrivateKey(readKey("java_merchant_certificate.pem"))
	fmt.Println(err)
	// Output:
	// merchant private key: has the two characters \n where line breaks belong; replace each by a real line break
	// merchant private key: is a certificate (apiclient_cert.pem?); its private key is needed, which is in apiclient_key.pem
}

func ExampleVerifyKey_EncryptOAEP() {
	key, err := wxcrypto.ParseCertificate(readKey("go_certificate_F5765756002FDD77.pem"))
	if err != nil {
		log.Fatal(err)
	}
	ciphertext, err := key.EncryptOAEP([]byte("张三"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("send", len(ciphertext), "characters with Wechatpay-Serial:", key.Serial())

	// The other side, which in truth only WeChat Pay can play.
	private, err := wxcrypto.ParsePrivateKey(readKey("go_testing_key.pem"))
	if err != nil {
		log.Fatal(err)
	}
	name, err := private.DecryptOAEP(ciphertext)
	fmt.Println(string(name), err)
	// Output:
	// send 344 characters with Wechatpay-Serial: F5765756002FDD77
	// 张三 <nil>
}

// The documentation's own sample of a sign.
func ExampleAPIv2Key_Sign() {
	key, err := wxcrypto.ParseAPIv2Key("192006250b4c09247ec02edce69f6a2d")
	if err != nil {
		log.Fatal(err)
	}
	sign, err := key.Sign(map[string]string{
		"appid": "wxd930ea5d5a258f4f", "mch_id": "10000100", "device_info": "1000", "body": "test",
		"nonce_str": "ibuaiVcKdpRxkhJA",
	}, wxcrypto.SignMD5)
	fmt.Println(sign, err)
	// Output: 9A0A8659F005D6984697E2CA0A9CF3B7 <nil>
}
