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

// Wrong settings are told at once, before anybody wants to sign in.
func ExampleNew() {
	_, err := wxlogin.New(wxlogin.Config{AppID: "wx8888888888888888"})
	fmt.Println(err)
	// Output: wxlogin: Config.AppSecret is required: the secret of AppID
}

// A page inside WeChat: the browser came back with a code.
func ExampleClient_AccessToken() {
	wechat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"openid":"oUpF8uN95-Ptaags6E_roPHg7AG0","is_snapshotuser":1}`)
	}))
	defer wechat.Close()
	client, err := wxlogin.New(wxlogin.Config{AppID: "wx8888888888888888", AppSecret: "secret", BaseURL: wechat.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	user, err := client.AccessToken(context.Background(), "code of the callback")
	if user.Snapshot {
		fmt.Println("no order may be placed with this openid", err)
	}
	// Output: no order may be placed with this openid <nil>
}
