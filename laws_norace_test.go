//go:build !race

package wxpay_test

// underRace is whether the race detector watches.
const underRace = false
