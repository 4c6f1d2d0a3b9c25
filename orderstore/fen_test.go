package orderstore_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/orderstore"
)

func TestFenPrintsYuan(t *testing.T) {
	t.Parallel()
	for fen, want := range map[orderstore.Fen]string{
		0: "0.00元", 1: "0.01元", 9: "0.09元", 10: "0.10元", 99: "0.99元", 100: "1.00元", 101: "1.01元",
		12345: "123.45元", 100_000_000: "1000000.00元", -1: "-0.01元", -100: "-1.00元", -12345: "-123.45元",
		math.MaxInt64: "92233720368547758.07元", math.MinInt64: "-92233720368547758.08元",
	} {
		if got := fen.String(); got != want {
			t.Errorf("Fen(%d) prints %q, want %q", int64(fen), got, want)
		}
	}
}

// No amount is rounded: the digits that are printed are those that are there.
func TestFenPrintsEveryDigit(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^-?(0|[1-9][0-9]*)\.[0-9]{2}元$`)
	rapid.Check(t, func(t *rapid.T) {
		fen := rapid.Int64().Draw(t, "fen")
		text := orderstore.Fen(fen).String()
		if !shape.MatchString(text) {
			t.Fatalf("Fen(%d) prints %q", fen, text)
		}
		digits := strings.NewReplacer(".", "", "元", "").Replace(text)
		if back, err := strconv.ParseInt(digits, 10, 64); err != nil || back != fen {
			t.Fatalf("Fen(%d) prints %q, which reads %d (%v)", fen, text, back, err)
		}
	})
}
