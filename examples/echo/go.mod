module github.com/wxpaykit/wxpay/examples/echo

go 1.25.0

require (
	github.com/labstack/echo/v5 v5.4.5
	github.com/wxpaykit/wxpay v0.0.0
)

require (
	github.com/gorilla/mux v1.8.1 // indirect
	golang.org/x/time v0.15.0 // indirect
	rsc.io/qr v0.2.0 // indirect
)

replace github.com/wxpaykit/wxpay => ../..
