package wxapi_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/wxpaykit/wxpay/wxapi"
)

func minimal() wxapi.PrepayRequest {
	return wxapi.PrepayRequest{
		AppID: "wxd678efh567hg6787", MchID: testMchID, Description: "1个月会员", OutTradeNo: "20260101-A|*",
		NotifyURL: "https://shop.example.com/pay/notify", Amount: wxapi.Amount{Total: 100},
	}
}

// TestEncodeGolden: the bytes are kept with orders, so they must not change.
func TestEncodeGolden(t *testing.T) {
	t.Parallel()
	const head = `{"appid":"wxd678efh567hg6787","mchid":"1230000109","description":"1个月会员","out_trade_no":"20260101-A|*"`
	const tail = `,"notify_url":"https://shop.example.com/pay/notify","amount":{"total":100}`
	beijing := time.FixedZone("", 8*60*60)
	for _, tt := range []struct {
		name string
		edit func(*wxapi.PrepayRequest)
		want string
	}{
		{"least", func(*wxapi.PrepayRequest) {}, head + tail + `}`},
		{"empty parts are left out", func(r *wxapi.PrepayRequest) {
			r.Payer, r.SceneInfo = &wxapi.Payer{}, &wxapi.SceneInfo{H5Info: &wxapi.H5Info{}}
		}, head + tail + `}`},
		{"time_expire of another zone, with a fraction", func(r *wxapi.PrepayRequest) {
			r.TimeExpire = time.Date(2026, 1, 1, 16, 30, 5, 999_999_999, time.UTC)
		}, head + `,"time_expire":"2026-01-02T00:30:05+08:00"` + tail + `}`},
		{"html is left alone", func(r *wxapi.PrepayRequest) { r.Attach = `<a & "b">` },
			head + `,"attach":"<a & \"b\">"` + tail + `}`},
		{"jsapi", func(r *wxapi.PrepayRequest) {
			r.TimeExpire = time.Date(2026, 1, 2, 0, 30, 5, 0, beijing)
			r.Amount.Currency = "CNY"
			r.Payer = &wxapi.Payer{OpenID: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}
		}, head + `,"time_expire":"2026-01-02T00:30:05+08:00","notify_url":"https://shop.example.com/pay/notify",` +
			`"amount":{"total":100,"currency":"CNY"},"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}`},
		{"h5", func(r *wxapi.PrepayRequest) {
			r.SceneInfo = &wxapi.SceneInfo{PayerClientIP: "14.23.150.211", DeviceID: "013467007045764",
				H5Info: &wxapi.H5Info{Type: "Wap", AppName: "n", AppURL: "u", BundleID: "b", PackageName: "p"}}
		}, head + tail + `,"scene_info":{"payer_client_ip":"14.23.150.211","device_id":"013467007045764",` +
			`"h5_info":{"type":"Wap","app_name":"n","app_url":"u","bundle_id":"b","package_name":"p"}}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := minimal()
			tt.edit(&r)
			for range 3 {
				got, err := r.Encode()
				if err != nil || string(got) != tt.want {
					t.Fatalf("%v\n got %s\nwant %s", err, got, tt.want)
				}
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	for text, edit := range map[string]func(*wxapi.PrepayRequest){
		"appid is missing":           func(r *wxapi.PrepayRequest) { r.AppID = "" },
		"mchid is missing":           func(r *wxapi.PrepayRequest) { r.MchID = "" },
		"description is missing":     func(r *wxapi.PrepayRequest) { r.Description = "" },
		"notify_url is missing":      func(r *wxapi.PrepayRequest) { r.NotifyURL = "" },
		"out_trade_no is not 6":      func(r *wxapi.PrepayRequest) { r.OutTradeNo = "12345" },
		"out_trade_no is not 6 to":   func(r *wxapi.PrepayRequest) { r.OutTradeNo = strings.Repeat("1", 33) },
		"out_trade_no is not 6 to 3": func(r *wxapi.PrepayRequest) { r.OutTradeNo = "12345/6" },
		"less than 1 fen":            func(r *wxapi.PrepayRequest) { r.Amount.Total = 0 },
		"less than 1":                func(r *wxapi.PrepayRequest) { r.Amount.Total = -1 },
		"not CNY":                    func(r *wxapi.PrepayRequest) { r.Amount.Currency = "USD" },
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			r := minimal()
			edit(&r)
			got, err := r.Encode()
			if got != nil || !errors.Is(err, wxapi.ErrRequest) || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
	_, err := wxapi.PrepayRequest{}.Encode()
	if err == nil || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("all six at once, got: %v", err)
	}
}

func TestTruncateDescription(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"short", "会员", "会员"},
		{"exactly", strings.Repeat("a", 127), strings.Repeat("a", 127)},
		{"one too many", strings.Repeat("a", 128), strings.Repeat("a", 127)},
		{"42 characters of three bytes", strings.Repeat("会", 43), strings.Repeat("会", 42)},
		{"within four bytes", strings.Repeat("a", 125) + "😀", strings.Repeat("a", 125)},
		{"not UTF-8", "a\xffb", "ab"},
		{"cut by somebody else", "会员"[:5], "会"},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := wxapi.TruncateDescription(tt.in)
			if got != tt.want || !utf8.ValidString(got) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
