package wxprom

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// SQLite registers metrics of the writer of an orderstore/sqlite store, and
// returns what fills them:
//
//	store, err := sqlite.OpenWith(path, sqlite.Options{
//		Committed: wxprom.SQLite(prometheus.DefaultRegisterer),
//	})
//
// It takes plain values, so that this package needs no SQLite.
func SQLite(reg prometheus.Registerer) func(writes, waiting int, took time.Duration, err error) {
	sizes := prometheus.ExponentialBuckets(1, 2, 8) // to 128, the most that share a commit
	took := histogram(reg, "wxpay_sqlite_commit_duration_seconds",
		"How long a transaction took with the wait for the file, by outcome (ok, error).", answers, "outcome")
	writes := histogram(reg, "wxpay_sqlite_commit_writes", "How many writes shared a transaction.", sizes).WithLabelValues()
	waiting := histogram(reg, "wxpay_sqlite_queue_depth", "How many writers waited when a transaction began.", append([]float64{0}, sizes...)).WithLabelValues()
	return func(n, queued int, d time.Duration, err error) {
		took.WithLabelValues(outcomeOf(err)).Observe(d.Seconds())
		writes.Observe(float64(n))
		waiting.Observe(float64(queued))
	}
}
