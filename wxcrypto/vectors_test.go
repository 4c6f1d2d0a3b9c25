package wxcrypto_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// Vectors made by others. Each file below testdata names its origin in the first line.

type signatureVector struct {
	Name      string `json:"name"`
	Key       string `json:"key"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
}

func docsSignatures(tb testing.TB) map[string]signatureVector {
	tb.Helper()
	file := readJSON[struct{ Signatures []signatureVector }](tb, "docs_signatures.json")
	byName := make(map[string]signatureVector)
	for _, v := range file.Signatures {
		byName[v.Name] = v
	}
	return byName
}

// The documentation's signatures prove its messages; the builders must produce these very bytes.
func TestVectorMessages(t *testing.T) {
	t.Parallel()
	const (
		appID, timestamp = "wx2421b1c4370ec43b", "1554208460"
		prepayID         = "wx201410272009395522657a690389285100"
		upload           = `{ "filename": "wechatpay_logo.png", "sha256": "d2973a45b1d528c21ebb77792ef3fcea40fa9a4e04a17e35369102ba9c84c8b1"}`
	)
	vectors := docsSignatures(t)
	for name, built := range map[string][]byte{
		"D1": wxcrypto.RequestMessage("GET", "/v3/refund/domestic/refunds/123123123123", timestamp, testNonce, nil),
		"D2": wxcrypto.RequestMessage("POST", "/v3/marketing/favor/media/image-upload", timestamp, testNonce, []byte(upload)),
		"D3": wxcrypto.JSAPIMessage(appID, timestamp, testNonce, "prepay_id="+prepayID),
		"D4": wxcrypto.AppMessage(appID, timestamp, testNonce, prepayID),
		"D5": wxcrypto.AnswerMessage("1722850421", "d824f2e086d3c1df967785d13fcd22ef",
			[]byte(`{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}`)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vector, ok := vectors[name]
			if !ok {
				t.Fatal("no such vector")
			}
			if string(built) != vector.Message {
				t.Errorf("built %q\n want %q", built, vector.Message)
			}
			key := publicKey(t, "PUB_KEY_ID_docs", vector.Key).PublicKey()
			checkSignature(t, key, string(built), vector.Signature)
		})
	}
}

// The public methods sign what the builders build: under the same inputs as D1, D3 and D4 their signatures prove the
// documentation's messages.
func TestVectorInputsThroughPublicMethods(t *testing.T) {
	t.Parallel()
	const appID, prepayID = "wx2421b1c4370ec43b", "wx201410272009395522657a690389285100"
	vectors, key, at := docsSignatures(t), merchantKey(t), time.Unix(1554208460, 0)

	header, err := wxcrypto.Signer{MchID: testMchID, SerialNo: testSerial, Key: key}.
		Authorization("GET", "/v3/refund/domestic/refunds/123123123123", nil, at, testNonce)
	if err != nil {
		t.Fatal(err)
	}
	checkSignature(t, key.Public(), vectors["D1"].Message, parseAuthorization(t, header)["signature"])

	jsapi, err := key.SignJSAPI(appID, prepayID, at, testNonce)
	if err != nil {
		t.Fatal(err)
	}
	checkSignature(t, key.Public(), vectors["D3"].Message, jsapi.PaySign)

	app, err := key.SignApp(appID, testMchID, prepayID, at, testNonce)
	if err != nil {
		t.Fatal(err)
	}
	checkSignature(t, key.Public(), vectors["D4"].Message, app.Sign)
	if validSignature(key.Public(), vectors["D3"].Message, app.Sign) {
		t.Error("the App's signature passes for JSAPI")
	}
}

// D5: an answer of the live service, replayed with the clock of its day.
func TestVectorAnswer(t *testing.T) {
	t.Parallel()
	const id = "PUB_KEY_ID_docs"
	keys := wxcrypto.NewKeySet(publicKey(t, id, "docs_wechatpay_public_key.pem"))
	vector := docsSignatures(t)["D5"]
	lines := strings.SplitN(strings.TrimSuffix(vector.Message, "\n"), "\n", 3)
	header := http.Header{
		"Wechatpay-Timestamp": {lines[0]}, "Wechatpay-Nonce": {lines[1]},
		"Wechatpay-Serial": {id}, "Wechatpay-Signature": {vector.Signature},
	}
	serial, err := keys.Verify(header, []byte(lines[2]), time.Unix(1722850421, 0).Add(2*time.Second))
	if serial != id || err != nil {
		t.Errorf("Verify = %q, %v", serial, err)
	}
}

// T2: PKCS#1 v1.5 is deterministic, so the signature must be the published one to the last byte.
func TestVectorSign(t *testing.T) {
	t.Parallel()
	vector := readJSON[struct{ Sign signatureVector }](t, "go_vectors.json").Sign
	got, err := privateKey(t, "go_testing_key.pem").Sign([]byte(vector.Message))
	if got != vector.Signature || err != nil {
		t.Errorf("Sign = %q, %v", got, err)
	}
	cert := certificate(t, testdata(t, "go_certificate_F5765756002FDD77.pem"))
	if cert.Serial() != "F5765756002FDD77" {
		t.Errorf("serial %q", cert.Serial())
	}
	checkSignature(t, cert.PublicKey(), vector.Message, got)
}

func TestVectorDecryptOAEP(t *testing.T) {
	t.Parallel()
	vector := readJSON[struct {
		OAEP struct{ Ciphertext, Plaintext string }
	}](t, "go_vectors.json").OAEP
	got, err := privateKey(t, "go_testing_key.pem").DecryptOAEP(vector.Ciphertext)
	if string(got) != vector.Plaintext || err != nil {
		t.Errorf("DecryptOAEP = %q, %v", got, err)
	}
}

// T3: a whole notification, from the headers to the plaintext. Its APIv3 key has 16 bytes, which only the unexported
// constructor takes.
func TestVectorNotification(t *testing.T) {
	t.Parallel()
	vector := readJSON[struct {
		Header    map[string]string
		APIv3Key  string `json:"apiv3_key"`
		Body      string
		Plaintext string
	}](t, "go_notification.json")
	header := make(http.Header)
	for name, value := range vector.Header {
		header.Set(name, value)
	}
	keys := wxcrypto.NewKeySet(certificate(t, testdata(t, "go_certificate_D7CE59D1F522D701.pem")))
	serial, err := keys.Verify(header, []byte(vector.Body), time.Unix(1624523846, 0))
	if serial != "D7CE59D1F522D701" || err != nil {
		t.Fatalf("Verify = %q, %v", serial, err)
	}

	var envelope struct{ Resource wxcrypto.Resource }
	if err := json.Unmarshal([]byte(vector.Body), &envelope); err != nil {
		t.Fatal(err)
	}
	if envelope.Resource.OriginalType != "payscore" || envelope.Resource.AssociatedData != "payscore" {
		t.Errorf("resource %+v", envelope.Resource)
	}
	key, err := wxcrypto.NewAPIv3Key([]byte(vector.APIv3Key))
	if err != nil {
		t.Fatal(err)
	}
	got, err := key.Open(envelope.Resource)
	if string(got) != vector.Plaintext || err != nil {
		t.Errorf("Open = %q, %v", got, err)
	}
}

type aeadVector struct {
	Key            string
	Nonce          string
	AssociatedData string `json:"associated_data"`
	Ciphertext     string
	Plaintext      string
}

func (v aeadVector) resource() wxcrypto.Resource {
	return wxcrypto.Resource{
		Algorithm: "AEAD_AES_256_GCM", Nonce: v.Nonce, AssociatedData: v.AssociatedData, Ciphertext: v.Ciphertext,
	}
}

// T4 with a key of 16 bytes, T9 with one of 32.
func TestVectorOpen(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"go_vectors.json", "java_vectors.json"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			vector := readJSON[struct{ AEAD aeadVector }](t, file).AEAD
			key, err := wxcrypto.NewAPIv3Key([]byte(vector.Key))
			if err != nil {
				t.Fatal(err)
			}
			got, err := key.Open(vector.resource())
			if string(got) != vector.Plaintext || err != nil {
				t.Errorf("Open = %q, %v", got, err)
			}
		})
	}
}

// T10: an answer of GET /v3/certificates, decrypted and parsed.
func TestVectorCertificateDownload(t *testing.T) {
	t.Parallel()
	answer := readJSON[struct {
		Data []struct {
			SerialNo           string            `json:"serial_no"`
			EffectiveTime      time.Time         `json:"effective_time"`
			ExpireTime         time.Time         `json:"expire_time"`
			EncryptCertificate wxcrypto.Resource `json:"encrypt_certificate"`
		}
	}](t, "java_certificates.json")
	if len(answer.Data) != 1 {
		t.Fatalf("%d certificates", len(answer.Data))
	}
	item := answer.Data[0]
	key, err := wxcrypto.ParseAPIv3Key(readJSON[struct{ AEAD aeadVector }](t, "java_vectors.json").AEAD.Key)
	if err != nil {
		t.Fatal(err)
	}
	pemText, err := key.Open(item.EncryptCertificate)
	if err != nil {
		t.Fatal(err)
	}
	cert := certificate(t, pemText)
	if cert.Serial() != item.SerialNo || cert.Serial() != "5DEA10EF55877E3CF6C33255C2E7DEFFF7E427EC" {
		t.Errorf("serial %q, listed as %q", cert.Serial(), item.SerialNo)
	}
	if !cert.NotBefore().Equal(item.EffectiveTime) || !cert.NotAfter().Equal(item.ExpireTime) {
		t.Errorf("valid %v to %v, listed as %v to %v", cert.NotBefore(), cert.NotAfter(), item.EffectiveTime, item.ExpireTime)
	}
}

// T11: a signature that fits one published key and not the other.
func TestVectorWrongKey(t *testing.T) {
	t.Parallel()
	vector := readJSON[struct{ Sign signatureVector }](t, "java_vectors.json").Sign
	cert := certificate(t, testdata(t, "java_merchant_certificate.pem"))
	if cert.Serial() != "5F1C72E2A8931B72A2E13AF8DEE92471EB397115" {
		t.Errorf("serial %q", cert.Serial())
	}
	checkSignature(t, cert.PublicKey(), vector.Message, vector.Signature)
	other := publicKey(t, "PUB_KEY_ID_java", "java_wechat_pay_public_key.pem")
	if validSignature(other.PublicKey(), vector.Message, vector.Signature) {
		t.Error("the signature fits a foreign key")
	}
}

// T8: a certificate of Tenpay whose serial starts with a zero, which must not get lost.
func TestVectorSerialWithLeadingZero(t *testing.T) {
	t.Parallel()
	const want = "0C4AEF34B89340881BB2B25226393DC2E47F094B"
	if got := certificate(t, testdata(t, "go_certificate_"+want+".pem")).Serial(); got != want {
		t.Errorf("serial %q, want %q", got, want)
	}
}
