package wxsim

import (
	"crypto/rand"
	"fmt"
	"time"
)

// Numbers of orders depend on the seed and the order, not on what else
// happened before, so that two runs that poll differently still agree. The
// methods here are called with mu held.

// newTransactionID makes 28 digits: 42000, five more, the day, ten more.
func (s *Sim) newTransactionID(outTradeNo string, now time.Time) string {
	for try := 0; ; try++ {
		drawn := s.keys.letters(fmt.Sprint("transaction ", try, " ", outTradeNo), digits, 15)
		id := "42000" + drawn[:5] + now.In(beijing).Format("20060102") + drawn[5:]
		if _, taken := s.paid[id]; !taken {
			return id
		}
	}
}

// newRefundID makes 29 digits: 503, seven more, the day, eleven more.
func (s *Sim) newRefundID(outRefundNo string, now time.Time) string {
	for try := 0; ; try++ {
		drawn := s.keys.letters(fmt.Sprint("refund ", try, " ", outRefundNo), digits, 18)
		id := "503" + drawn[:7] + now.In(beijing).Format("20060102") + drawn[7:]
		if _, taken := s.refundIDs[id]; !taken {
			return id
		}
	}
}

// newPrepayID makes wx, the time and 20 letters, as WeChat's look.
func (s *Sim) newPrepayID(outTradeNo string, place int, now time.Time) string {
	return "wx" + now.In(beijing).Format("20060102150405") +
		s.keys.letters(fmt.Sprint("prepay ", place, " ", outTradeNo), lowerHex, 20)
}

// newCodeURL makes the text of a Native QR code.
func (s *Sim) newCodeURL(outTradeNo string, place int) string {
	return "weixin://wxpay/bizpayurl?pr=" + s.keys.letters(fmt.Sprint("code ", place, " ", outTradeNo), alnum, 12)
}

// customer is the openid of the person who owns the phone, under one appid.
func (s *Sim) customer(appid string) string {
	return "o" + s.keys.letters("openid "+appid, alnum, 27)
}

// nonce draws n fresh letters for headers and encryption. Nonces are not
// repeatable: the security of GCM hangs on their never repeating.
func nonce(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	for i, b := range raw {
		raw[i] = alnum[int(b)%len(alnum)]
	}
	return string(raw)
}
