package apiv2

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wxpaykit/wxpay/wxapi"
)

// ErrMalformed says that a text is not the XML of API v2.
var ErrMalformed = errors.New("apiv2: malformed")

// maxMessage is the longest message, in bytes. A payment has about two thousand.
const maxMessage = 64 << 10

// fields is a message of API v2: flat, every name once.
type fields map[string]string

// encode writes the fields that have a value, sorted: the same fields are the
// same bytes. A value that XML cannot carry is a [wxapi.ErrRequest].
func (f fields) encode() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("<xml>")
	for _, name := range slices.Sorted(maps.Keys(f)) {
		value := f[name]
		if value == "" {
			continue
		}
		if !isText(value) {
			return nil, fmt.Errorf("%w: %s has characters that XML cannot carry", wxapi.ErrRequest, name)
		}
		b.WriteString("<" + name + ">")
		// A CDATA section cannot hold its own end, and readers of XML turn a
		// bare carriage return into a line feed.
		if strings.Contains(value, "]]>") || strings.Contains(value, "\r") {
			if err := xml.EscapeText(&b, []byte(value)); err != nil {
				return nil, err
			}
		} else {
			b.WriteString("<![CDATA[" + value + "]]>")
		}
		b.WriteString("</" + name + ">")
	}
	b.WriteString("</xml>")
	return b.Bytes(), nil
}

// isText holds a value against XML's Char.
func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
}

// parse reads a message whose root has this name. It takes nothing that could
// be read in two ways or grow while it is read: no DOCTYPE, no instruction but
// the declaration, no comment, attribute, namespace, nesting, no name twice, no
// value in several pieces, and nothing but white space around and between.
// Everything else is [ErrMalformed], with nothing of it in the error but a name.
func parse(root string, text []byte) (fields, error) {
	if len(text) > maxMessage {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxMessage)
	}
	r := reader{text: text, tokens: xml.NewDecoder(bytes.NewReader(text))}
	token, err := r.next()
	if declaration, ok := token.(xml.ProcInst); ok && declaration.Target == "xml" {
		token, err = r.next()
	}
	if err != nil {
		return nil, err
	}
	if start, ok := token.(xml.StartElement); !ok || !isPlain(start) || start.Name.Local != root {
		return nil, fmt.Errorf("%w: it does not begin with <%s>", ErrMalformed, root)
	}
	f := make(fields)
	for {
		token, err := r.next()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := r.field(f, t); err != nil {
				return nil, err
			}
		case xml.EndElement:
			if err := r.end(t, root); err != nil {
				return nil, err
			}
			return f, nil
		default:
			return nil, fmt.Errorf("%w: something other than fields in <%s>", ErrMalformed, root)
		}
	}
}

// reader gives the tokens of a text one by one.
type reader struct {
	text   []byte
	tokens *xml.Decoder
}

// next returns the next token that is no white space.
func (r reader) next() (xml.Token, error) {
	for {
		from := r.tokens.InputOffset()
		token, err := r.tokens.RawToken()
		if err != nil {
			return nil, fmt.Errorf("%w: not well-formed", ErrMalformed)
		}
		_, isText := token.(xml.CharData)
		// The bytes, not the value: an entity or a CDATA section is no white space.
		if !isText || len(bytes.TrimSpace(r.text[from:r.tokens.InputOffset()])) > 0 {
			return token, nil
		}
	}
}

// field reads one field behind its start.
func (r reader) field(f fields, start xml.StartElement) error {
	name := start.Name.Local
	if !isPlain(start) {
		return fmt.Errorf("%w: a field with attributes or a name that is none", ErrMalformed)
	}
	if _, twice := f[name]; twice {
		return fmt.Errorf("%w: %s is there twice", ErrMalformed, name)
	}
	f[name] = ""
	token, err := r.tokens.RawToken()
	if value, ok := token.(xml.CharData); ok {
		f[name] = string(value)
		token, err = r.tokens.RawToken()
	}
	if end, ok := token.(xml.EndElement); err != nil || !ok || end.Name != start.Name {
		return fmt.Errorf("%w: %s is not one text", ErrMalformed, name)
	}
	return nil
}

// end checks that nothing follows the root.
func (r reader) end(t xml.EndElement, root string) error {
	if t.Name.Space != "" || t.Name.Local != root {
		return fmt.Errorf("%w: <%s> is not closed", ErrMalformed, root)
	}
	rest := r.text[r.tokens.InputOffset():]
	if len(bytes.TrimSpace(rest)) > 0 {
		return fmt.Errorf("%w: something behind </%s>", ErrMalformed, root)
	}
	return nil
}

func isPlain(e xml.StartElement) bool {
	const maxName = 64
	name := e.Name.Local
	return e.Name.Space == "" && len(e.Attr) == 0 && name != "" && len(name) <= maxName &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
}
