package cashier

import (
	"regexp"
	"strings"
	"testing"
)

// TestContrast: what is written can be read, by day and by night. Source: WCAG
// 2.2, 1.4.3 for letters (4.5), 1.4.11 for signs and the focus (3).
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := files.ReadFile("files/cashier.css")
	if err != nil {
		t.Fatal(err)
	}
	day, rest, ok := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	night, _, found := strings.Cut(rest, "\n}\n")
	if !ok || !found {
		t.Fatal("no dark colours")
	}
	for name, theme := range map[string]map[string]float64{"day": colours(t, day), "night": colours(t, night)} {
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"ink", "ground", 4.5}, {"ink", "paper", 4.5}, {"ink", "well", 4.5}, {"ink", "good-well", 4.5},
			{"grey", "paper", 4.5}, {"grey", "well", 4.5}, {"grey", "good-well", 4.5},
			{"good", "paper", 4.5}, {"note", "note-well", 4.5}, {"wait", "paper", 3}, {"good", "good-well", 3},
		} {
			front, back := theme[pair.front], theme[pair.back]
			if got := contrast(front, back); got < pair.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f", name, pair.front, pair.back, got)
			}
		}
	}
}

func colours(t *testing.T, css string) map[string]float64 {
	t.Helper()
	found := make(map[string]float64)
	for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+);`).FindAllStringSubmatch(css, -1) {
		hex := m[2]
		if len(hex) == 4 {
			hex = "#" + hex[1:2] + hex[1:2] + hex[2:3] + hex[2:3] + hex[3:] + hex[3:]
		}
		rgb, err := ParseAccent(hex)
		if err != nil {
			t.Fatalf("%s: %v", hex, err)
		}
		found[m[1]] = luminance(rgb)
	}
	if len(found) < 10 {
		t.Fatalf("colours %v", found)
	}
	return found
}
