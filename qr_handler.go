package wxpay

import (
	"bytes"
	"fmt"
	"net/http"

	"rsc.io/qr"

	"github.com/wxpaykit/wxpay/orderstore"
)

// QRCodeSVG draws the code that a customer scans to pay a Native order: GET
// /orders/{out_trade_no}/qr.svg. A code that has grown old is replaced by a
// new one.
func (k *Kit) QRCodeSVG() http.Handler { return k.qrCode("image/svg+xml", svg) }

// QRCodePNG is QRCodeSVG as PNG: GET /orders/{out_trade_no}/qr.png.
func (k *Kit) QRCodePNG() http.Handler { return k.qrCode("image/png", (*qr.Code).PNG) }

func (k *Kit) qrCode(contentType string, draw func(*qr.Code) []byte) http.Handler {
	return k.endpoint("qr", func(_ http.ResponseWriter, r *http.Request) (answer, error) {
		code, err := k.codeToScan(r)
		if err != nil {
			return answer{}, err
		}
		return answer{picture: &picture{contentType, draw(code)}}, nil
	})
}

func (k *Kit) codeToScan(r *http.Request) (*qr.Code, error) {
	o, _, err := k.namedOrder(r, k.ownOrder)
	if err != nil {
		return nil, err
	}
	if o.Product != orderstore.Native {
		return nil, problemOtherProduct.because(nil)
	}
	placed, err := k.till.Place(r.Context(), *o)
	if err != nil {
		return nil, err
	}
	code, err := qr.Encode(placed.CodeURL, qr.M)
	if err != nil {
		return nil, problemInternal.because(err)
	}
	return code, nil
}

// svg draws each row's runs of black as one path, with the four modules of
// quiet zone that scanners need.
func svg(code *qr.Code) []byte {
	const quiet = 4
	var b bytes.Buffer
	size := code.Size + 2*quiet
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, size, size)
	fmt.Fprintf(&b, `<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, size, size)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := x
			for run < code.Size && code.Black(run, y) {
				run++
			}
			if run > x {
				fmt.Fprintf(&b, "M%d %dh%dv1H%dz", x+quiet, y+quiet, run-x, x+quiet)
				x = run
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}
