package wxpay

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/internal/till"
)

// timeNumber is the default order number: 17 digits of Beijing time and 15
// random characters (75 bits), unique without coordination.
func timeNumber(_ string, at time.Time) string {
	stamp := strings.Replace(beijing(at).Format("20060102150405.000"), ".", "", 1)
	random := make([]byte, 10)
	_, _ = rand.Read(random) // never fails: crypto/rand
	return stamp + till.Alphabet.EncodeToString(random)[:15]
}

// TutorialNumber is an Options.OrderNumber: the tutorials'
// tzxz_<user>_<milliseconds>. A user id that is too long, or has characters
// that WeChat refuses, is replaced by a digest of it. Two orders of one user in
// one millisecond collide; the kit then asks again for a later time.
func TutorialNumber(userID string, at time.Time) string {
	const room = 32 - len("tzxz__") - len("1623846752103")
	forbidden := func(c rune) bool { return notAlphanumeric(c) && c != '_' && c != '-' }
	if len(userID) > room || strings.ContainsFunc(userID, forbidden) {
		userID = till.Digest("user", userID)[:room]
	}
	return fmt.Sprintf("tzxz_%s_%d", userID, at.UnixMilli())
}
