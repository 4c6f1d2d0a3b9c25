package cashier

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// TestAccent: letters can be read on any colour. Source: WCAG 2.2, 1.4.3.
func TestAccent(t *testing.T) {
	t.Parallel()
	const step = 15
	for r := 0; r <= 255; r += step {
		for g := 0; g <= 255; g += step {
			for b := 0; b <= 255; b += step {
				l := luminance([3]uint8{uint8(r), uint8(g), uint8(b)})
				if best := max(contrast(l, 0), contrast(l, 1)); best < 4.5 {
					t.Fatalf("#%02x%02x%02x: %f", r, g, b, best)
				}
			}
		}
	}
	for accent, want := range map[string]string{
		"#077f3c": ":root{--accent:#077f3c;--on-accent:#fff}\n",
		"#07C160": ":root{--accent:#07c160;--on-accent:#000}\n",
		"#000000": ":root{--accent:#000000;--on-accent:#fff}\n",
		"#ffffff": ":root{--accent:#ffffff;--on-accent:#000}\n",
	} {
		if got, err := accentCSS(accent); err != nil || got != want {
			t.Errorf("%s: %q, %v", accent, got, err)
		}
	}
}

func TestParseAccentRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "#", "red", "#07f", "077f3c0", "#077f3", "#077f3c0", "#-77f3c", "#+77f3c", "#077f3g", "#07 f3c", "#０７f", "#077f3c;"} {
		if rgb, err := ParseAccent(s); !errors.Is(err, errAccent) {
			t.Errorf("%q: %v, %v", s, rgb, err)
		}
	}
}

// FuzzParseAccent: what is taken is written back the same but for its case, so
// that nothing else gets into the style sheet.
func FuzzParseAccent(f *testing.F) {
	seeds := []string{"#077f3c", "#FFFFFF", "#-12345", "red", "#0_f0_f", "#1e1e10", "#};b{a"}
	for _, s := range seeds {
		f.Add(s)
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, s string) {
		rgb, err := ParseAccent(s)
		if err != nil {
			return
		}
		back := fmt.Sprintf("#%02x%02x%02x", rgb[0], rgb[1], rgb[2])
		for i := range back {
			if c := s[i] | 0x20; s[i] != back[i] && c != back[i] {
				t.Fatalf("%q became %q", s, back)
			}
		}
	})
}

// TestWords: nothing is left unsaid in either language, and each says it in its
// own words.
func TestWords(t *testing.T) {
	t.Parallel()
	var walk func(name string, zh, en reflect.Value)
	walk = func(name string, zh, en reflect.Value) {
		switch zh.Kind() {
		case reflect.String:
			if zh.String() == "" || zh.String() == en.String() || en.String() == "" {
				t.Errorf("%s: %q and %q", name, zh, en)
			}
		case reflect.Struct:
			for i := range zh.NumField() {
				walk(name+"."+zh.Type().Field(i).Name, zh.Field(i), en.Field(i))
			}
		case reflect.Map:
			if zh.Len() != en.Len() {
				t.Errorf("%s: %d and %d", name, zh.Len(), en.Len())
			}
			for _, key := range zh.MapKeys() {
				if !en.MapIndex(key).IsValid() {
					t.Errorf("%s has no %s in English", name, key)
					continue
				}
				walk(name+"."+key.String(), zh.MapIndex(key), en.MapIndex(key))
			}
		}
	}
	walk("words", reflect.ValueOf(inChinese), reflect.ValueOf(inEnglish))
	for _, state := range []State{Waiting, Expired, Paid, Refunding, Refunded, Closed} {
		if inChinese.Status[state] == "" || inChinese.Hint[state] == "" {
			t.Errorf("no words for %s", state)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	for s, want := range map[int]string{0: "00:00", 59: "00:59", 61: "01:01", 3599: "59:59", 3600: "1:00:00", 90061: "25:01:01"} {
		if got := clock(s); got != want {
			t.Errorf("%d: %q, want %q", s, got, want)
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	if got := Key(1, "PROCESSING", 40, true); got != "1,PROCESSING,40,true" {
		t.Error(got)
	}
}
