package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/checkup"
	"github.com/wxpaykit/wxpay/wxsim"
)

// account puts a simulator's account into the environment.
func account(t *testing.T) {
	t.Helper()
	sim := wxsim.Start(t)
	acct := sim.Account()
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, value := range map[string]string{
		"WXPAY_MCHID": acct.MchID, "WXPAY_CERT_SERIAL": acct.SerialNo, "WXPAY_APIV3_KEY": acct.APIv3Key,
		"WXPAY_PRIVATE_KEY_FILE": file("apiclient_key.pem", acct.PrivateKeyPEM, 0o600),
		"WXPAY_PUBLIC_KEY_ID":    acct.PublicKeyID, "WXPAY_PUBLIC_KEY_FILE": file("pub_key.pem", acct.PublicKeyPEM, 0o644),
		"WXPAY_APPID": acct.AppID, "WXPAY_API_BASE": sim.URL(), "WXPAY_NOTIFY_URL": "",
	} {
		t.Setenv(name, value)
	}
}

func TestRun(t *testing.T) { // not parallel: the environment
	tests := []struct {
		name   string
		change func(t *testing.T)
		args   []string
		code   int
		says   string
	}{
		{"a good account", func(*testing.T) {}, []string{"-lang", "en"}, 0, "signature-accepted"},
		{"in Chinese", func(*testing.T) {}, []string{"-lang", "zh"}, 0, "微信支付接受"},
		{"a key for the app alone", func(*testing.T) {}, []string{"-lang", "en"}, 0, "key-file-private"},
		{"a key for everybody", func(t *testing.T) {
			if err := os.Chmod(os.Getenv("WXPAY_PRIVATE_KEY_FILE"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, []string{"-lang", "en"}, 0, "key-file-open"},
		{"a wrong serial", func(t *testing.T) { t.Setenv("WXPAY_CERT_SERIAL", "A1") }, []string{"-lang", "en"}, 1, "serial-wrong"},
		{"no account", func(t *testing.T) { t.Setenv("WXPAY_MCHID", "") }, []string{"-lang", "en"}, 1, "settings-wrong"},
		{"the list", func(*testing.T) {}, []string{"-list"}, 0, "notify-redirected"},
		{"an argument", func(*testing.T) {}, []string{"pay.db"}, 2, ""},
		{"a flag that does not exist", func(*testing.T) {}, []string{"-db"}, 2, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account(t)
			test.change(t)
			var out, errs strings.Builder
			code := run(t.Context(), test.args, &out, &errs)
			if code != test.code || !strings.Contains(out.String(), test.says) {
				t.Errorf("exit code %d, printed\n%s%s\nwant %d and %q", code, &out, &errs, test.code, test.says)
			}
			for _, name := range []string{"WXPAY_APIV3_KEY", "WXPAY_PRIVATE_KEY_FILE"} {
				secret := os.Getenv(name)
				if text, err := os.ReadFile(secret); err == nil {
					secret = string(text[60:100])
				}
				if strings.Contains(out.String()+errs.String(), secret) {
					t.Errorf("%s is printed", name)
				}
			}
		})
	}
}

func TestRunPrintsJSON(t *testing.T) { // not parallel: the environment
	account(t)
	var out strings.Builder
	if code := run(t.Context(), []string{"-json"}, &out, &out); code != 0 {
		t.Errorf("exit code %d", code)
	}
	var report struct {
		Findings []struct{ ID, Severity string }
	}
	if err := json.Unmarshal([]byte(out.String()), &report); err != nil || len(report.Findings) < 5 || report.Findings[0].Severity != checkup.OK.String() {
		t.Errorf("%v in %s", err, &out)
	}
}
