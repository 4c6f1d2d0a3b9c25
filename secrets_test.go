package wxpay_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// privateKey is PEM with something in it, also inside a string of a program.
var privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----(\s|\\n|\\r)*[A-Za-z0-9+/]{40}`)

// TestNoPrivateKeysInTheTree: whoever needs one makes it, so that no key that
// lies here can ever be somebody's. Those of testdata are named TESTING KEY.
func TestNoPrivateKeysInTheTree(t *testing.T) {
	t.Parallel()
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if privateKey.Match(text) {
			t.Errorf("%s has a private key in it", path)
		}
		files++
		return err
	})
	if err != nil || files < 100 {
		t.Errorf("looked at %d files: %v", files, err)
	}

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	found := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for _, text := range []string{found, strings.ReplaceAll(found, "\n", `\n`), strings.ReplaceAll(found, "\n", "\r\n")} {
		if !privateKey.MatchString("key: " + text) {
			t.Errorf("would not be found: %.60q", text)
		}
	}
}
