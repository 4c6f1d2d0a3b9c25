package wxcrypto_test

import (
	"regexp"
	"testing"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

func TestNewNonce(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
	seen := make(map[string]bool)
	for range 1000 {
		nonce := wxcrypto.NewNonce()
		if !form.MatchString(nonce) {
			t.Fatalf("%q", nonce)
		}
		if seen[nonce] {
			t.Fatalf("%q twice", nonce)
		}
		seen[nonce] = true
	}
}

// A byte modulo 62 would give the first eight letters a quarter more. With 5,161 of each letter expected and a
// standard deviation of 71, a tenth is far from chance and far from that quarter.
func TestNewNonceIsUnbiased(t *testing.T) {
	t.Parallel()
	const nonces, letters = 10_000, 62
	count := make(map[rune]int)
	for range nonces {
		for _, letter := range wxcrypto.NewNonce() {
			count[letter]++
		}
	}
	if len(count) != letters {
		t.Errorf("%d letters in use", len(count))
	}
	expected := float64(nonces*32) / letters
	for letter, n := range count {
		if got := float64(n) / expected; got < 0.9 || got > 1.1 {
			t.Errorf("%q came %.2f times as often as it should", letter, got)
		}
	}
}
