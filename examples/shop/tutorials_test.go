package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tutorialPages are what docs/tutorials.md prints, and its Chinese twin.
var tutorialPages = []string{"../../docs/tutorials.md", "../../docs/tutorials.zh-CN.md"}

// printed is a block of JSON on the page, under the name in the comment above.
var printed = regexp.MustCompile("(?m)^<!-- (request|answer): (.+) -->\n```json\n(.+)\n```$")

// tutorials replays what the page prints.
type tutorials struct {
	*site
	requests, answers map[string]string
	seen              map[string]bool
}

// TestTutorials goes through every tutorial of the page, from login to paid.
func TestTutorials(t *testing.T) {
	t.Parallel()
	for _, page := range tutorialPages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		tut := tutorials{requests: map[string]string{}, answers: map[string]string{}, seen: map[string]bool{}}
		for _, block := range printed.FindAllStringSubmatch(string(text), -1) {
			map[string]map[string]string{"request": tut.requests, "answer": tut.answers}[block[1]][block[2]] = block[3]
		}
		if n := strings.Count(string(text), "```json"); n != len(tut.requests)+len(tut.answers) {
			t.Errorf("%s prints %d blocks, of which %d have a name of their own", page, n, len(tut.requests)+len(tut.answers))
		}
		t.Run(page, func(t *testing.T) {
			tut.site = start(t)
			tut.app()
			tut.miniProgram()
			tut.plainNode()
			tut.site = start(t, "-api", "v2")
			tut.wholeSystemV2()
			for name := range tut.answers {
				if !tut.seen[name] {
					t.Errorf("nothing answers %q", name)
				}
			}
		})
	}
}

// app is tutorial A: the App orders, WeChat notifies, the row says paid.
func (tut *tutorials) app() {
	const user = "3cca32f4bb"
	body := tut.request("POST /pay/prepay/app")
	placed := tut.answer("app", tut.do("POST", "/pay/prepay/app", user, body))
	tut.answer("app without app_name", tut.do("POST", "/pay/prepay/app", user, without(tut.t, body, "app_name")))
	tut.answer("app of unknown goods", tut.do("POST", "/pay/prepay/app", user, strings.Replace(body, "vip-month", "nothing", 1)))
	if a := tut.do("POST", "/pay/prepay/app", "somebody else", body); a.status != http.StatusForbidden {
		tut.t.Errorf("an order in another's name: %d %s", a.status, a.body)
	}
	tut.pay(placed.OutTradeNo)
	tut.answer("order paid", tut.do("GET", "/pay/orders/"+placed.OutTradeNo, user, ""))

	db, err := sql.Open("sqlite3", tut.db)
	if err != nil {
		tut.t.Fatal(err)
	}
	defer db.Close()
	var row struct {
		status                   int
		des, no, time, amount, u string
	}
	err = db.QueryRow(`SELECT pay_status, pay_status_des, trade_no, pay_time, amount, user_id FROM pay_order_record WHERE out_trade_no = ?`, placed.OutTradeNo).
		Scan(&row.status, &row.des, &row.no, &row.time, &row.amount, &row.u)
	if err != nil || row.status != 1 || row.des != "支付成功" || row.no == "" || row.time == "" || row.amount != "1.00元" || row.u != user {
		tut.t.Errorf("the tutorial's row: %+v, %v", row, err)
	}
	eventually(tut.t, "the membership of the App", func() bool { return tut.me(user).Grants == 1 })
}

// miniProgram is tutorial B, and E: login, order, cancel, pay, ask.
func (tut *tutorials) miniProgram() {
	user := tut.login()
	openid, _ := json.Marshal(customer)
	body := strings.Replace(tut.request("POST /pay/prepay/miniprogram"), `"o…"`, string(openid), 1)
	placed := tut.answer("miniprogram", tut.do("POST", "/pay/prepay/miniprogram", user, body))
	into[map[string]any](tut.do("POST", tut.phone+"_sim/cancel", "", `{"out_trade_no":"`+placed.OutTradeNo+`"}`))
	if got := tut.payStatus(user, placed.OutTradeNo); got != 0 {
		tut.t.Errorf("pay_status is %d after the customer cancelled", got)
	}
	again := into[envelope](tut.do("POST", "/pay/paysign", user, `{"out_trade_no":"`+placed.OutTradeNo+`"}`)).Data
	if again.Pay["package"] != placed.Pay["package"] || again.Pay["paySign"] == placed.Pay["paySign"] {
		tut.t.Errorf("to try again: %v after %v", again.Pay, placed.Pay)
	}
	tut.paid(user, placed.OutTradeNo)
}

