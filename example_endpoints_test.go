package wxpay_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"
)

// ask lets a user ask a handler, in process.
func ask(h http.Handler, user, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-User", user)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// dataOf is the data of an answer.
func dataOf(w *httptest.ResponseRecorder) map[string]any {
	var envelope struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &envelope); err != nil {
		log.Fatal(err)
	}
	return envelope.Data
}

// An endpoint alone, under a path of the app's own.
func ExampleKit_Prepay() {
	_, pay, _, end := openExample(time.Now)
	defer end()
	mux := http.NewServeMux()
	mux.Handle("POST /checkout/{product}", pay.Prepay())

	w := ask(mux, "xiaoming", "POST", "/checkout/native", `{"goods_id":"vip-month"}`)
	data := dataOf(w)
	fmt.Println(w.Code, data["out_trade_no"], data["code_url"].(string)[:len("weixin://wxpay/")])
	fmt.Println(ask(mux, "", "POST", "/checkout/native", `{"goods_id":"vip-month"}`).Body)
	// Output:
	// 200 order-of-xiaoming weixin://wxpay/
	// {"code":401,"data":null,"msg":"请先登录"}
}

// A customer cancelled and comes back: the order is signed again.
func ExampleKit_PaySign() {
	post, pay, _, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/miniprogram", `{"goods_id":"vip-month","openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}`)

	data := dataOf(ask(pay, "xiaoming", "POST", "/pay/paysign", `{"out_trade_no":"order-of-xiaoming"}`))
	fmt.Println(slices.Sorted(maps.Keys(data["pay"].(map[string]any)))) // for wx.requestPayment, unread
	// Output: [nonceStr package paySign signType timeStamp]
}

// Only its owner learns what became of an order.
func ExampleKit_OrderStatus() {
	post, pay, sim, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	if err := sim.Pay("order-of-xiaoming"); err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /checkout/orders/{out_trade_no}", pay.OrderStatus())

	data := dataOf(ask(mux, "xiaoming", "GET", "/checkout/orders/order-of-xiaoming", ""))
	fmt.Println(data["pay_status"], data["pay_status_des"], data["amount"])
	fmt.Println(ask(mux, "somebody", "GET", "/checkout/orders/order-of-xiaoming", "").Body)
	// Output:
	// 1 支付成功 1.00元
	// {"code":403,"data":null,"msg":"无权操作该订单"}
}

// "Closed" is said only after WeChat Pay has closed the order, too.
func ExampleKit_CloseOrder() {
	post, pay, _, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	mux := http.NewServeMux()
	mux.Handle("POST /checkout/orders/{out_trade_no}/close", pay.CloseOrder())

	data := dataOf(ask(mux, "xiaoming", "POST", "/checkout/orders/order-of-xiaoming/close", ""))
	fmt.Println(data["pay_status"], data["trade_state"])
	// Output: 2 CLOSED
}

// The code of a Native order, for a page of one's own.
func ExampleKit_QRCodeSVG() {
	post, pay, _, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	mux := http.NewServeMux()
	mux.Handle("GET /checkout/{out_trade_no}/code", pay.QRCodeSVG())

	w := ask(mux, "xiaoming", "GET", "/checkout/order-of-xiaoming/code", "")
	fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"))
	// Output: 200 image/svg+xml no-store
}

func ExampleKit_QRCodePNG() {
	post, pay, _, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	mux := http.NewServeMux()
	mux.Handle("GET /checkout/{out_trade_no}/code", pay.QRCodePNG())

	w := ask(mux, "xiaoming", "GET", "/checkout/order-of-xiaoming/code", "")
	fmt.Println(w.Code, w.Header().Get("Content-Type"), w.Body.String()[1:4])
	// Output: 200 image/png PNG
}

// The page on which a customer pays, for its owner.
func ExampleKit_Cashier() {
	post, pay, _, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	mux := http.NewServeMux()
	mux.Handle("GET /checkout/{out_trade_no}", pay.Cashier())

	for _, user := range []string{"xiaoming", "somebody"} {
		w := ask(mux, user, "GET", "/checkout/order-of-xiaoming", "")
		fmt.Println(w.Code, w.Header().Get("Content-Type"))
	}
	// Output:
	// 200 text/html; charset=utf-8
	// 403 text/html; charset=utf-8
}

// A link for the phone beside the desktop, on which nobody is signed in.
func ExampleKit_CashierLink() {
	post, pay, _, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)

	link := pay.CashierLink("order-of-xiaoming", 10*time.Minute)
	path, _, _ := strings.Cut(link, "?")
	fmt.Println(path)
	fmt.Println(ask(pay, "", "GET", link, "").Code, "with the link")
	fmt.Println(ask(pay, "", "GET", path, "").Code, "without")
	// Output:
	// /pay/orders/order-of-xiaoming/cashier
	// 200 with the link
	// 401 without
}

// The stream of an order ends when it is paid or closed.
func ExampleKit_OrderLive() {
	post, pay, sim, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	if err := sim.Pay("order-of-xiaoming"); err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /checkout/{out_trade_no}/live", pay.OrderLive())

	lines := bufio.NewScanner(ask(mux, "xiaoming", "GET", "/checkout/order-of-xiaoming/live", "").Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			fmt.Println(text)
		}
		if _, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			fmt.Println(strings.Contains(lines.Text(), `"pay_status":1`))
		}
	}
	// Output:
	// order
	// true
}

// Open pages hold a stream, and a server that shuts down waits for them.
// What happened to an order, for those who may refund it.
func ExampleKit_OrderEvents() {
	post, pay, sim, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	if err := sim.Pay("order-of-xiaoming"); err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /office/orders/{out_trade_no}/events", pay.OrderEvents())

	events := dataOf(ask(mux, "anna", "GET", "/office/orders/order-of-xiaoming/events", ""))["events"]
	for _, event := range events.([]any) {
		fmt.Println(event.(map[string]any)["kind"])
	}
	// Output:
	// created
	// prepaid
	// paid
}

// How far a refund is, for the owner of the order and for the staff.
func ExampleKit_RefundStatus() {
	post, pay, sim, end := openExample(time.Now)
	defer end()
	post("xiaoming", "/pay/prepay/native", `{"goods_id":"vip-month"}`)
	if err := sim.Pay("order-of-xiaoming"); err != nil {
		log.Fatal(err)
	}
	post("anna", "/pay/orders/order-of-xiaoming/refunds", `{"refund":30,"reason":"缺货","out_refund_no":"R-1"}`)
	mux := http.NewServeMux()
	mux.Handle("GET /checkout/orders/{out_trade_no}/refunds/{out_refund_no}", pay.RefundStatus())

	data := dataOf(ask(mux, "xiaoming", "GET", "/checkout/orders/order-of-xiaoming/refunds/R-1", ""))
	fmt.Println(data["status"], data["status_des"], data["amount"])
	// Output: SUCCESS 退款成功 0.30元
}

// The probe that restarts a process asks nobody.
// New gives a handler for any router, here under a prefix of the app's own.
// Notifications under an address that the app had before. What WeChat Pay did
// not sign is told nothing.
// Those of API v2 are answered in XML.
// A handler that was reached in another way than through VerifyNotify has no
// notification, and must not go on.
// Run hands paid orders over until the app has taken them.
// The functions of the app find the trace id that the request came with.
// A hook that wakes somebody only when money is not where the order says.
// The same of refunds: those that do not reach the customer by themselves.
