//go:build prometheus

package watch

import (
	"context"
	"sync"
	"testing"
)

// TestAlerts plays the scenes, each before a Prometheus of its own: things go
// wrong, the alerts fire, things are mended, and the alerts clear. All of
// alerts.yml must have done both.
func TestAlerts(t *testing.T) {
	_, names := readRules(t)
	seen := newRecord()
	var playing sync.WaitGroup
	for name, play := range map[string]func(*testing.T, *record){
		"shop":    playShop(buildShop(t)),
		"bills":   playBills,
		"closing": playClosing,
		"account": playAccount,
		"clock":   playClock,
		"run":     playRun,
	} {
		playing.Go(func() { t.Run(name, func(t *testing.T) { play(t, seen) }) })
	}
	playing.Wait()
	for _, fault := range seen.missing(names) {
		t.Error(fault)
	}
	t.Logf("%d alerts, of which %d have fired and %d cleared", len(names), len(seen.fired), len(seen.cleared))
}

// beside does work beside the test until its context ends: when stop is called,
// or the test is over. It has ended when stop returns.
func beside(t *testing.T, work func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() { work(ctx) })
	stop = func() { cancel(); working.Wait() }
	t.Cleanup(stop)
	return stop
}