// plainNode is tutorial C, whose client names the amount: nobody looks at it.
func (tut *tutorials) plainNode() {
	user := tut.login()
	a := tut.do("POST", "/pay/prepay/miniprogram", user,
		`{"goods_id":"vip-month","phone":"13800000000","packageType":"1","rechargeAmount":1,"amount":1,"total":1,"openid":"`+customer+`"}`)
	placed := into[envelope](a).Data
	tut.paid(user, placed.OutTradeNo)
}

// wholeSystemV2 is tutorial D, whose client names the price, too.
func (tut *tutorials) wholeSystemV2() {
	user := tut.login()
	a := tut.do("POST", "/pay/prepay/miniprogram", user, `{"goods_id":"vip-month","body":"腾讯QQ-购买会员","total_fee":998,"openid":"`+customer+`"}`)
	placed := tut.answer("miniprogram by v2", a)
	tut.paid(user, placed.OutTradeNo)
	sent := into[struct {
		Notifications []struct{ API, Body string }
	}](tut.do("GET", tut.phone+"_sim/notifications", "", ""))
	const success = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"
	if len(sent.Notifications) != 1 || sent.Notifications[0].API != "v2" || sent.Notifications[0].Body != success {
		tut.t.Errorf("notifications of API v2: %+v", sent)
	}
}

// login is wx.login and what the server makes of its code.
func (tut *tutorials) login() (user string) {
	tut.t.Helper()
	code := into[struct{ Code string }](tut.do("POST", tut.phone+"_sim/login", "", `{"openid":"`+customer+`"}`)).Code
	a := tut.do("POST", "/pay/login", "", strings.Replace(tut.request("POST /pay/login"), "…", code, 1))
	tut.answer("login", a)
	return signedIn(tut.t, a)
}

// paid lets the customer pay, and looks for what comes of it: the order, and
// one membership more.
func (tut *tutorials) paid(user, outTradeNo string) {
	tut.t.Helper()
	before := tut.me(user).Grants
	tut.pay(outTradeNo)
	if a := tut.do("GET", "/pay/orders/"+outTradeNo, user, ""); !strings.Contains(a.body, `"pay_status":1,`) || !strings.Contains(a.body, `"total":100,`) {
		tut.t.Errorf("after the payment: %s", a.body)
	}
	eventually(tut.t, "the membership", func() bool { return tut.me(user).Grants == before+1 })
}

func (tut *tutorials) request(name string) string {
	tut.t.Helper()
	if tut.requests[name] == "" {
		tut.t.Fatalf("the page has no request %q", name)
	}
	return tut.requests[name]
}

// answer holds an answer against the one on the page.
func (tut *tutorials) answer(name string, a answer) order {
	tut.t.Helper()
	tut.seen[name] = true
	want, got := decoded(tut.t, tut.answers[name]), decoded(tut.t, a.body)
	if diff := unlike(want, got); diff != "" {
		tut.t.Errorf("%s: %s\nthe page has %s\nthe shop has %s", name, diff, tut.answers[name], a.body)
	}
	var e envelope
	_ = json.Unmarshal([]byte(a.body), &e) // decoded before
	return e.Data
}

func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// without is the object less one member.
func without(t *testing.T, object, member string) string {
	t.Helper()
	fields, _ := decoded(t, object).(map[string]any)
	delete(fields, member)
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// unlike says where two values differ: in a text "…" stands for anything, and
// any digit for any other.
func unlike(want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok || !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))) {
			return fmt.Sprintf("members %v, want %v", got, want)
		}
		for name := range want {
			if diff := unlike(want[name], got[name]); diff != "" {
				return name + ": " + diff
			}
		}
		return ""
	case string:
		pattern := regexp.MustCompile(`\d`).ReplaceAllString(regexp.QuoteMeta(want), `\d`)
		pattern = "^" + strings.ReplaceAll(pattern, "…", ".+") + "$"
		if got, ok := got.(string); ok && regexp.MustCompile(pattern).MatchString(got) {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%v, want %v", got, want)
}
