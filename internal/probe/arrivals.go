package probe

import (
	"net/http"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/internal/seal"
)

// Header carries the mark of a self-check to the notify URL, and the answer to
// it back. Both are sealed with the app's secret: a stranger who sends the
// header is answered like any other.
const Header = "Wxpay-Self-Check"

// What a mark and its answer are sealed for.
const (
	purposeAsk    = "self-check"
	purposeAnswer = "self-check answer"
)

// maxMark caps the header of a stranger. markLife is how long a mark is good
// for, the difference between the clocks of two replicas included.
const (
	maxMark  = 256
	markLife = 10 * time.Minute
)

// Arrivals are the self-checks that a process waits for. The zero value waits
// for none. It is safe for concurrent use.
type Arrivals struct {
	mu      sync.Mutex
	waiting map[string]string // nonce to how the request ended here, "" until it comes
}

// Greet looks whether a request that ended here, refused, was a self-check of
// somebody who holds the secret. If so it is answered with a mark, and whoever
// waits for it in this process hears how it ended. It comes before the status,
// and reports whether the request was one.
func (a *Arrivals) Greet(key seal.Key, w http.ResponseWriter, r *http.Request, ending string, now time.Time) bool {
	mark := r.Header.Get(Header)
	if mark == "" || len(mark) > maxMark {
		return false
	}
	nonce, err := key.Open(purposeAsk, mark, now)
	if err != nil {
		return false
	}
	w.Header().Set(Header, key.Seal(purposeAnswer, nonce, now.Add(markLife)))
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, expected := a.waiting[nonce]; expected {
		a.waiting[nonce] = ending
	}
	return true
}

// expect begins to wait for a nonce; the function it returns ends that, and
// says how the request ended here, or "".
func (a *Arrivals) expect(nonce string) (ended func() string) {
	if a == nil {
		return func() string { return "" }
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == nil {
		a.waiting = make(map[string]string)
	}
	a.waiting[nonce] = ""
	return func() string {
		a.mu.Lock()
		defer a.mu.Unlock()
		defer delete(a.waiting, nonce)
		return a.waiting[nonce]
	}
}
