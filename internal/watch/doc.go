// Package watch has no code, only a test: a real Prometheus scrapes shops while
// things go wrong, and every alert of wxprom/alerts.yml fires and, when things
// are mended, clears. One that does not fails the test, and so does a new one
// for which nothing goes wrong yet.
//
//	go test -tags prometheus ./internal/watch
//
// It needs the programs of Debian's package prometheus, and takes about two
// minutes. The rules are on a clock that is sixty times as fast: see scaled.
//
// A scene is one shop before one Prometheus, in a file scene_*_test.go of its
// own: the example shop as a process, whose simulator, database and life are
// broken from outside; and small shops in the test's own process, where the
// clock, the account and kit.Run are at hand.
package watch
