package wxapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wxpaykit/wxpay/wxapi"
)

// TestForeignHost: what is signed for WeChat Pay is not sent to anybody else,
// even if a verified answer says so.
func TestForeignHost(t *testing.T) {
	t.Parallel()
	w := bubbled(t, announced(t, "https://bills.example.com"+billToken, sha1Of("x")))
	_, err := w.take(t, wxapi.BillOptions{})
	want{is: wxapi.ErrBillDamaged}.check(t, err)
	w.checkBill(t, "bill")
	if strings.Contains(fmt.Sprint(err), "example") {
		t.Errorf("err: %v", err)
	}
}

func TestDownloadHosts(t *testing.T) {
	t.Parallel()
	const real = "https://api.mch.weixin.qq.com"
	client := func(base, backup string) *wxapi.Client {
		return bubbled(t).client(t, func(cfg *wxapi.Config) { cfg.BaseURL, cfg.BackupURL = base, backup })
	}
	clients := map[string]*wxapi.Client{
		"real": client("", ""), "simulator": client("http://127.0.0.1:9090", ""),
		"gateway": client("https://wechat.corp.example:8443", "https://api2.corp.example"),
	}
	for _, tt := range []struct{ client, url, base, target string }{
		{"real", real + "/v3/billdownload/file?token=a%2Fb%3D&x", real, "/v3/billdownload/file?token=a%2Fb%3D&x"},
		{"real", real + "/v3/bill/downloadurl?token=1", real, "/v3/bill/downloadurl?token=1"},
		{"real", "https://API.mch.weixin.qq.com/x", real, "/x"},
		{"real", "https://api2.mch.weixin.qq.com/x", "https://api2.mch.weixin.qq.com", "/x"},
		{"real", "https://api.mch.weixin.qq.com:443/x", "https://api.mch.weixin.qq.com:443", "/x"},
		{"real", "https://api.wechatpay.cn/x", "https://api.wechatpay.cn", "/x"},
		{"real", "https://a.b.wechatpay.cn/x", "https://a.b.wechatpay.cn", "/x"},
		{"real", real + "//example.com/x", real, "//example.com/x"},
		{"gateway", "https://wechat.corp.example:8443/x", "https://wechat.corp.example:8443", "/x"},
		{"gateway", "https://api2.corp.example/x", "https://api2.corp.example", "/x"},
		{"gateway", "https://api.mch.weixin.qq.com/x", real, "/x"},
		{"simulator", "http://127.0.0.1:9090/x", "http://127.0.0.1:9090", "/x"},
		{"simulator", "http://127.0.0.1:9091/x", "http://127.0.0.1:9091", "/x"},
		{"simulator", "http://localhost/x", "http://localhost", "/x"},
		{"simulator", "https://[::1]:1/x", "https://[::1]:1", "/x"},

		{"simulator", real + "/x", "", ""},
		{"simulator", "ftp://127.0.0.1:9090/x", "", ""},
		{"simulator", "http://10.0.0.1/x", "", ""},
		{"simulator", "http://127.0.0.1.example.com/x", "", ""},
		{"gateway", "https://wechat.corp.example/x", "", ""},
		{"gateway", "http://wechat.corp.example:8443/x", "", ""},
		{"gateway", "https://corp.example/x", "", ""},
		{"real", "http://api.mch.weixin.qq.com/x", "", ""},
		{"real", "https://api.mch.weixin.qq.com:8443/x", "", ""},
		{"real", "https://127.0.0.1/x", "", ""},
		{"real", "http://localhost/x", "", ""},
		{"real", "https://example.com/x", "", ""},
		{"real", "https://weixin.qq.com/x", "", ""},
		{"real", "https://mch.weixin.qq.com/x", "", ""},
		{"real", "https://evilmch.weixin.qq.com/x", "", ""},
		{"real", "https://api.mch.weixin.qq.com.example.com/x", "", ""},
		{"real", "https://api.mch.weixin.qq.com./x", "", ""},
		{"real", "https://wechatpay.cn/x", "", ""},
		{"real", "https://evil-wechatpay.cn/x", "", ""},
		{"real", "https://example.com/.wechatpay.cn", "", ""},
		{"real", "https://example.com?.wechatpay.cn", "", ""},
		{"real", "https://example.com#.wechatpay.cn/", "", ""},
		{"real", `https://example.com\.wechatpay.cn/x`, "", ""},
		{"real", `https://example.com".wechatpay.cn/x`, "", ""},
		{"real", "https://example.com%2f.wechatpay.cn/x", "", ""},
		{"real", "https://example.com;.wechatpay.cn/x", "", ""},
		{"real", "https://例子.wechatpay.cn/x", "", ""},
		{"real", "https://api.mch.weixin.qq.com@example.com/x", "", ""},
		{"real", "https://user:pass@api.mch.weixin.qq.com/x", "", ""},
		{"real", real + "/x#y", "", ""},
		{"real", real + "/x#", "", ""},
		{"real", real, "", ""},
		{"real", "//api.mch.weixin.qq.com/x", "", ""},
		{"real", "/x", "", ""},
		{"real", "", "", ""},
		{"real", real + "/x\n", "", ""},
		{"real", real + "/" + strings.Repeat("x", 2048), "", ""},
	} {
		t.Run(tt.client+" "+tt.url, func(t *testing.T) {
			t.Parallel()
			base, target, err := wxapi.SplitDownloadURL(clients[tt.client], tt.url)
			if tt.base == "" {
				if err == nil || base+target != "" || strings.Contains(err.Error(), "example") || strings.Contains(err.Error(), "pass") {
					t.Errorf("%q %q, %v", base, target, err)
				}
				return
			}
			if err != nil || base != tt.base || target != tt.target {
				t.Errorf("%q %q, %v, want %q %q", base, target, err, tt.base, tt.target)
			}
		})
	}
}
