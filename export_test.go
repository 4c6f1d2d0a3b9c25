package wxpay

import "time"

// TimeNumber is the default of Options.OrderNumber: a hundred thousand numbers
// cannot be had from orders in a reasonable time.
var TimeNumber = timeNumber

// IsLocal is the parser of a redirect, for its fuzz target.
var IsLocal = isLocal

// SetLive makes the streams of a kit live faster.
func (k *Kit) SetLive(tick, beat, life time.Duration) {
	k.live.tick, k.live.beat, k.live.life = tick, beat, life
}

// ParseTraceParent is for the fuzz target.
var ParseTraceParent = parseTraceParent

// Running reports whether Run runs.
func (k *Kit) Running() bool { return k.running.Load() > 0 }

// RequestRemedy and NotificationRemedy are what the log advises.
func RequestRemedy(ending string) string      { return requestRemedies[ending] }
func NotificationRemedy(ending string) string { return notificationRemedies[ending] }
