package wxpay_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay"
)

// redirects are the seeds of FuzzRedirect, with whether they are taken.
var redirects = map[string]bool{
	"/": true, "/vip?from=wechat#buy": true, "/#/member": true, "/%2F%2Fevil.example": true, "/.//evil.example": true, "/@evil.example": true,
	"": false, "//evil.example": false, `/\evil.example`: false, "/\t/evil.example": false, "/\r\n/evil.example": false,
	"https://evil.example": false, "javascript:alert(1)": false, "/会员": false, "/\xff": false,
}

// FuzzRedirect: what is taken leads a browser to this host, in one header line.
func FuzzRedirect(f *testing.F) {
	if len(redirects) < 10 {
		f.Fatal("too few seeds")
	}
	for s := range redirects {
		f.Add(s)
	}
	here, err := url.Parse("https://shop.example.com/pay/oauth/callback")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ok := wxpay.IsLocal(s)
		if want, seeded := redirects[s]; seeded && ok != want {
			t.Fatalf("%q: %v, want %v", s, ok, want)
		}
		if !ok {
			return
		}
		// As browsers read it: tabs and line breaks away, \ is /.
		read := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(s)
		if read != s || strings.HasPrefix(read, "//") || !strings.HasPrefix(read, "/") {
			t.Fatalf("%q is read as %q", s, read)
		}
		if u, err := here.Parse(s); err == nil && (u.Host != here.Host || u.Scheme != here.Scheme || u.User != nil) {
			t.Fatalf("%q leads to %s", s, u)
		}
	})
}
