package cashier

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// errAccent is the fault of a colour in any other form.
var errAccent = errors.New("not a colour like #077f3c")

// ParseAccent reads #rrggbb. Nothing else gets into the style sheet.
func ParseAccent(s string) (rgb [3]uint8, err error) {
	if len(s) != 7 || s[0] != '#' {
		return rgb, errAccent
	}
	for i := range rgb {
		n, err := strconv.ParseUint(s[1+2*i:3+2*i], 16, 8)
		if err != nil {
			return rgb, errAccent
		}
		rgb[i] = uint8(n)
	}
	return rgb, nil
}

// accentCSS is the part of the style sheet that an app chooses. The letters on
// the accent are black or white, whichever can be read better: one of the two
// has a contrast of 4.5 to any colour. Source: WCAG 2.2, 1.4.3.
func accentCSS(accent string) (string, error) {
	rgb, err := ParseAccent(accent)
	if err != nil {
		return "", err
	}
	letters := "#000"
	if l := luminance(rgb); contrast(l, 1) > contrast(l, 0) {
		letters = "#fff"
	}
	return fmt.Sprintf(":root{--accent:#%02x%02x%02x;--on-accent:%s}\n", rgb[0], rgb[1], rgb[2], letters), nil
}

// luminance is the relative luminance of WCAG.
func luminance(rgb [3]uint8) float64 {
	var linear [3]float64
	for i, c := range rgb {
		v := float64(c) / math.MaxUint8
		if linear[i] = v / 12.92; v > 0.04045 {
			linear[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*linear[0] + 0.7152*linear[1] + 0.0722*linear[2]
}

// contrast is that of two luminances.
func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }
