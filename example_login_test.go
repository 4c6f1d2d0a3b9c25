package wxpay_test

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/orderstore/memory"
	"github.com/wxpaykit/wxpay/wxsim"
)

// withLogin is a kit that signs people in, against the simulator.
func withLogin(sim *wxsim.Sim) *wxpay.Kit {
	acct := sim.Account()
	pay, err := wxpay.New(wxpay.Options{
		Merchant: wxpay.Merchant{
			MchID: acct.MchID, CertSerial: acct.SerialNo, PrivateKey: acct.PrivateKeyPEM, APIv3Key: acct.APIv3Key,
			PublicKeyID: acct.PublicKeyID, PublicKey: acct.PublicKeyPEM, AppID: acct.AppID, AppIDJSAPI: acct.AppIDJSAPI,
			AppSecret: acct.AppSecret, AppSecretJSAPI: acct.AppSecret, LoginBase: sim.URL(),
		},
		NotifyURL: "https://shop.example.com/pay/notify",
		Store:     memory.New(),
		Identify:  func(*http.Request) (string, error) { return "", errors.New("not signed in") },
		Quote:     orderstore.Catalog{}.Quote,
		OnLogin: func(w http.ResponseWriter, _ *http.Request, l wxpay.Login) error {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "xiaoming", HttpOnly: true}) // whose l.OpenID is
			return nil
		},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	return pay
}

// A mini-program sends the code of wx.login, and the app signs its user in.
func ExampleKit_Login() {
	sim, err := wxsim.New(wxsim.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	wechat := httptest.NewServer(sim)
	defer wechat.Close()
	sim.SetURL(wechat.URL)
	pay := withLogin(sim)

	post := httptest.NewRequest("POST", "/pay/login", strings.NewReader(`{"code":"`+sim.LoginCode("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")+`"}`))
	post.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	pay.ServeHTTP(w, post)
	fmt.Print(w.Body)
	fmt.Println(w.Header().Get("Set-Cookie"))
	// Output:
	// {"code":200,"data":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"msg":"登录成功"}
	// session=xiaoming; HttpOnly
}

// A page inside WeChat leads its visitor to /oauth/start, and sees them again,
// signed in, at the path that it asked for.
func ExampleKit_OAuthStart() {
	sim, err := wxsim.New(wxsim.Config{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	pay := withLogin(sim)
	w := httptest.NewRecorder()
	pay.ServeHTTP(w, httptest.NewRequest("GET", "/pay/oauth/start?redirect=/vip", nil))
	to, err := w.Result().Location()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Code, to.Path)
	fmt.Println(to.Query().Get("redirect_uri"))
	// Output:
	// 302 /connect/oauth2/authorize
	// https://shop.example.com/pay/oauth/callback
}

// The visitor comes back from WeChat with a code, and is signed in.
func ExampleKit_OAuthCallback() {
	sim, err := wxsim.New(wxsim.Config{Seed: 1, OAuthDomain: "shop.example.com"})
	if err != nil {
		log.Fatal(err)
	}
	wechat := httptest.NewServer(sim)
	defer wechat.Close()
	sim.SetURL(wechat.URL)
	pay := withLogin(sim)

	started := httptest.NewRecorder()
	pay.ServeHTTP(started, httptest.NewRequest("GET", "/pay/oauth/start?redirect=/vip", nil))
	atWeChat := httptest.NewRecorder()
	toWeChat, _, _ := strings.Cut(started.Header().Get("Location"), "#") // as browsers do
	sim.ServeHTTP(atWeChat, httptest.NewRequest("GET", toWeChat, nil))

	back := httptest.NewRequest("GET", atWeChat.Header().Get("Location"), nil)
	for _, c := range started.Result().Cookies() {
		back.AddCookie(c)
	}
	w := httptest.NewRecorder()
	pay.ServeHTTP(w, back)
	fmt.Println(w.Code, w.Header().Get("Location"))
	fmt.Println(slices.Contains(w.Header().Values("Set-Cookie"), "session=xiaoming; HttpOnly"))
	// Output:
	// 302 /vip
	// true
}
