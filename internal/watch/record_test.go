//go:build prometheus

package watch

import (
	"maps"
	"slices"
	"sync"
	"testing"
)

// record is which alerts have been seen to fire, because of what was done to
// that end, and which of them to clear after that.
type record struct {
	mu             sync.Mutex
	fired, cleared map[string]bool
}

func newRecord() *record {
	return &record{fired: make(map[string]bool), cleared: make(map[string]bool)}
}

func (r *record) fire(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		r.fired[name] = true
	}
}

func (r *record) clear(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		r.cleared[name] = true
	}
}

// missing is what has not happened to the alerts of that name, and which others
// have fired.
func (r *record) missing(names []string) (faults []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		switch {
		case !r.fired[name]:
			faults = append(faults, name+" was not seen to fire")
		case !r.cleared[name]:
			faults = append(faults, name+" was not seen to clear")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.fired)) {
		if !slices.Contains(names, name) {
			faults = append(faults, name+" fired, and was not found in the rules")
		}
	}
	return faults
}

// TestRecord: nothing that is missing stays unnoticed.
func TestRecord(t *testing.T) {
	t.Parallel()
	r := newRecord()
	r.fire([]string{"A", "B", "D"})
	r.clear([]string{"A"})
	want := []string{"B was not seen to clear", "C was not seen to fire", "D fired, and was not found in the rules"}
	if got := r.missing([]string{"A", "B", "C"}); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
