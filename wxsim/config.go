package wxsim

import (
	"log/slog"
	"net/http"
	"time"
)

// Config says how a [Sim] is built. The zero value is good for tests.
type Config struct {
	// Seed makes keys, identities and numbers repeatable. 0 means: fresh
	// random ones from [New], the process-wide shared ones from [Start].
	Seed int64

	// Now is the header clock: it stamps what the simulator signs and judges
	// the timestamps it receives. Business time starts from it too. Defaults
	// to time.Now.
	Now func() time.Time

	// Logger gets one line per call and per notification, without keys or
	// bodies. Defaults to discarding.
	Logger *slog.Logger

	// RefundDelay is how long a refund takes from PROCESSING to its end, in
	// business time. A negative one makes it end at once, so that its
	// notification may arrive before the answer to the application. Defaults
	// to five seconds.
	RefundDelay time.Duration

	// NotifyClient sends notifications. Its redirects are always refused and
	// its patience never exceeds five seconds; set a shorter Timeout to hurry
	// a test, or a Transport that trusts a test certificate. Defaults to a
	// client of the simulator's own.
	NotifyClient *http.Client

	// PublicKeyOnly plays a merchant registered after platform certificates
	// ended: GET /v3/certificates is 404 RESOURCE_NOT_EXISTS and everything is
	// signed with the public key.
	PublicKeyOnly bool

	// OAuthDomain is the one host, besides loopback ones, whose pages may ask who
	// is in front of them (网页授权域名), such as shop.example.com. Defaults to
	// none.
	OAuthDomain string

	// NotifyWithCertificate signs notifications with the platform certificate
	// instead of the public key, as for a merchant who has not switched yet.
	NotifyWithCertificate bool
}

// sharedSeed is what Start uses when the caller does not care, so that a test
// binary pays for key generation once.
const sharedSeed = 20130805

// withDefaults returns a copy with every optional field but Seed filled.
func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.RefundDelay == 0 {
		c.RefundDelay = 5 * time.Second
	}
	c.NotifyClient = notifyClient(c.NotifyClient)
	return c
}
