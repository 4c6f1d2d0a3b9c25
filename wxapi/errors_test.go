package wxapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/wxpaykit/wxpay/wxapi"
)

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ seed, code, message, detail string }{
		{"param_error.txt", "PARAM_ERROR", "参数错误", `{"field":"/amount/currency","value":"XYZ","issue":"Currency code is invalid","location":"body"}`},
		{"detail_null.txt", "SYSTEM_ERROR", "系统错误", ""},
		{"code_number.txt", "", "", `"y"`},
		{"html.txt", "", "not JSON", ""},
		{"array.txt", "", "not JSON", ""},
		{"empty.txt", "", "empty body", ""},
		{"openid.txt", "PARAM_ERROR", "openid (openid)与appid不匹配", ""},
	} {
		t.Run(tt.seed, func(t *testing.T) {
			t.Parallel()
			got := wxapi.ReadError(418, nil, seeds(t, "errors")[tt.seed])
			if got.Status != 418 || got.Code != tt.code || got.Message != tt.message || string(got.Detail) != tt.detail {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestErrorIsCapped: whoever writes a refusal does not write our logs.
func TestErrorIsCapped(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("说", 400)
	body, err := json.Marshal(map[string]any{
		"code": strings.Repeat("X", 65), "message": "a\r\nlevel=ERROR \x1b[31m" + long, "detail": strings.Repeat("d", 5000),
	})
	must(t, err)
	h := http.Header{"Request-Id": {strings.Repeat("r", 500) + "\n"}}
	got := wxapi.ReadError(500, h, body)
	if got.Code != "" || got.Detail != nil || len(got.RequestID) != 128 || len(got.Message) > 512 || !utf8.ValidString(got.Message) {
		t.Errorf("%+v", got)
	}
	if !strings.HasPrefix(got.Message, "a  level=ERROR  [31m说") {
		t.Errorf("message: %q", got.Message)
	}
	if got := wxapi.ReadError(400, nil, []byte(`{"code":"A B"}`)); got.Code != "" {
		t.Errorf("code: %q", got.Code)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  wxapi.Error
		want string
	}{
		{wxapi.Error{Status: 403, Code: "NO_AUTH", Message: "无权限", RequestID: "08-1", Detail: json.RawMessage(`"secret"`)},
			"WeChat Pay answered 403 NO_AUTH: 无权限 (Request-ID 08-1)"},
		{wxapi.Error{Status: 502, Message: "not JSON"}, "WeChat Pay answered 502: not JSON"},
		{wxapi.Error{Status: 400, Code: "X"}, "WeChat Pay answered 400 X"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestIsCode(t *testing.T) {
	t.Parallel()
	notExist := fmt.Errorf("query: %w: %w", wxapi.ErrUnknown, &wxapi.Error{Status: 404, Code: "ORDERNOTEXIST"})
	for _, tt := range []struct {
		name  string
		err   error
		codes []string
		want  bool
	}{
		{"same", &wxapi.Error{Code: "NO_AUTH"}, []string{"NO_AUTH"}, true},
		{"wrapped, old spelling", notExist, []string{"ORDER_NOT_EXIST"}, true},
		{"wrapped, any case", notExist, []string{"order_Not_exist"}, true},
		{"second of two", notExist, []string{"NO_AUTH", "ORDER_NOT_EXIST"}, true},
		{"another", notExist, []string{"ORDER_NOT_EXISTS"}, false},
		{"none asked", notExist, nil, false},
		{"no code, asked for none", &wxapi.Error{Status: 502}, []string{"", "_"}, false},
		{"not an Error", errors.New("NO_AUTH"), []string{"NO_AUTH"}, false},
		{"nil", nil, []string{"NO_AUTH"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := wxapi.IsCode(tt.err, tt.codes...); got != tt.want {
				t.Errorf("IsCode = %t", got)
			}
		})
	}
}

// TestSentinels: what each says of the others.
func TestSentinels(t *testing.T) {
	t.Parallel()
	if !errors.Is(wxapi.ErrNotVerified, wxapi.ErrUnknown) {
		t.Error("an answer that is not verified leaves the outcome unknown")
	}
	if errors.Is(wxapi.ErrUnreachable, wxapi.ErrUnknown) || errors.Is(wxapi.ErrUnknown, wxapi.ErrUnreachable) {
		t.Error("unreachable and unknown are not the same")
	}
}

func FuzzError(f *testing.F) {
	parsed := 0
	for _, body := range seeds(f, "errors") {
		f.Add(body)
		if wxapi.ReadError(400, nil, body).Code != "" {
			parsed++
		}
	}
	if parsed < 3 {
		f.Fatalf("%d seeds have a code", parsed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e := wxapi.ReadError(400, http.Header{"Request-Id": {string(body)}}, body)
		if e.Status != 400 || len(e.Code) > 64 || len(e.Message) > 512 || len(e.Detail) > 4<<10 || len(e.RequestID) > 128 {
			t.Errorf("not capped: %+v", e)
		}
		text := e.Error()
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("not fit for a log: %q", text)
		}
		if e.Code != "" && !wxapi.IsCode(e, e.Code) && strings.Trim(e.Code, "_") != "" {
			t.Errorf("IsCode does not find %q", e.Code)
		}
		if e.Detail != nil && !json.Valid(e.Detail) {
			t.Errorf("detail is not JSON: %q", e.Detail)
		}
	})
}
