package wxlogin_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/wxpaykit/wxpay/wxlogin"
)

// FuzzReadAnswer: whatever comes, there is either somebody with an openid that
// is one, or an error.
func FuzzReadAnswer(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "answer", "*.txt"))
	if err != nil || len(files) < 5 {
		f.Fatalf("testdata/answer has %d seeds: %v", len(files), err)
	}
	people := 0
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		_, body, _ := bytes.Cut(content, []byte("\n"))
		f.Add(200, body)
		if _, err := wxlogin.ReadAnswer(200, body); err == nil {
			people++
		}
	}
	if people != 2 {
		f.Fatalf("%d seeds are somebody, want 2", people)
	}
	openid := regexp.MustCompile(`^[0-9A-Za-z_-]{1,128}$`)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		user, err := wxlogin.ReadAnswer(status, body)
		if err != nil {
			if user != (wxlogin.User{}) {
				t.Fatalf("%+v beside %v", user, err)
			}
			return
		}
		if status != 200 || !openid.MatchString(user.OpenID) || user.UnionID != "" && !openid.MatchString(user.UnionID) {
			t.Fatalf("status %d is %+v", status, user)
		}
	})
}

// FuzzTold: no text of an error has the secret, the code, or a line break.
func FuzzTold(f *testing.F) {
	const secret, code = "5f3b1c9a7e2d4c6b8a0f1e3d5c7b9a2e", "021+Abc/def=="
	f.Add("GET https://api.weixin.qq.com/sns/jscode2session?secret=5f3b1c9a7e2d4c6b8a0f1e3d5c7b9a2e&js_code=021%2BAbc%2Fdef%3D%3D giving up")
	f.Add("code been used\r\nrid: 021+Abc/def==")
	f.Add(strings.Repeat("x", 190) + secret)
	f.Fuzz(func(t *testing.T, text string) {
		for _, err := range []error{errors.New(text), &wxlogin.Error{Code: 40163, Message: text}} {
			said := wxlogin.Told(err, secret, code).Error()
			if strings.Contains(said, secret) || strings.Contains(said, code) || strings.Contains(said, "021%2BAbc%2Fdef%3D%3D") {
				t.Fatalf("%q tells %q", text, said)
			}
			if strings.ContainsFunc(said, unicode.IsControl) {
				t.Fatalf("%q is no line", said)
			}
		}
	})
}
