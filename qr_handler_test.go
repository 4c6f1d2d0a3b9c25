package wxpay_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxsim"
)

// picture is a QR code as an endpoint drew it.
type picture struct {
	size  int
	black func(x, y int) bool
}

// shows checks that the picture is the code of a text.
func (p picture) shows(t *testing.T, text string) {
	t.Helper()
	want, err := qr.Encode(text, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	if p.size != want.Size {
		t.Fatalf("picture has %d modules, the code %d", p.size, want.Size)
	}
	for y := -1; y <= p.size; y++ { // and the quiet zone around it
		for x := -1; x <= p.size; x++ {
			if p.black(x, y) != want.Black(x, y) {
				t.Fatalf("module %d,%d: black is %v", x, y, p.black(x, y))
			}
		}
	}
}

// readPNG takes 8 pixels to a module.
func readPNG(t *testing.T, r reply) picture {
	t.Helper()
	img, err := png.Decode(strings.NewReader(r.raw))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	const quiet, scale = 4, 8
	if b.Dx() != b.Dy() || b.Dx()%scale != 0 {
		t.Fatalf("picture is %v", b)
	}
	return picture{b.Dx()/scale - 2*quiet, func(x, y int) bool {
		r, _, _, _ := img.At((x+quiet)*scale+scale/2, (y+quiet)*scale+scale/2).RGBA()
		return r < 0x8000
	}}
}

var run = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1H(\d+)z`)

// readSVG walks the document as XML and paints the runs of its second path.
func readSVG(t *testing.T, r reply) picture {
	t.Helper()
	const quiet = 4
	var side int
	var paths []string
	for dec := xml.NewDecoder(strings.NewReader(r.raw)); ; {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, r.raw)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range e.Attr {
			switch {
			case e.Name.Local == "svg" && a.Name.Local == "viewBox":
				if _, err := fmt.Sscanf(a.Value, "0 0 %d %d", &side, new(int)); err != nil {
					t.Fatalf("viewBox %q: %v", a.Value, err)
				}
			case e.Name.Local == "path" && a.Name.Local == "d":
				paths = append(paths, a.Value)
			case e.Name.Local == "svg" && a.Name.Local == "xmlns" && a.Value != "http://www.w3.org/2000/svg":
				t.Errorf("namespace %q", a.Value)
			}
		}
	}
	if len(paths) != 2 || paths[0] != fmt.Sprintf("M0 0h%dv%dH0z", side, side) || run.ReplaceAllString(paths[1], "") != "" {
		t.Fatalf("paths %q of side %d", paths, side)
	}
	painted := make(map[[2]int]bool)
	for _, m := range run.FindAllStringSubmatch(paths[1], -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		if n[0] != n[3] {
			t.Fatalf("run %q does not return to where it began", m[0])
		}
		for x := range n[2] {
			painted[[2]int{n[0] + x, n[1]}] = true
		}
	}
	return picture{side - 2*quiet, func(x, y int) bool { return painted[[2]int{x + quiet, y + quiet}] }}
}

// TestQRCode: both pictures show the code_url and nothing else.
func TestQRCode(t *testing.T) {
	t.Parallel()
	s := open(t)
	for range 3 {
		o := s.buy("native", "u1")
		for _, c := range []struct {
			file, contentType string
			read              func(*testing.T, reply) picture
		}{
			{"qr.svg", "image/svg+xml", readSVG},
			{"qr.png", "image/png", readPNG},
		} {
			r := s.do("GET", "/pay/orders/"+o.OutTradeNo+"/"+c.file, "u1", "")
			if r.status != 200 || r.header.Get("Content-Type") != c.contentType || r.header.Get("Content-Length") != strconv.Itoa(len(r.raw)) {
				t.Fatalf("%s: %d %v", c.file, r.status, r.header)
			}
			if len(r.raw) > 16<<10 {
				t.Errorf("%s has %d bytes", c.file, len(r.raw))
			}
			c.read(t, r).shows(t, o.CodeURL)
		}
	}
	if n := s.sim.Requests("prepay"); n != 3 {
		t.Errorf("%d prepays", n)
	}
}

// TestQRCodeReplaced: a code that WeChat would not take any more is not shown.
func TestQRCodeReplaced(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.OrderTTL = 24 * time.Hour })
	o := s.buy("native", "u1")
	s.clock.advance(2 * time.Hour)
	r := s.do("GET", o.QRURL, "u1", "")
	at, _ := s.sim.Order(o.OutTradeNo)
	if at.CodeURL == o.CodeURL {
		t.Fatal("WeChat was not asked for a new code")
	}
	readSVG(t, r).shows(t, at.CodeURL)
	if bodies := s.prepays(); len(bodies) != 2 || bodies[0] != bodies[1] {
		t.Errorf("prepays: %q", bodies)
	}
	if again := s.do("GET", o.QRURL, "u1", ""); !bytes.Equal([]byte(again.raw), []byte(r.raw)) {
		t.Error("the next picture is another one")
	}
}

func TestQRCodeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, product string
		prepare       func(s *shop, no string)
		status        int
		msg           string
	}{
		{"app", "app", func(*shop, string) {}, 409, "该订单使用了其他支付方式，请重新下单"},
		{"jsapi", "jsapi", func(*shop, string) {}, 409, "该订单使用了其他支付方式，请重新下单"},
		{"miniprogram", "miniprogram", func(*shop, string) {}, 409, "该订单使用了其他支付方式，请重新下单"},
		{"h5", "h5", func(*shop, string) {}, 409, "该订单使用了其他支付方式，请重新下单"},
		{"paid", "native", func(s *shop, no string) { s.pay(no) }, 409, "订单已支付"},
		{"closed", "native", func(s *shop, no string) { s.close(no).order(s.t) }, 409, "订单已关闭，请重新下单"},
		{"expired", "native", func(s *shop, _ string) { s.clock.advance(30 * time.Minute) }, 409, "订单已过期，请重新下单"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			no := s.buy(c.product, "u1").OutTradeNo
			c.prepare(s, no)
			for _, file := range []string{"qr.svg", "qr.png"} {
				s.do("GET", "/pay/orders/"+no+"/"+file, "u1", "").refused(t, c.status, c.status, c.msg)
			}
		})
	}
	t.Run("other files", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		no := s.buy("native", "u1").OutTradeNo
		for _, file := range []string{"qr", "qr.gif", "qr.svg/", "QR.SVG"} {
			s.do("GET", "/pay/orders/"+no+"/"+file, "u1", "").refused(t, 404, 404, "接口不存在")
		}
	})
}

// TestQRCodeWhenWeChatFails: no picture of a code that is dead.
func TestQRCodeWhenWeChatFails(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *wxpay.Options) { o.OrderTTL = 24 * time.Hour })
	o := s.buy("native", "u1")
	s.clock.advance(2 * time.Hour)
	s.sim.Fault(wxsim.Fault{Target: "prepay", Fault: "status_500"})
	s.do("GET", o.QRURL, "u1", "").refused(t, 502, 502, "微信支付暂时不可用，请稍后重试")
	if o := s.stored(o.OutTradeNo); o.PayStatus != orderstore.Unpaid {
		t.Errorf("order is %v", o.PayStatus)
	}
}
