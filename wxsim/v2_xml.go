package wxsim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// v2Message is one message of API v2: a root with text elements and no more
// (wire facts §9.3).
type v2Message map[string]string

// Why a message did not parse.
var (
	errNoXML   = errors.New("not XML")
	errNotFlat = errors.New("not one root of plain elements")
	errTwice   = errors.New("element appears twice")
)

// parseV2 reads a message under the given root. It takes no document type, no
// comment, no attribute, no nesting, no element twice, and nothing around the
// root but an XML declaration.
func parseV2(body []byte, root string) (v2Message, error) {
	dec := xml.NewDecoder(bytes.NewReader(body))
	p := v2Parser{root: root, got: v2Message{}}
	for {
		begin := dec.InputOffset()
		token, err := dec.RawToken()
		switch {
		case err == io.EOF && p.done:
			return p.got, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %w", errNoXML, err)
		}
		if err := p.take(token, begin == 0); err != nil {
			return nil, err
		}
	}
}

// v2Parser holds what has been read of a message.
type v2Parser struct {
	root string
	got  v2Message
	open []string // the elements around the next token
	text strings.Builder
	done bool // the root is closed
}

// take reads one token.
func (p *v2Parser) take(token xml.Token, first bool) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		return p.end(t)
	case xml.CharData:
		if len(p.open) == 2 {
			p.text.Write(t)
			return nil
		}
		if strings.TrimSpace(string(t)) == "" {
			return nil
		}
	case xml.ProcInst:
		if t.Target == "xml" && first {
			return nil
		}
	}
	return errNotFlat // text beside the elements, a document type or a comment
}

func (p *v2Parser) start(t xml.StartElement) error {
	outermost := len(p.open) == 0 && !p.done && t.Name.Local == p.root
	if !outermost && len(p.open) != 1 || t.Name.Space != "" || len(t.Attr) > 0 {
		return errNotFlat
	}
	if _, known := p.got[t.Name.Local]; known && !outermost {
		return fmt.Errorf("%w: %.64q", errTwice, t.Name.Local)
	}
	p.open = append(p.open, t.Name.Local)
	p.text.Reset()
	return nil
}

func (p *v2Parser) end(t xml.EndElement) error {
	last := len(p.open) - 1
	if last < 0 || t.Name.Space != "" || t.Name.Local != p.open[last] {
		return errNotFlat
	}
	if last == 1 {
		p.got[t.Name.Local] = p.text.String()
	}
	p.open, p.done = p.open[:last], last == 0
	return nil
}

// v2Plain are the elements, as name=value, that WeChat writes without CDATA.
var v2Plain = regexp.MustCompile(`^[a-z_]+(_fee|_count)(_[0-9]+)?=[0-9]*$`)

// write prints a message as WeChat does: text in CDATA, an element a line.
func (m v2Message) write(root string) []byte {
	var out bytes.Buffer
	out.WriteString("<" + root + ">\n")
	for _, name := range slices.Sorted(maps.Keys(m)) {
		value := m[name]
		if !v2Plain.MatchString(name + "=" + value) {
			value = "<![CDATA[" + strings.ReplaceAll(value, "]]>", "]]]]><![CDATA[>") + "]]>"
		}
		out.WriteString("<" + name + ">" + value + "</" + name + ">\n")
	}
	out.WriteString("</" + root + ">")
	return out.Bytes()
}
