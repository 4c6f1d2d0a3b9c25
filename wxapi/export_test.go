package wxapi

import "github.com/wxpaykit/wxpay/wxcrypto"

// The parsers of foreign bytes, for the fuzz targets.

var ReadError = readError

func OpenCertificates(c *Client, body []byte) ([]wxcrypto.VerifyKey, error) {
	return c.openCertificates(body)
}
