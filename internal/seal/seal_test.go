package seal_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/internal/seal"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func key(t *testing.T, secret string) seal.Key {
	t.Helper()
	k, err := seal.New(secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOpen(t *testing.T) {
	t.Parallel()
	k := key(t, strings.Repeat("s", 32))
	good := k.Seal("link", "order-0001", now)
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	later := append([]byte(nil), raw...)
	later[32+7]++ // a second more to live
	for _, tt := range []struct {
		name    string
		key     seal.Key
		purpose string
		sealed  string
		at      time.Time
		want    error
	}{
		{"good", k, "link", good, now, nil},
		{"one second late", k, "link", good, now.Add(time.Second), seal.ErrExpired},
		{"another purpose", k, "cookie", good, now, seal.ErrBroken},
		{"another secret", key(t, strings.Repeat("t", 32)), "link", good, now, seal.ErrBroken},
		{"longer life", k, "link", base64.RawURLEncoding.EncodeToString(later), now, seal.ErrBroken},
		{"cut", k, "link", good[:len(good)-2], now, seal.ErrBroken},
		{"too short for its parts", k, "link", good[:8], now, seal.ErrBroken},
		{"not base64", k, "link", "%" + good[1:], now, seal.ErrBroken},
		{"empty", k, "link", "", now, seal.ErrBroken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text, err := tt.key.Open(tt.purpose, tt.sealed, tt.at)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if want := map[bool]string{true: "order-0001"}[tt.want == nil]; text != want {
				t.Errorf("text %q, want %q", text, want)
			}
		})
	}
}

// TestPurposeIsNotAPrefix: what is sealed for "ab" of "c" is not one for "a" of
// "bc".
func TestPurposeIsNotAPrefix(t *testing.T) {
	t.Parallel()
	k := key(t, strings.Repeat("s", 32))
	rapid.Check(t, func(t *rapid.T) {
		purpose, other := rapid.String().Draw(t, "purpose"), rapid.String().Draw(t, "other")
		text := rapid.String().Draw(t, "text")
		sealed := k.Seal(purpose, text, now)
		got, err := k.Open(purpose, sealed, now)
		if err != nil || got != text {
			t.Fatalf("own purpose: %q, %v", got, err)
		}
		if _, err := k.Open(other, sealed, now); purpose != other && !errors.Is(err, seal.ErrBroken) {
			t.Fatalf("another purpose: %v", err)
		}
	})
}
