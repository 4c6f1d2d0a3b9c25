package wxapi_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	oldSerial = "5DEA10EF55877E3CF6C33255C2E7DEFFF7E427EC"
	newSerial = "0D00000000000000000000000000000000000001"
	expired   = "0E00000000000000000000000000000000000002"
	early     = "0F00000000000000000000000000000000000003"
)

// platformCert is a certificate of WeChat Pay's key, valid around at; expired
// and early are not.
func platformCert(serial string, key *rsa.PrivateKey, at time.Time) []byte {
	number, _ := new(big.Int).SetString(serial, 16)
	template := &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: "Tenpay.com sign"},
		NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(4, 0, 0),
	}
	switch serial {
	case newSerial:
		template.NotBefore = at.AddDate(0, 0, -1)
	case expired:
		template.NotAfter = at.Add(-time.Second)
	case early:
		template.NotBefore = at.Add(time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// sealed is an item of the certificates answer.
func sealed(apiv3Key, serial string, plaintext []byte) map[string]any {
	block, err := aes.NewCipher([]byte(apiv3Key))
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	const nonce = "61f9c719728a"
	return map[string]any{
		"serial_no": serial, "effective_time": "2018-06-08T10:34:56+08:00", "expire_time": "2018-12-08T10:34:56+08:00",
		"encrypt_certificate": map[string]string{
			"algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "certificate",
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, []byte(nonce), plaintext, []byte("certificate"))),
		},
	}
}

// list answers with certificates, signed by key under the name signer.
func list(key *rsa.PrivateKey, signer string, items ...map[string]any) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.Marshal(map[string]any{"data": append([]map[string]any{}, items...)})
		if err != nil {
			panic(err)
		}
		sign(w.Header(), key, signer, body, time.Now())
		w.Write(body)
	}
}

// download answers with certificates as WeChat Pay does, signed by the first.
func download(serials ...string) step {
	return func(w http.ResponseWriter, r *http.Request) {
		var items []map[string]any
		for _, serial := range serials {
			items = append(items, sealed(testAPIv3Key, serial, platformCert(serial, wechatKey(), time.Now())))
		}
		list(wechatKey(), serials[0], items...)(w, r)
	}
}

// under is an answer signed by a platform certificate.
func under(serial string, body string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		sign(w.Header(), wechatKey(), serial, []byte(body), time.Now())
		io.WriteString(w, body)
	}
}

// imitated is signed by a stranger under the name of a certificate held.
func imitated(w http.ResponseWriter, _ *http.Request) {
	sign(w.Header(), merchantKey(), oldSerial, []byte(notPaid), time.Now())
	io.WriteString(w, notPaid)
}

func noKeys(cfg *wxapi.Config) { cfg.Keys = wxcrypto.NewKeySet() }

// holding makes a client begin with certificates, and shows its keys.
func holding(t *testing.T, keys **wxcrypto.KeySet, serials ...string) func(*wxapi.Config) {
	return func(cfg *wxapi.Config) {
		cfg.Keys = wxcrypto.NewKeySet()
		for _, serial := range serials {
			key, err := wxcrypto.ParseCertificate(platformCert(serial, wechatKey(), time.Now()))
			must(t, err)
			cfg.Keys.Add(key)
		}
		*keys = cfg.Keys
	}
}

func serialsOf(keys *wxcrypto.KeySet) []string {
	var serials []string
	for _, key := range keys.Keys() {
		serials = append(serials, key.Serial())
	}
	return serials
}

