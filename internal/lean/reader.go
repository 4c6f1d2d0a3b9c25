// Package lean reads JSON of which a few members matter, where package
// encoding/json would cost more than the cryptography before it. It is
// stricter: the names of members are compared by case, and an object that is
// read must not have two of one name. Everything else has the verdict that
// encoding/json has.
package lean

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Reader reads one JSON text from its beginning to its end. After an error it
// reads nothing more, and gives zero values; see [Reader.Close].
//
//	r := lean.New(text)
//	for name := range r.Object() {
//		switch name {
//		case "mchid":
//			mchid = r.Text()
//		case "amount":
//			for name := range r.Object() { … }
//		}
//	}
//	err := r.Close()
//
// What it returns shares the text's memory.
type Reader struct {
	text string
	at   int // where reading goes on
	err  error
}

// New returns a reader of text.
func New(text string) *Reader { return &Reader{text: text} }

// Close reports what was wrong with the text, or that there is more of it
// behind the value.
func (r *Reader) Close() error {
	if r.blank(); r.err == nil && r.at < len(r.text) {
		r.fail("%s after the value", r.here())
	}
	return r.err
}

// Fail ends the reading with err, if it has not ended before: a value is not
// one that the caller can take.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *Reader) fail(format string, args ...any) { r.Fail(fmt.Errorf(format, args...)) }

// within adds the name of a member to the error that reading it ended with.
func (r *Reader) within(name string) {
	if r.err != nil {
		r.err = in(name, r.err)
	}
}

func in(name string, err error) error {
	var inner *memberError
	if errors.As(err, &inner) {
		return &memberError{name + "." + inner.name, inner.cause}
	}
	return &memberError{name, err}
}

// memberError says in which member it is that something is wrong.
type memberError struct {
	name  string
	cause error
}

func (e *memberError) Error() string { return fmt.Sprintf("%.80s: %v", e.name, e.cause) }
func (e *memberError) Unwrap() error { return e.cause }

// Object yields the names of an object's members; the loop reads the value of
// those that matter, and the others are skipped, of whatever kind they are. null
// is an object without members.
func (r *Reader) Object() iter.Seq[string] {
	return func(yield func(string) bool) {
		if r.Null() || !r.open('{') || r.closed('}') {
			return
		}
		var some [24]string // as many as WeChat Pay sends; more are allocated
		seen := some[:0]
		for r.err == nil {
			name := r.name(seen)
			seen = append(seen, name)
			if r.blank(); r.err != nil {
				return
			}
			value := r.at
			if !yield(name) {
				return
			}
			if r.at == value {
				r.Skip()
			}
			r.within(name)
			if r.closed('}') || !r.comma() {
				return
			}
		}
	}
}

// maxMembers bounds what it takes to look for a name that is there twice.
const maxMembers = 1000

// name reads a member's name, which must not be among those seen, and the colon
// behind it. Names that differ by the case of ASCII letters only count as the same:
// another reader would take either.
func (r *Reader) name(seen []string) string {
	name := r.string()
	if len(seen) >= maxMembers {
		r.fail("an object of more than %d members", maxMembers)
	}
	for _, other := range seen {
		if len(name) == len(other) && strings.EqualFold(name, other) {
			r.fail("%.64q is there twice", name)
			break
		}
	}
	r.open(':')
	return name
}

// Text reads a string; null is an empty one.
func (r *Reader) Text() string {
	if r.Null() {
		return ""
	}
	return r.string()
}

// TextOrSkip is Text, and "" for whatever else stands there.
func (r *Reader) TextOrSkip() string {
	if r.Is('"') {
		return r.string()
	}
	r.Skip()
	return ""
}

// Whole reads a whole number as it stands there digit by digit, without
// fraction and exponent; null is zero.
func (r *Reader) Whole() int64 {
	if r.Null() {
		return 0
	}
	if r.blank(); r.err == nil && !r.Is('-') && (r.at >= len(r.text) || !isDigit(r.text[r.at])) {
		r.fail("%s, not a whole number", r.here())
	}
	digits := r.number()
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		r.fail("%.40s is not a whole number of 64 bits", digits)
		return 0
	}
	return n
}

// Raw reads any value and returns it as it stands there.
func (r *Reader) Raw() string {
	r.blank()
	begin := r.at
	if r.Skip(); r.err != nil {
		return ""
	}
	return r.text[begin:r.at]
}

// Null reads null, if that is what comes next.
func (r *Reader) Null() bool { return r.Is('n') && r.literal("null") }

// Is reports whether the value that comes next begins with c.
func (r *Reader) Is(c byte) bool {
	r.blank()
	return r.err == nil && r.at < len(r.text) && r.text[r.at] == c
}

// string reads a string. Nearly all of them stand in the text as they are; the
// rare one with an escape, or with bytes that are no UTF-8, is left to
// encoding/json.
func (r *Reader) string() string {
	raw, plain := r.quoted()
	if plain {
		return raw
	}
	var s string
	if err := json.Unmarshal([]byte(`"`+raw+`"`), &s); err != nil {
		r.Fail(err)
	}
	return s
}

// quoted reads a string and returns what is between the quotes, and whether that
// is the string itself.
func (r *Reader) quoted() (raw string, plain bool) {
	if !r.open('"') {
		return "", true
	}
	rest, ascii, escaped := r.text[r.at:], true, false
	for i := plain7(rest); i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			r.at += i + 1
			raw = rest[:i]
			return raw, !escaped && (ascii || utf8.ValidString(raw))
		case c == '\\':
			escaped = true
			i++ // what is escaped, a quote above all, ends nothing
		case c < ' ':
			r.at += i
			r.fail("%s in a string", r.here())
			return "", true
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	r.at = len(r.text)
	r.Fail(errEnd)
	return "", true
}

// plain7 is how many characters at the beginning of s are of ASCII and stand for
// themselves in a string: nearly always all up to the quote that ends it.
func plain7(s string) (n int) {
	for n < len(s) && isPlain7[s[n]] {
		n++
	}
	return n
}

var isPlain7 = func() (is [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// errEnd is a text that ends too early.
var errEnd = errors.New("unexpected end of JSON")
