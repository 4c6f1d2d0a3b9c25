package wxapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

func TestNewReportsEverything(t *testing.T) {
	t.Parallel()
	c, err := wxapi.New(wxapi.Config{
		BaseURL: "http://example.com", BackupURL: "example.com", AttemptTimeout: -1, TotalTimeout: -time.Second,
	})
	if c != nil || err == nil {
		t.Fatal("an empty config is taken")
	}
	want := []string{
		"wxapi: Config.Signer.MchID is required: the merchant number",
		"wxapi: Config.Signer.SerialNo is required: the serial of the merchant API certificate",
		"wxapi: Config.Signer.Key is required: the private key of the merchant API certificate",
		"wxapi: Config.Keys is required: a set of keys, which may be empty",
		"wxapi: Config.APIv3Key is required",
		"wxapi: Config.BaseURL must be https; http is for loopback hosts only",
		"wxapi: Config.BackupURL must be like https://api.mch.weixin.qq.com",
		"wxapi: Config.AttemptTimeout must not be negative",
		"wxapi: Config.TotalTimeout must not be negative",
	}
	if got := strings.Split(err.Error(), "\n"); strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %q", got)
	}
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for base, fault := range map[string]string{
		"":                                        "",
		"https://api.mch.weixin.qq.com":           "",
		"https://api.mch.weixin.qq.com/":          "",
		"https://api.wechatpay.cn:443":            "",
		"http://127.0.0.1:9090":                   "",
		"http://127.8.8.8":                        "",
		"http://[::1]:9090":                       "",
		"http://localhost:9090":                   "",
		"http://10.0.0.1":                         "must be https",
		"http://localhost.example.com":            "must be https",
		"http://127.0.0.1.example.com":            "must be https",
		"https://api.mch.weixin.qq.com/v3":        "scheme and host only",
		"https://api.mch.weixin.qq.com?x=1":       "scheme and host only",
		"https://api.mch.weixin.qq.com#x":         "scheme and host only",
		"https://user:pass@api.mch.weixin.qq.com": "scheme and host only",
		"ftp://127.0.0.1":                         "must be like",
		"api.mch.weixin.qq.com":                   "must be like",
		"https://":                                "must be like",
		"https://[::1":                            "must be like",
	} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			cfg := newWeChat(t).config(t)
			cfg.BaseURL = base
			_, err := wxapi.New(cfg)
			switch {
			case fault == "" && err != nil:
				t.Error(err)
			case fault != "" && (err == nil || !strings.Contains(err.Error(), fault) || strings.Contains(err.Error(), "pass")):
				t.Errorf("err: %v, want %q", err, fault)
			}
		})
	}
}

// TestDefaultBackup: the backup host belongs to the default host alone. A
// simulator's requests must never go out to the real one.
func TestDefaultBackup(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, base, backup string
		hosts              []string
	}{
		{"default", "", "", []string{"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com", "api.mch.weixin.qq.com"}},
		{"default, said", "https://api.mch.weixin.qq.com/", "", []string{"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com", "api.mch.weixin.qq.com"}},
		{"another", "http://127.0.0.1:1", "", []string{"127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1"}},
		{"both", "http://127.0.0.1:1", "http://127.0.0.1:2", []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := bubbled(t, again(unsigned(503, ""))...)
			_, err := w.client(t, func(cfg *wxapi.Config) { cfg.BaseURL, cfg.BackupURL = tt.base, tt.backup }).Query(t.Context(), testNo)
			want{is: wxapi.ErrUnknown, status: 503}.check(t, err)
			for i, call := range w.calls {
				if call.Host != tt.hosts[i] {
					t.Errorf("try %d went to %s, want %s", i+1, call.Host, tt.hosts[i])
				}
			}
		})
	}
}

// TestCannotSign: a request that cannot be signed is not sent.
func TestCannotSign(t *testing.T) {
	t.Parallel()
	w := newWeChat(t)
	c := w.client(t, func(cfg *wxapi.Config) {
		cfg.Signer.Key = new(wxcrypto.PrivateKey)
		cfg.Observe = nil
	})
	err := c.Close(t.Context(), testNo)
	want{is: errAny}.check(t, err)
	if err == nil || err.Error() != "close: sign: authorization: merchant private key: not set" {
		t.Errorf("err: %v", err)
	}
	w.checkNone(t)
}
