package main

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// questions is the part of WeChat Pay that is asked about orders. None has been
// paid. Source: 查询订单.
type questions struct {
	key *rsa.PrivateKey

	mu    sync.Mutex
	first time.Time       // when the first question came
	about map[string]bool // the orders that were asked about
}

func (q *questions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, found := strings.CutPrefix(r.URL.Path, "/v3/pay/transactions/out-trade-no/")
	if !found || r.Method != http.MethodGet {
		http.Error(w, `{"code":"PARAM_ERROR"}`, http.StatusBadRequest)
		return
	}
	q.note(number)
	m, err := sign(q.key, number, fmt.Appendf(nil, `{"mchid":"%s","appid":"%s","out_trade_no":"%s","trade_state":"NOTPAY",`+
		`"trade_state_desc":"订单未支付","amount":{"total":%d,"currency":"CNY"}}`, mchID, appID, number, price), time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for name, values := range m.header {
		w.Header()[name] = values
	}
	_, _ = w.Write(m.body) // whoever hung up asks again
}

func (q *questions) note(number string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.first.IsZero() {
		q.first = time.Now()
	}
	if q.about == nil {
		q.about = make(map[string]bool)
	}
	q.about[number] = true
}

// asked is when the first question came, and about how many orders there were
// any.
func (q *questions) asked() (first time.Time, about int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.first, len(q.about)
}
