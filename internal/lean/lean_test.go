package lean_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/internal/lean"
)

// sample is an object with a member of each kind.
type sample struct {
	Text   string          `json:"text"`
	Other  string          `json:"other"`
	Number int64           `json:"number"`
	Raw    json.RawMessage `json:"raw"`
	Object struct {
		Text string `json:"text"`
	} `json:"object"`
}

// read reads a sample as wxapi reads its objects.
func read(text string) (s sample, err error) {
	r := lean.New(text)
	for name := range r.Object() {
		switch name {
		case "text":
			s.Text = r.Text()
		case "other":
			s.Other = r.TextOrSkip()
		case "number":
			s.Number = r.Whole()
		case "raw":
			s.Raw = json.RawMessage(r.Raw())
		case "object":
			for name := range r.Object() {
				if name == "text" {
					s.Object.Text = r.Text()
				}
			}
		}
	}
	if err := r.Close(); err != nil {
		return sample{}, err
	}
	return s, nil
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want sample
	}{
		{` { "text" : "a" , "number" : -12 } `, sample{Text: "a", Number: -12}},
		{"\t\r\n{}\n", sample{}},
		{`null`, sample{}},
		{`{"text":null,"number":null,"object":null}`, sample{}},
		{`{"text":"支付成功","other":"€"}`, sample{Text: "支付成功", Other: "€"}},
		{`{"text":"\u652f\u4ed8\"\\\/\n","te\u0078ts":1}`, sample{Text: "支付\"\\/\n"}},
		{`{"text":"` + "\xff" + `a\ud800b"}`, sample{Text: "\uFFFDa\uFFFDb"}}, // as encoding/json has it
		{`{"other":[1,{"a":[]}],"text":"b"}`, sample{Text: "b"}},
		{`{"raw": {"a" : [1.5e-3, true] } ,"object":{"text":"c","x":{"text":"d"}}}`, sample{
			Raw: json.RawMessage(`{"a" : [1.5e-3, true] }`),
			Object: struct {
				Text string `json:"text"`
			}{"c"},
		}},
		{`{"TEXT":"a"}`, sample{}},               // another name
		{`{"a":{"x":1,"x":2},"b":[]}`, sample{}}, // nobody reads those
		{`{"number":9223372036854775807}`, sample{Number: 9223372036854775807}},
		{`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, sample{}},
	} {
		got, err := read(tt.text)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v", tt.text, got, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                   "unexpected end of JSON where '{' should be",
		`{`:                                  `unexpected end of JSON where '"' should be`,
		`{"text"`:                            `unexpected end of JSON where ':' should be`,
		`{"text":`:                           `text: unexpected end of JSON where '"' should be`,
		`{"text":"a`:                         "text: unexpected end of JSON",
		`{"text":"a\`:                        "text: unexpected end of JSON",
		`{"text":"a"`:                        "unexpected end of JSON where ',' should be",
		`{"text":"a",}`:                      `the character '}' at byte 12 where '"' should be`,
		`{"text":"a"}x`:                      "the character 'x' at byte 12 after the value",
		`{"text":"a"} {}`:                    "an object at byte 13 after the value",
		`[]`:                                 "an array at byte 0 where '{' should be",
		`"a"`:                                "a string at byte 0 where '{' should be",
		`nul`:                                "the character 'n' at byte 0 where null should be",
		`{"text":1}`:                         `text: a number at byte 8 where '"' should be`,
		`{"text":nil}`:                       "text: the character 'n' at byte 8 where null should be",
		"{\"text\":\"a\nb\"}":                "text: the character '\\n' at byte 10 in a string",
		`{"text":"\x"}`:                      "text: invalid character 'x' in string escape code",
		`{"x":"\x"}`:                         "x: a bad escape in a string",
		`{"x":"\u12"}`:                       "x: a bad escape in a string",
		`{"text":"a","text":"a"}`:            `"text" is there twice`,
		`{"text":"a","Text":"a"}`:            `"Text" is there twice`,
		`{"text":"a","te\u0078t":"a"}`:       `"text" is there twice`,
		`{"object":{"text":"a","text":"b"}}`: `object: "text" is there twice`,
		`{"object":{"text":[]}}`:             `object.text: an array at byte 18 where '"' should be`,
		`{"object":[]}`:                      "object: an array at byte 10 where '{' should be",
		`{"number":"1"}`:                     "number: a string at byte 10, not a whole number",
		`{"number":true}`:                    "number: the character 't' at byte 10, not a whole number",
		`{"number":1.0}`:                     "number: 1.0 is not a whole number of 64 bits",
		`{"number":1e2}`:                     "number: 1e2 is not a whole number of 64 bits",
		`{"number":9223372036854775808}`:     "number: 9223372036854775808 is not a whole number of 64 bits",
		`{"number":-}`:                       "number: the character '}' at byte 11 in a number",
		`{"number":+1}`:                      "number: the character '+' at byte 10, not a whole number",
		`{"number":01}`:                      "a number at byte 11 where ',' should be",
		`{"x":1.}`:                           "x: the character '}' at byte 7 in a number",
		`{"x":1e}`:                           "x: the character '}' at byte 7 in a number",
		`{"x":.5}`:                           "x: the character '.' at byte 5 where a value should be",
		`{"x":tru}`:                          "x: the character 't' at byte 5 where true should be",
		`{"x":[1,]}`:                         "x: the character ']' at byte 8 where a value should be",
		`{"x":[1 2]}`:                        "x: a number at byte 8 where ',' should be",
		`{"x":{"a"}}`:                        "x: the character '}' at byte 9 where ':' should be",
		`{"x":{1:2}}`:                        `x: a number at byte 6 where '"' should be`,
		`{"x":{"a":1,}}`:                     `x: the character '}' at byte 12 where '"' should be`,
		`{"x":` + strings.Repeat("[", 200):   "x: nested deeper than 100",
		"\ufeff{}":                           "the character 'ï' at byte 0 where '{' should be",
	} {
		got, err := read(text)
		if err == nil || err.Error() != want || !reflect.DeepEqual(got, sample{}) {
			t.Errorf("%s: %+v, %v, want %s", text, got, err, want)
		}
	}
}

// TestFail: a caller's own refusal ends the reading, and the first one counts.
func TestFail(t *testing.T) {
	t.Parallel()
	mine := errors.New("not mine")
	r := lean.New(`{"a":{"b":1,"c":"rest"}`)
	var heard []string
	for name := range r.Object() {
		for inner := range r.Object() {
			heard = append(heard, name+"."+inner)
			r.Fail(mine)
		}
	}
	if err := r.Close(); !errors.Is(err, mine) || err.Error() != "a.b: not mine" || !reflect.DeepEqual(heard, []string{"a.b"}) {
		t.Errorf("%v, heard %q", err, heard)
	}
}

// TestMembers: an object has a thousand members at most, so that looking for
// names that are there twice has an end.
func TestMembers(t *testing.T) {
	t.Parallel()
	object := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`,"m` + strconv.Itoa(i) + `":0`)
		}
		return "{" + b.String()[1:] + "}"
	}
	if _, err := read(object(1000)); err != nil {
		t.Error(err)
	}
	if _, err := read(object(1001)); err == nil || err.Error() != "an object of more than 1000 members" {
		t.Error(err)
	}
}

// FuzzRead holds the reader against encoding/json. What it takes, encoding/json
// takes for the same; and what it refuses, encoding/json refuses too, or it is
// one of the differences that the package names.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/objects/*.json")
	if err != nil || len(files) < 5 {
		f.Fatalf("%d seeds, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := read(text)
		if err != nil {
			if json.Valid([]byte(text)) && !differs(text, err) {
				t.Errorf("%q is refused: %v", text, err)
			}
			return
		}
		want, err := standard(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v, %v", text, got, want, err)
		}
	})
}

// standard reads a sample with encoding/json, and names by case.
func standard(text string) (s sample, err error) {
	var whole, inner members
	if err := json.Unmarshal([]byte(text), &whole); err != nil {
		return s, err
	}
	if raw := whole["other"]; len(raw) > 0 && raw[0] == '"' {
		err = whole.read("other", &s.Other)
	}
	s.Raw = whole["raw"]
	err = errors.Join(err, whole.read("text", &s.Text), whole.read("number", &s.Number), whole.read("object", &inner))
	return s, errors.Join(err, inner.read("text", &s.Object.Text))
}

// members are those of an object, by their names.
type members map[string]json.RawMessage

func (m members) read(name string, place any) error {
	if raw, there := m[name]; there {
		return json.Unmarshal(raw, place)
	}
	return nil
}

// differs reports whether a refusal of sound JSON is one that the package
// names, or one of a value of a kind that the sample has no place for.
func differs(text string, refusal error) bool {
	for _, named := range []string{"is there twice", "more than 1000 members", "nested deeper than 100"} {
		if strings.Contains(refusal.Error(), named) {
			return true
		}
	}
	_, err := standard(text)
	return err != nil
}
