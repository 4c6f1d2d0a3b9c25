package wxapi

import "github.com/wxpaykit/wxpay/wxcrypto"

// The parsers of foreign bytes, for the fuzz targets.

var (
	ReadError   = readError
	ParseRefund = parseRefund
	Decimal     = decimal
)

func SplitDownloadURL(c *Client, raw string) (base, target string, err error) {
	return c.splitDownloadURL(raw)
}

func OpenCertificates(c *Client, body []byte) ([]wxcrypto.VerifyKey, error) {
	return c.openCertificates(body)
}
