package wxlogin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/wxpaykit/wxpay/wxlogin"
)

func ExampleClient_Code2Session() {
	wechat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("js_code") != "new" {
			_, _ = io.WriteString(w, `{"errcode":40163,"errmsg":"code been used"}`)
			return
		}
		_, _ = io.WriteString(w, `{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","session_key":"tiihtNczf5v6AKRyjwEUhQ=="}`)
	}))
	defer wechat.Close()
	client, err := wxlogin.New(wxlogin.Config{AppID: "wx8888888888888888", AppSecret: "secret", BaseURL: wechat.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	user, err := client.Code2Session(context.Background(), "new")
	fmt.Println(user.OpenID, err)
	_, err = client.Code2Session(context.Background(), "old")
	fmt.Println(err, errors.Is(err, wxlogin.ErrCode))
	// Output:
	// oUpF8uMuAJO_M2pxb1Q9zNjWeS6o <nil>
	// WeChat answered 40163: code been used true
}
