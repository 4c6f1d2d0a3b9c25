package till

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
)

// Alphabet is base32 without the letters that people confuse, in one case:
// whether WeChat tells order numbers apart by case is not documented.
var Alphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Number names an order by what makes it one, so that the same wish is the
// same order in every process and no index has to remember it. 155 bits.
func Number(parts ...string) string { return "k" + Digest(parts...)[:31] }

// Digest is 51 characters of [Alphabet] that only these parts give.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p) // lengths keep "ab","c" apart from "a","bc"
	}
	return Alphabet.EncodeToString(h.Sum(nil))
}
