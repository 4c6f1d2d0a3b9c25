// Package checkup is what a self-check of package wxpay finds: findings with
// fixed ids, in Chinese and English, each with a remedy. [Catalogue] lists them
// all.
//
// The ids are stable: alarms and tickets may name them. The sentences are not.
package checkup

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Severity says how bad a finding is.
type Severity int

// From good to bad.
const (
	OK      Severity = iota // checked, and as it should be
	Info                    // worth knowing, or could not be checked
	Warning                 // will hurt some day, or hurts some customers
	Error                   // money is at risk, or payments do not work
)

// String is ok, info, warning or error.
func (s Severity) String() string {
	switch s {
	case OK:
		return "ok"
	case Info:
		return "info"
	case Warning:
		return "warning"
	}
	return "error"
}

// MarshalText is String, for JSON and its like.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Text is a sentence in the two languages the kit speaks.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Finding is one thing that a check found out. An app may add findings of its
// own to a [Report].
type Finding struct {
	ID       string   `json:"id"` // lower case with hyphens
	Severity Severity `json:"severity"`
	Says     Text     `json:"says"`             // one sentence
	Remedy   Text     `json:"remedy"`           // what to do; empty when there is nothing to do
	Detail   string   `json:"detail,omitempty"` // what was seen, in no particular language; never a secret
}

// Report is what one check found.
type Report struct {
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took"`
	Findings []Finding     `json:"findings"`
}

// From returns the findings of at least that severity, the worst first.
func (r Report) From(least Severity) []Finding {
	found := slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Severity < least })
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return found
}

// Has reports whether there is a finding with that id.
func (r Report) Has(id string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == id })
}

// Err is nil unless something is an [Error]; then it says in English what.
func (r Report) Err() error {
	var errs []error
	for _, f := range r.From(Error) {
		err := fmt.Errorf("checkup: %s: %s", f.ID, f.Says.EN)
		if f.Detail != "" {
			err = fmt.Errorf("%w (%s)", err, f.Detail)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Found returns the finding of the [Catalogue] with that id. An id that is not
// in it makes an Error without a text, rather than nothing.
func Found(id, detail string) Finding {
	f := Finding{ID: id, Severity: Error}
	for _, known := range catalogue() {
		if known.ID == id {
			f = known
		}
	}
	f.Detail = detail
	return f
}

// Catalogue returns everything that can be found, without details.
func Catalogue() []Finding { return catalogue() }

func catalogue() []Finding { return slices.Concat(account(), keys(), notify(), app()) }
