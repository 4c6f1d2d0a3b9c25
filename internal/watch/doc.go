// Package watch has no code, only a test: a real Prometheus scrapes the example
// shop while things go wrong, and its alerts fire and clear.
//
//	go test -tags prometheus ./internal/watch
//
// It needs the programs of Debian's package prometheus. The rules are those of
// wxprom/alerts.yml on a clock that is sixty times as fast: see scaled.
package watch
