package apiv2_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxapi/apiv2"
)

// texts reads testdata/dir. The first line of each file says where the rest is
// from. A folder with too few is a failure: a target without seeds finds nothing.
func texts(tb testing.TB, dir string, least int) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.txt"))
	if err != nil || len(files) < least {
		tb.Fatalf("testdata/%s has %d texts: %v", dir, len(files), err)
	}
	found := make(map[string][]byte, len(files))
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		origin, text, ok := bytes.Cut(content, []byte("\n"))
		if !ok || !bytes.HasPrefix(origin, []byte("# ")) {
			tb.Fatalf("%s does not say where it is from", name)
		}
		found[strings.TrimSuffix(filepath.Base(name), ".txt")] = text
	}
	return found
}

func TestParseHostile(t *testing.T) {
	t.Parallel()
	hostile := texts(t, "hostile", 30)
	hostile["long"] = []byte("<xml><attach>" + strings.Repeat("a", 64<<10) + "</attach></xml>")
	hostile["deep"] = []byte(strings.Repeat("<xml>", 10_000))
	hostile["long_name"] = []byte("<xml><" + strings.Repeat("a", 65) + ">1</" + strings.Repeat("a", 65) + "></xml>")
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := apiv2.Parse("xml", text)
			if !errors.Is(err, apiv2.ErrMalformed) || f != nil {
				t.Errorf("%v, %v", f, err)
			}
			if err != nil && (strings.Contains(err.Error(), "passwd") || len(err.Error()) > 100) {
				t.Errorf("the error repeats what came: %.200q", err)
			}
		})
	}
}

func TestParseGood(t *testing.T) {
	t.Parallel()
	good := texts(t, "good", 6)
	for name, want := range map[string]apiv2.Fields{
		"sample":               {"return_code": "SUCCESS", "return_msg": "OK", "total_fee": "1"},
		"declaration":          {"return_code": "SUCCESS"},
		"escaped":              {"attach": "a&b<中文>", "detail": `{"a":"<b>&amp;"}`},
		"nothing":              {},
		"empty_fields":         {"attach": "", "detail": "", "device_info": ""},
		"white_space_is_value": {"attach": " a\n "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := apiv2.Parse("xml", good[name]); err != nil || !maps.Equal(got, want) {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		fields apiv2.Fields
		want   string
		err    error
	}{
		{"nothing", apiv2.Fields{}, "<xml></xml>", nil},
		{"sorted, and nothing empty", apiv2.Fields{"b": "2", "a": "1", "c": ""}, "<xml><a><![CDATA[1]]></a><b><![CDATA[2]]></b></xml>", nil},
		{"markup", apiv2.Fields{"a": `<b>&"`}, `<xml><a><![CDATA[<b>&"]]></a></xml>`, nil},
		{"the end of a section", apiv2.Fields{"a": "1]]><b>2</b>"}, "<xml><a>1]]&gt;&lt;b&gt;2&lt;/b&gt;</a></xml>", nil},
		{"carriage return", apiv2.Fields{"a": "1\r\n2"}, "<xml><a>1&#xD;&#xA;2</a></xml>", nil},
		{"a control character", apiv2.Fields{"a": "1\x00"}, "", wxapi.ErrRequest},
		{"not UTF-8", apiv2.Fields{"a": "\x80"}, "", wxapi.ErrRequest},
		{"no character", apiv2.Fields{"a": "\uffff"}, "", wxapi.ErrRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, err := apiv2.Encode(test.fields); string(got) != test.want || !errors.Is(err, test.err) {
				t.Errorf("%s, %v, want %s, %v", got, err, test.want, test.err)
			}
		})
	}
}

// Whatever value is encoded: a reader, ours and the standard library's, gets
// this value and no other field.
func FuzzEncode(f *testing.F) {
	for _, value := range []string{"1", "]]>", "<![CDATA[", "a\r\nb", "&amp;", " ", "\x00", "\xff", "]]]]>>", "中文"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		in := apiv2.Fields{"attach": value, "body": "x"}
		text, err := apiv2.Encode(in)
		if err != nil {
			if !errors.Is(err, wxapi.ErrRequest) {
				t.Error(err)
			}
			return
		}
		if value == "" {
			delete(in, "attach")
		}
		if len(text) > 64<<10 {
			return
		}
		if out, err := apiv2.Parse("xml", text); err != nil || !maps.Equal(in, out) {
			t.Errorf("%q became %v, %v", in, out, err)
		}
		var std struct {
			Attach string `xml:"attach"`
		}
		if err := xml.Unmarshal(text, &std); err != nil || std.Attach != value {
			t.Errorf("%q became %q, %v", value, std.Attach, err)
		}
	})
}

// Whatever text comes: what is accepted has each name once by a count that
// knows nothing of the parser, and encodes to what parses to the same.
func FuzzParse(f *testing.F) {
	for _, dir := range []string{"hostile", "good"} {
		for _, text := range texts(f, dir, 6) {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fields, err := apiv2.Parse("xml", text)
		if err != nil {
			if !errors.Is(err, apiv2.ErrMalformed) || fields != nil {
				t.Errorf("%v, %v", fields, err)
			}
			return
		}
		if n := elements(t, text); n != len(fields)+1 {
			t.Errorf("%d elements became %d fields: %q", n, len(fields), text)
		}
		again, err := apiv2.Encode(fields)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		maps.DeleteFunc(fields, func(_, value string) bool { return value == "" })
		if got, err := apiv2.Parse("xml", again); len(again) <= 64<<10 && (err != nil || !maps.Equal(got, fields)) {
			t.Errorf("%q became %v, %v", again, got, err)
		}
	})
}

// elements counts the elements of a text.
func elements(t *testing.T, text []byte) (n int) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatalf("accepted, and the standard library does not: %v", err)
		}
		if _, ok := token.(xml.StartElement); ok {
			n++
		}
	}
}
