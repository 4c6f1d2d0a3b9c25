package playgroundtest

import "strings"

// stray asks for paths that are nearly endpoints. None of them may succeed or
// change anything; a router may send the client to the clean path, and the kit
// itself never does.
func (a *app) stray() {
	a.prepare()
	up := strings.ToUpper(a.at)
	for _, c := range []struct{ method, path string }{
		{"POST", a.at + "/orders/{native}/close/"},
		{"POST", a.at + "//orders/{native}/close"},
		{"POST", a.at + "/orders//{native}/close"},
		{"POST", a.at + "/orders/{native}//close"},
		{"POST", "/" + a.at + "/orders/{native}/close"},
		{"POST", a.at + "/./orders/{native}/close"},
		{"POST", a.at + "/orders/x/../{native}/close"},
		{"POST", a.at + "/x/../orders/{native}/close"},
		{"POST", a.at + "/%2e%2e" + a.at + "/orders/{native}/close"},
		{"POST", a.at + "/orders/%2e%2e/orders/{native}/close"},
		{"POST", a.at + "/orders/{native}/Close"},
		{"POST", a.at + "/Orders/{native}/close"},
		{"POST", up + "/orders/{native}/close"},
		{"POST", a.at + "/orders/{native}/close%00"},
		{"POST", a.at + "/orders/{native}/close%20"},
		{"POST", a.at + "/orders/{native}/close;x=y"},
		{"POST", a.at + "/orders/{native}%2Fclose"},
		{"POST", a.at + "/orders/{native}%2fclose"},
		{"POST", a.at + "%2Forders/{native}/close"},
		{"POST", a.at + "/orders/{%native}%252Fclose"},
		{"GET", a.at + "/orders/{native}/"},
		{"GET", a.at + "/orders/{native}/qr.svg/"},
		{"GET", a.at + "/orders/..%2Forders%2F{native}"},
		{"GET", a.at + "/orders/"},
		{"GET", a.at + "/orders"},
		{"GET", a.at + "/../etc/passwd"},
		{"POST", a.at + "/prepay/native/"},
		{"POST", a.at + "/notify/"},
		{"POST", a.at + "//notify"},
	} {
		body := ""
		if strings.Contains(c.path, "prepay") {
			body = prepayBody("native")
		}
		r := a.sendTo(c.method, a.fill(c.path), customer, body)
		redirect := r.status == 301 || r.status == 307 || r.status == 308
		if r.status != 404 && r.status != 405 && r.status != 400 && !redirect {
			a.Errorf("%s %s: %d %s", c.method, c.path, r.status, r.body)
		}
	}
	if got := a.send("GET", "/orders/"+a.values["native"], customer, "").data(a.T); got.PayStatus != 0 {
		a.Errorf("one of them closed the order: %+v", got)
	}
	if n := len(a.sim.Orders()); n != 6 {
		a.Errorf("one of them placed an order: there are %d", n)
	}
}
