package wxcrypto_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

func TestKeySetGetAndKeys(t *testing.T) {
	t.Parallel()
	cert := wechatCertificate(t, testSerial, testNow, testNow.AddDate(1, 0, 0))
	set := wxcrypto.NewKeySet(wechatPublicKey(t), cert, wxcrypto.VerifyKey{})
	for _, serial := range []string{testSerial, strings.ToLower(testSerial), testPublicKeyID} {
		if key, ok := set.Get(serial); !ok || !strings.EqualFold(key.Serial(), serial) {
			t.Errorf("Get(%q) = %v, %t", serial, key, ok)
		}
	}
	for _, serial := range []string{"", "AB", strings.ToLower(testPublicKeyID), " " + testSerial} {
		if key, ok := set.Get(serial); ok {
			t.Errorf("Get(%q) = %v", serial, key)
		}
	}
	if got := serials(set); !slices.Equal(got, []string{testSerial, testPublicKeyID}) {
		t.Errorf("Keys: %q", got)
	}
}

func serials(set *wxcrypto.KeySet) []string {
	var all []string
	for _, key := range set.Keys() {
		all = append(all, key.Serial())
	}
	return all
}

// The empty set knows nothing, and the zero value is one.
func TestKeySetZero(t *testing.T) {
	t.Parallel()
	var set wxcrypto.KeySet
	if _, ok := set.Get(testSerial); ok || len(set.Keys()) != 0 {
		t.Error("the zero set holds a key")
	}
	if _, ok := set.Preferred(testNow); ok {
		t.Error("the zero set prefers a key")
	}
	set.Add()
	set.Add(wechatPublicKey(t))
	if _, ok := set.Get(testPublicKeyID); !ok {
		t.Error("the added key is not there")
	}
}

func TestKeySetAddReplacesAndKeeps(t *testing.T) {
	t.Parallel()
	old := wechatCertificate(t, testSerial, testNow.AddDate(-5, 0, 0), testNow)
	renewed := wechatCertificate(t, testSerial, testNow, testNow.AddDate(5, 0, 0))
	set := wxcrypto.NewKeySet(old, wechatPublicKey(t))
	before := set.Keys()
	set.Add(renewed)
	if key, _ := set.Get(testSerial); !key.NotAfter().Equal(renewed.NotAfter()) {
		t.Errorf("valid until %v", key.NotAfter())
	}
	if len(set.Keys()) != 2 {
		t.Errorf("keys: %q", serials(set))
	}
	if !before[0].NotAfter().Equal(old.NotAfter()) {
		t.Error("a list handed out earlier changed")
	}
}

func TestKeySetPreferred(t *testing.T) {
	t.Parallel()
	year := func(n int) time.Time { return testNow.AddDate(n, 0, 0) }
	older := wechatCertificate(t, "AA", year(-4), year(1))
	newer := wechatCertificate(t, "0B", year(-1), year(1))
	twin := wechatCertificate(t, "CC", year(-1), year(1))
	expired := wechatCertificate(t, "DD", year(-3), testNow.Add(-time.Second))
	future := wechatCertificate(t, "EE", testNow.Add(time.Second), year(5))
	first := wechatPublicKey(t)
	second, err := wxcrypto.ParsePublicKey("PUB_KEY_ID_0119000000012026010100000000", publicPEM(t, &wechatRSA().PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		keys []wxcrypto.VerifyKey
		want string
	}{
		{"latest start wins", []wxcrypto.VerifyKey{older, newer}, "0B"},
		{"same start, greater serial", []wxcrypto.VerifyKey{newer, twin}, "CC"},
		{"not one of tomorrow", []wxcrypto.VerifyKey{older, future}, "AA"},
		{"not an expired one", []wxcrypto.VerifyKey{older, expired}, "AA"},
		{"nothing valid", []wxcrypto.VerifyKey{expired, future}, ""},
		{"public key before certificates", []wxcrypto.VerifyKey{newer, first, older}, testPublicKeyID},
		{"newest public key id", []wxcrypto.VerifyKey{second, first}, second.Serial()},
		{"none", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			slices.Reverse(test.keys)
			key, ok := wxcrypto.NewKeySet(test.keys...).Preferred(testNow)
			if key.Serial() != test.want || ok != (test.want != "") {
				t.Errorf("Preferred = %v, %t; want %q", key, ok, test.want)
			}
		})
	}
}

// Readers and writers at once; the race detector and the readers' own checks judge.
func TestKeySetConcurrent(t *testing.T) {
	t.Parallel()
	in := goodIncoming(t)
	cert := wechatCertificate(t, testSerial, testNow, testNow.AddDate(1, 0, 0))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				in.keys.Add(cert, wechatPublicKey(t))
			}
		})
		wg.Go(func() {
			for range 100 {
				if _, err := in.verify(); err != nil {
					t.Errorf("verify while adding: %v", err)
				}
				if key, ok := in.keys.Preferred(testNow); !ok || key.Serial() != testPublicKeyID {
					t.Errorf("preferred while adding: %v, %t", key, ok)
				}
				in.keys.Keys()
			}
		})
	}
	wg.Wait()
}