func TestRefreshCertificates(t *testing.T) {
	t.Parallel()
	strange := func(serial string) map[string]any {
		return sealed(testAPIv3Key, serial, platformCert(oldSerial, wechatKey(), time.Now()))
	}
	for _, tt := range []struct {
		name  string
		held  []string
		steps []step
		want  want
		keys  []string // held afterwards
	}{
		{"first", nil, []step{download(oldSerial)}, want{}, []string{oldSerial}},
		{"rotation", []string{oldSerial}, []step{download(oldSerial, newSerial)}, want{}, []string{newSerial, oldSerial}},
		{"the new one alone", []string{oldSerial}, []step{download(newSerial)}, want{}, []string{newSerial, oldSerial}},
		{"an expired one beside", nil, []step{download(oldSerial, expired)}, want{}, []string{oldSerial}},
		{"one that is not valid yet beside", nil, []step{download(oldSerial, early)}, want{}, []string{oldSerial}},
		{"all expired", []string{oldSerial}, []step{download(expired)}, want{is: wxcrypto.ErrKeyExpired}, []string{oldSerial}},
		{"signed by one held", []string{oldSerial},
			[]step{list(wechatKey(), oldSerial, sealed(testAPIv3Key, newSerial, platformCert(newSerial, wechatKey(), time.Now())))},
			want{}, []string{newSerial, oldSerial}},
		{"another APIv3 key", []string{oldSerial},
			[]step{list(wechatKey(), oldSerial, sealed("01234567890123456789012345678901", newSerial, []byte("x")))},
			want{is: wxcrypto.ErrDecrypt}, []string{oldSerial}},
		{"no certificate inside", nil, []step{list(wechatKey(), oldSerial, sealed(testAPIv3Key, oldSerial, []byte("x")))},
			want{is: errAny}, nil},
		{"serial_no of another", nil, []step{list(wechatKey(), oldSerial, strange(newSerial))}, want{is: errAny}, nil},
		{"one good, one bad: none", nil,
			[]step{list(wechatKey(), oldSerial, strange(oldSerial), strange(newSerial))}, want{is: errAny}, nil},
		{"serial_no in lower case", nil, []step{list(wechatKey(), oldSerial, strange("5dea10ef55877e3cf6c33255c2e7defff7e427ec"))},
			want{}, []string{oldSerial}},
		{"signed by a stranger", nil, again(list(merchantKey(), oldSerial, strange(oldSerial))),
			want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrSignature}, nil},
		{"signed under another name", nil, again(list(wechatKey(), newSerial, strange(oldSerial))),
			want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrUnknownSerial}, nil},
		{"not signed, then signed", nil, []step{unsigned(200, `{"data":"x"}`), download(oldSerial)}, want{}, []string{oldSerial}},
		{"garbage", []string{oldSerial}, again(under(oldSerial, "<html>")), want{is: wxapi.ErrNotVerified}, []string{oldSerial}},
		{"no data", nil, again(under(oldSerial, "{}")), want{is: wxapi.ErrNotVerified}, nil},
		{"404", []string{oldSerial}, []step{refuse(404, "RESOURCE_NOT_EXISTS")},
			want{is: wxapi.ErrPublicKeyMerchant, status: 404, code: "RESOURCE_NOT_EXISTS"}, []string{oldSerial}},
		{"the same code with another status", nil, []step{refuse(403, "RESOURCE_NOT_EXISTS")}, want{status: 403, code: "RESOURCE_NOT_EXISTS"}, nil},
		{"404 of something else", nil, []step{unsigned(404, "")}, want{status: 404}, nil},
		{"empty list", nil, []step{list(wechatKey(), oldSerial)}, want{is: wxapi.ErrPublicKeyMerchant}, nil},
		{"401", []string{oldSerial}, []step{refuse(401, "SIGN_ERROR")}, want{status: 401, code: "SIGN_ERROR"}, []string{oldSerial}},
		{"500s", []string{oldSerial}, again(refuse(500, "SYSTEM_ERROR")),
			want{is: wxapi.ErrUnknown, status: 500, code: "SYSTEM_ERROR"}, []string{oldSerial}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t)
			w.certs = tt.steps
			var keys *wxcrypto.KeySet
			c := w.client(t, holding(t, &keys, tt.held...))
			tt.want.check(t, c.RefreshCertificates(t.Context()))
			if got := serialsOf(keys); !slices.Equal(got, tt.keys) {
				t.Errorf("holds %v, want %v", got, tt.keys)
			}
			if len(w.certHits) != len(tt.steps) || w.certHits[0].uri != "/v3/certificates" {
				t.Errorf("%d requests, want %d", len(w.certHits), len(tt.steps))
			}
			// Within the minute, or the five seconds, the result stands.
			tt.want.check(t, c.RefreshCertificates(t.Context()))
		})
	}
}

// errAny stands for an error that is none of the kinds.
var errAny = errors.New("any")

// TestVectorT10 opens a certificate that this module did not seal. Its private
// key is not known, so a key already held signs the answer.
func TestVectorT10(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 8, 5, 17, 33, 41, 0, time.UTC)
	body := seeds(t, "certificates")["t10.txt"]
	w := newWeChat(t)
	w.certs = []step{func(rw http.ResponseWriter, _ *http.Request) {
		sign(rw.Header(), wechatKey(), testPublicKeyID, body, at)
		rw.Write(body)
	}}
	var keys *wxcrypto.KeySet
	c := w.client(t, func(cfg *wxapi.Config) {
		key, err := wxcrypto.ParseAPIv3Key("a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb")
		must(t, err)
		cfg.APIv3Key, keys = key, cfg.Keys
		cfg.Now = func() time.Time { return at }
	})
	must(t, c.RefreshCertificates(t.Context()))
	key, ok := keys.Get("5DEA10EF55877E3CF6C33255C2E7DEFFF7E427EC")
	if !ok || key.NotAfter().Format(time.DateOnly) != "2028-09-17" {
		t.Errorf("holds %v", serialsOf(keys))
	}
}
