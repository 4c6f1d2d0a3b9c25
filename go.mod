module github.com/wxpaykit/wxpay

go 1.25.0
