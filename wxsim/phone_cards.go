package wxsim

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// hostForm is what may go from a redirect_url into a header.
var hostForm = regexp.MustCompile(`^[0-9A-Za-z.\-]+(:[0-9]+)?$|^\[[0-9A-Fa-f:.]+\](:[0-9]+)?$`)

// phoneCard is one order as the customer sees it.
type phoneCard struct {
	OutTradeNo  string
	Description string
	Merchant    string
	Yuan        string
	Product     string
	Expires     string
	LastTry     string
	State       string
	StateText   string
	Return      string
	Notified    *notified
	Refunds     []phoneRefund
}

// phoneRefund is one refund as the customer sees it.
type phoneRefund struct {
	OutRefundNo string
	Yuan        string
	Status      string
	Text        string
}

// notified says how far the merchant was told.
type notified struct {
	Class string // accepted, waiting, lost
	Text  string
}

// How much the page shows.
const (
	maxWaiting = 50
	maxHistory = 10
)

// Why a code cannot be opened.
var (
	errNoCode  = errors.New("wxsim: code is unknown or replaced")
	errOldCode = errors.New("wxsim: code is too old")
)

// cards returns the orders that can be paid, newest first, and the latest of
// the others.
func (s *Sim) cards() (waiting, history []phoneCard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	var past []*order
	for _, no := range slices.Backward(s.placed) {
		o := s.orders[no]
		o.settle(now)
		switch {
		case o.payable(now) != nil:
			past = append(past, o)
		case len(waiting) < maxWaiting:
			waiting = append(waiting, s.card(o))
		}
	}
	slices.SortStableFunc(past, func(a, b *order) int { return b.ended().Compare(a.ended()) })
	told := s.toldMerchant(past[:min(len(past), maxHistory)])
	for _, o := range past[:min(len(past), maxHistory)] {
		c := s.card(o)
		c.Notified = told[o.OutTradeNo]
		history = append(history, c)
	}
	return waiting, history
}

// ended is when an order stopped being payable.
func (o *order) ended() time.Time {
	switch {
	case o.paid():
		return o.PaidAt
	case o.TradeState == stateClosed:
		return o.ClosedAt
	}
	return o.TimeExpire
}

// card draws an order. The caller holds mu.
func (s *Sim) card(o *order) phoneCard {
	c := phoneCard{
		OutTradeNo:  o.OutTradeNo,
		Description: o.Description,
		Merchant:    "模拟商户 " + o.MchID,
		Yuan:        yuan(o.Total),
		Product:     map[string]string{"jsapi": "小程序 / 公众号", "app": "App", "h5": "H5", "native": "扫码"}[o.Product],
		Expires:     o.TimeExpire.In(beijing).Format("01-02 15:04:05"),
		LastTry:     map[string]string{"cancelled": "已取消", "failed": "支付失败"}[o.LastTry],
		State:       o.TradeState,
		StateText:   stateText(o.TradeState),
	}
	if o.API == apiV2 {
		c.Product += " · API v2"
	}
	if errors.Is(o.payable(s.clock.now()), ErrExpired) {
		c.StateText = "已过支付时间"
	}
	for _, r := range o.refunds {
		c.Refunds = append(c.Refunds, phoneRefund{r.OutRefundNo, yuan(r.Refund.Refund), r.Status, refundText[r.Status]})
	}
	return c
}

// refundText is what the phone says about a refund.
var refundText = map[string]string{
	refundProcessing: "退款处理中",
	refundSuccess:    "已退款",
	refundAbnormal:   "退款异常",
	refundClosed:     "退款已关闭",
}

// yuan prints fen.
func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

// toldMerchant says how the notifications of some orders stand. The caller
// holds mu.
func (s *Sim) toldMerchant(orders []*order) map[string]*notified {
	told := map[string]*notified{}
	for _, o := range orders {
		if o.paid() {
			told[o.OutTradeNo] = &notified{"lost", "商户没有收到通知"}
		}
	}
	for _, sent := range s.sent {
		n := told[sent.OutTradeNo]
		if n == nil || n.Class == "accepted" || sent.EventType != EventTransactionSuccess {
			continue
		}
		switch {
		case sent.Accepted:
			n.Class, n.Text = "accepted", fmt.Sprintf("第%d次通知已被商户接受", sent.Attempt)
		case sent.Status == 0:
			n.Text = fmt.Sprintf("第%d次通知没有得到回应", sent.Attempt)
		default:
			n.Text = fmt.Sprintf("第%d次通知没有被接受（%d）", sent.Attempt, sent.Status)
		}
	}
	for _, d := range s.queue {
		if n := told[d.outTradeNo]; n != nil && d.eventType == EventTransactionSuccess {
			n.Class = "waiting"
			n.Text += "，下一次在 " + d.due.In(beijing).Format("15:04:05")
		}
	}
	return told
}

// scan finds the order of what a person pasted: a code_url, an h5_url or a
// prepay_id.
func (s *Sim) scan(code string) (phoneCard, error) {
	code = strings.TrimSpace(code)
	life := codeLife
	if u, err := url.Parse(code); err == nil && u.Query().Has("prepay_id") {
		code, life = u.Query().Get("prepay_id"), h5Life
	}
	return s.open(code, life)
}

// openH5 finds the order of an h5_url.
func (s *Sim) openH5(prepayID, pack string) (phoneCard, error) {
	if pack != s.keys.letters("package "+prepayID, digits, 10) {
		return phoneCard{}, errNoCode
	}
	return s.open(prepayID, h5Life)
}

// open finds the payable order of a credential that is not too old.
func (s *Sim) open(code string, life time.Duration) (phoneCard, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, exists := s.find(s.codes[code])
	if !exists {
		return phoneCard{}, errNoCode
	}
	now := s.clock.now()
	if err := o.payable(now); err != nil {
		return phoneCard{}, err
	}
	if !now.Before(o.PlacedAt.Add(life)) {
		return phoneCard{}, errOldCode
	}
	return s.card(o), nil
}

// phoneText is what the phone says about an error.
func phoneText(err error) string {
	for _, known := range [...]struct {
		err  error
		text string
	}{
		{ErrNoOrder, "没有这个订单"},
		{ErrPaid, "该订单已支付"},
		{ErrClosed, "该订单已关闭"},
		{ErrExpired, "该订单已过支付时间"},
		{errNoCode, "二维码或支付链接无效，可能已被新的取代"},
		{errOldCode, "二维码或支付链接已过期，请商户重新下单"},
		{errReturn, "redirect_url不是合法的网址"},
	} {
		if errors.Is(err, known.err) {
			return known.text
		}
	}
	return "系统繁忙，请稍后再试"
}
