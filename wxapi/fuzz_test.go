package wxapi_test

import (
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// FuzzCertificates: nobody without the APIv3 key gets a key of his own in.
func FuzzCertificates(f *testing.F) {
	signing, err := wxcrypto.NewPrivateKey(merchantKey())
	if err != nil {
		f.Fatal(err)
	}
	apiv3, err := wxcrypto.ParseAPIv3Key("a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb") // of vector T10
	if err != nil {
		f.Fatal(err)
	}
	client, err := wxapi.New(wxapi.Config{
		Signer: wxcrypto.Signer{MchID: testMchID, SerialNo: testMchSerial, Key: signing}, Keys: wxcrypto.NewKeySet(),
		APIv3Key: apiv3, Now: func() time.Time { return time.Date(2024, 8, 5, 0, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		f.Fatal(err)
	}
	opened := 0
	for _, body := range seeds(f, "certificates") {
		f.Add(body)
		if keys, err := wxapi.OpenCertificates(client, body); err == nil && len(keys) == 1 {
			opened++
		}
	}
	if opened != 1 {
		f.Fatalf("%d seeds open, want vector T10", opened)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := wxapi.OpenCertificates(client, body)
		if err != nil && len(keys) != 0 || err == nil && len(keys) == 0 {
			t.Errorf("%d keys and %v", len(keys), err)
		}
		for _, key := range keys {
			if key.Serial() != oldSerial || !key.NotAfter().Equal(time.Date(2028, 9, 17, 15, 15, 58, 0, time.UTC)) {
				t.Errorf("a key that is not WeChat Pay's: %s", key)
			}
		}
	})
}
