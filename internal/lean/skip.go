package lean

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxDepth is how deep values that nobody reads may be nested. WeChat Pay nests
// three.
const maxDepth = 100

// Skip reads any value, which must be sound, and forgets it.
func (r *Reader) Skip() { r.skip(0) }

func (r *Reader) skip(depth int) {
	if r.blank(); r.err != nil {
		return
	}
	if depth > maxDepth {
		r.fail("nested deeper than %d", maxDepth)
		return
	}
	switch c := r.peek(); {
	case c == '{':
		r.skipList('}', func() {
			r.skipString()
			r.open(':')
			r.skip(depth + 1)
		})
	case c == '[':
		r.skipList(']', func() { r.skip(depth + 1) })
	case c == '"':
		r.skipString()
	case c == 't':
		r.literal("true")
	case c == 'f':
		r.literal("false")
	case c == 'n':
		r.literal("null")
	case c == '-' || isDigit(c):
		r.number()
	default:
		r.fail("%s where a value should be", r.here())
	}
}

// skipList reads an object or an array that ends with end, item by item.
func (r *Reader) skipList(end byte, item func()) {
	r.at++
	if r.closed(end) {
		return
	}
	for r.err == nil {
		r.blank()
		item()
		if r.closed(end) || !r.comma() {
			return
		}
	}
}

// skipString reads a string. Its escapes must be sound; whether its bytes are
// UTF-8 does not matter.
func (r *Reader) skipString() {
	if raw, plain := r.quoted(); !plain && !json.Valid([]byte(`"`+raw+`"`)) {
		r.fail("a bad escape in a string")
	}
}

// number reads a number and returns it.
func (r *Reader) number() string {
	begin := r.at
	if r.peek() == '-' {
		r.at++
	}
	if r.peek() == '0' {
		r.at++
	} else {
		r.digits()
	}
	if r.peek() == '.' {
		r.at++
		r.digits()
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.at++
		if c := r.peek(); c == '+' || c == '-' {
			r.at++
		}
		r.digits()
	}
	return r.text[begin:r.at]
}

// digits reads one digit at least.
func (r *Reader) digits() {
	begin := r.at
	for isDigit(r.peek()) {
		r.at++
	}
	if r.at == begin {
		r.fail("%s in a number", r.here())
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (r *Reader) literal(word string) bool {
	if r.err == nil && strings.HasPrefix(r.text[r.at:], word) {
		r.at += len(word)
		return true
	}
	r.fail("%s where %s should be", r.here(), word)
	return false
}

// blank reads white space.
func (r *Reader) blank() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// open reads c, which must come next.
func (r *Reader) open(c byte) bool {
	if r.Is(c) {
		r.at++
		return true
	}
	r.fail("%s where %q should be", r.here(), c)
	return false
}

// closed reads the end of an object or an array, if that comes next.
func (r *Reader) closed(end byte) bool {
	if r.Is(end) {
		r.at++
		return true
	}
	return false
}

// comma reads what is between two items.
func (r *Reader) comma() bool { return r.open(',') }

// peek is the next byte, 0 behind the last one.
func (r *Reader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

// here says what stands where reading stopped, and where that is; of what it is
// part of, it says nothing.
func (r *Reader) here() string {
	if r.at >= len(r.text) {
		return errEnd.Error()
	}
	switch c := r.text[r.at]; {
	case c == '"':
		return fmt.Sprintf("a string at byte %d", r.at)
	case c == '{':
		return fmt.Sprintf("an object at byte %d", r.at)
	case c == '[':
		return fmt.Sprintf("an array at byte %d", r.at)
	case isDigit(c) || c == '-':
		return fmt.Sprintf("a number at byte %d", r.at)
	default:
		return fmt.Sprintf("the character %q at byte %d", c, r.at)
	}
}
