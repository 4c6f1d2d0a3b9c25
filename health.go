package wxpay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/internal/flight"
	"github.com/wxpaykit/wxpay/orderstore"
)

// Live answers 200 as long as the process can answer at all: for a liveness
// probe. It asks nobody, so that no trouble elsewhere restarts the process.
func (k *Kit) Live() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "live"})
	})
}

// Ready answers 200 when this process can take payments, otherwise 503: for a
// readiness probe. It wants the store to answer within a second, a key to verify
// notifications with (certificates are fetched when there is none), and
// [Kit.Run] to run. What it found is good for a second, however often it is
// asked. The body names what is missing, without causes: those are in the log,
// when it changes.
//
// It is not under Options.Prefix: mount it where your probes look, such as
// /readyz.
func (k *Kit) Ready() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, _, err := k.ready.asking.Do(r.Context(), "", k.readiness)
		if err != nil { // the client is gone, or a panic
			h = health{Status: "not_ready"}
		}
		status := http.StatusOK
		if h.Status != "ready" {
			status = http.StatusServiceUnavailable
		}
		reply(w, status, h)
	})
}

// health is the body of an answer. Its values are a closed list.
type health struct {
	Status string `json:"status"` // ready or not_ready
	Store  string `json:"store"`  // ok or failed
	Keys   string `json:"keys"`   // ok or missing
	Run    string `json:"run"`    // ok or stopped
}

// readiness is what was found last.
type readiness struct {
	asking flight.Group[health]
	mu     sync.Mutex
	last   health
	at     time.Time
}

const (
	readyFor     = time.Second
	keysPatience = 3 * time.Second
)

// readiness finds out how the process does, or remembers it.
func (k *Kit) readiness(ctx context.Context) (health, error) {
	if h, ok := k.ready.recent(k.opt.Now()); ok {
		return h, nil
	}
	h := health{Status: "ready", Store: "ok", Keys: "ok", Run: "ok"}
	var causes []error
	missing := func(what *string, word string, err error) {
		if err != nil {
			h.Status, *what = "not_ready", word
			causes = append(causes, err)
		}
	}
	missing(&h.Store, "failed", k.storeReady(ctx))
	missing(&h.Keys, "missing", k.keysReady(ctx))
	if k.running.Load() == 0 {
		missing(&h.Run, "stopped", errors.New("Kit.Run does not run"))
	}
	if was := k.ready.remember(h, k.opt.Now()); was.Status != h.Status {
		k.logReadiness(ctx, was, h, errors.Join(causes...))
	}
	return h, nil
}

func (k *Kit) storeReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storePatience)
	defer cancel()
	err := within(ctx, func(ctx context.Context) error {
		_, err := k.opt.Store.Get(ctx, "wxpay-self-check")
		return err
	})
	switch {
	case errors.Is(err, orderstore.ErrNotFound):
		return nil
	case err == nil:
		return errGhost
	}
	return fmt.Errorf("store: %w", err)
}

func (k *Kit) keysReady(ctx context.Context) error {
	if _, ok := k.acct.keys.Preferred(k.opt.Now()); ok || !k.acct.v3 { // API v2 has the one key it was given
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keysPatience)
	defer cancel()
	if err := k.api.RefreshCertificates(ctx); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

func (k *Kit) logReadiness(ctx context.Context, was, is health, cause error) {
	level := slog.LevelError
	if was.Status == "" {
		level = slog.LevelWarn // nobody has seen it ready yet: it may be starting
	}
	switch {
	case is.Status == "not_ready":
		k.opt.Logger.Log(ctx, level, "not ready to take payments", slog.String("store", is.Store), slog.String("keys", is.Keys), slog.String("run", is.Run), slog.Any("cause", cause))
	case was.Status != "":
		k.opt.Logger.InfoContext(ctx, "ready to take payments again")
	}
}

func (r *readiness) recent(now time.Time) (health, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	age := now.Sub(r.at)
	return r.last, !r.at.IsZero() && age >= 0 && age < readyFor
}

// remember returns what was remembered before.
func (r *readiness) remember(h health, now time.Time) (was health) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, r.last, r.at = r.last, h, now
	return was
}
