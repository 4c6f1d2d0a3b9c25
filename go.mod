module github.com/wxpaykit/wxpay

go 1.25.0

require pgregory.net/rapid v1.3.0

require (
	github.com/go-chi/chi/v5 v5.5.0
	github.com/gorilla/mux v1.8.1
	github.com/mattn/go-sqlite3 v1.14.52
	rsc.io/qr v0.2.0
)

require github.com/prometheus/client_golang v1.24.1 // indirect
