package wxsim

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

// v2Texts are what is read and what is not; each of the latter has one thing
// wrong with it.
var v2Texts = []struct {
	name, text string
	want       v2Message
	err        error
}{
	{"empty", "<xml></xml>", v2Message{}, nil},
	{"self-closing", "<xml><a/></xml>", v2Message{"a": ""}, nil},
	{"declared", `<?xml version="1.0" encoding="UTF-8"?>` + "\n<xml>\n <a>1</a>\n <b><![CDATA[<x>&]]></b>\n</xml>\n", v2Message{"a": "1", "b": "<x>&"}, nil},
	{"mixed", "<xml><a>1<![CDATA[2]]>&lt;&#51;</a></xml>", v2Message{"a": "12<3"}, nil},
	{"other root", "<root><a>1</a></root>", nil, errNotFlat},
	{"nested", "<xml><a><b>1</b></a></xml>", nil, errNotFlat},
	{"root inside", "<xml><xml>1</xml></xml>", v2Message{"xml": "1"}, nil},
	{"twice", "<xml><a>1</a><a>1</a></xml>", nil, errTwice},
	{"document type", `<!DOCTYPE xml><xml><a>1</a></xml>`, nil, errNotFlat},
	{"entity", `<xml><a>&xxe;</a></xml>`, nil, errNoXML},
	{"external entity", `<!DOCTYPE foo [<!ENTITY xxe SYSTEM "http://127.0.0.1/">]><xml><a>&xxe;</a></xml>`, nil, errNotFlat},
	{"comment", "<xml><a>1<!-- 2 --></a></xml>", nil, errNotFlat},
	{"attribute", `<xml><a b="1">1</a></xml>`, nil, errNotFlat},
	{"namespace", `<xml><x:a>1</x:a></xml>`, nil, errNotFlat},
	{"namespace at the start", `<xml><x:a>1</a></xml>`, nil, errNotFlat},
	{"namespace at the end", `<xml><a>1</x:a></xml>`, nil, errNotFlat},
	{"text beside", "<xml>1<a>1</a></xml>", nil, errNotFlat},
	{"text before", "1<xml><a>1</a></xml>", nil, errNotFlat},
	{"text after", "<xml><a>1</a></xml>1", nil, errNotFlat},
	{"second root", "<xml><a>1</a></xml><xml></xml>", nil, errNotFlat},
	{"instruction", `<xml><?php x?><a>1</a></xml>`, nil, errNotFlat},
	{"declared late", ` <?xml version="1.0"?><xml></xml>`, nil, errNotFlat},
	{"foreign encoding", `<?xml version="1.0" encoding="GBK"?><xml></xml>`, nil, errNoXML},
	{"crossed", "<xml><a>1</xml></a>", nil, errNotFlat},
	{"cut", "<xml><a>1</a>", nil, errNoXML},
	{"cut in a name", "<xml><a>1</a></xm", nil, errNoXML},
	{"html", "<html><body>404</body></html>", nil, errNotFlat},
	{"json", `{"a":1}`, nil, errNotFlat},
	{"nothing", "", nil, errNoXML},
}

func TestParseV2(t *testing.T) {
	t.Parallel()
	for _, c := range v2Texts {
		got, err := parseV2([]byte(c.text), "xml")
		if !errors.Is(err, c.err) || !maps.Equal(got, c.want) {
			t.Errorf("%s: %q %v, want %q %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestWriteV2(t *testing.T) {
	t.Parallel()
	got := string(v2Message{"b": "x]]>y", "total_fee": "1", "refund_count": "2", "coupon_fee_0": "3", "a": ""}.write("xml"))
	want := "<xml>\n<a><![CDATA[]]></a>\n<b><![CDATA[x]]]]><![CDATA[>y]]></b>\n<coupon_fee_0>3</coupon_fee_0>\n<refund_count>2</refund_count>\n<total_fee>1</total_fee>\n</xml>"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is read has one meaning: written it reads the same, and it is as flat
// as it claims.
func FuzzParseV2(f *testing.F) {
	good := 0
	for _, c := range v2Texts {
		f.Add(c.text)
		if c.err == nil {
			good++
		}
	}
	if good < 4 || len(v2Texts)-good < 15 {
		f.Fatalf("%d good seeds of %d", good, len(v2Texts))
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseV2([]byte(text), "xml")
		if err != nil {
			if m != nil {
				t.Errorf("%q gave %v beside its error", text, m)
			}
			return
		}
		if strings.Contains(text, "<!DOCTYPE") && !strings.Contains(text, "<![CDATA[") {
			t.Errorf("%q has a document type", text)
		}
		for _, value := range m {
			if strings.Contains(value, "\r") {
				return // came by a character reference; as such it is not written again
			}
		}
		again, err := parseV2(m.write("xml"), "xml")
		if err != nil || !maps.Equal(again, m) {
			t.Errorf("%q: %q, then %q %v", text, m, again, err)
		}
	})
}
