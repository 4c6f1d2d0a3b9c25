module github.com/wxpaykit/wxpay

go 1.25.0

require pgregory.net/rapid v1.3.0

require github.com/mattn/go-sqlite3 v1.14.52
