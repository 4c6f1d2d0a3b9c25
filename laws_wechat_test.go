package wxpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
	"github.com/wxpaykit/wxpay/wxsim"
)

// anyRefund draws a refund that WeChat has.
func (h *history) anyRefund(rt *rapid.T, fits func(wxsim.Refund) bool) (wxsim.Refund, bool) {
	some := slices.DeleteFunc(h.sim.Refunds(), func(r wxsim.Refund) bool { return !fits(r) })
	if len(some) == 0 {
		return wxsim.Refund{}, false
	}
	return some[len(some)-1-rapid.IntRange(0, len(some)-1).Draw(rt, "refund, from the last")], true
}

func underWay(r wxsim.Refund) bool { return r.Status == "PROCESSING" }
func ended(r wxsim.Refund) bool    { return r.Status != "PROCESSING" }
func abnormal(r wxsim.Refund) bool { return r.Status == "ABNORMAL" }

// decide is what WeChat makes of a refund: of one under way, or of the next.
func (h *history) decide(rt *rapid.T) func() {
	r, ok := h.anyRefund(rt, underWay)
	if !ok || rapid.Bool().Draw(rt, "of the next one") {
		r.OutRefundNo = ""
	}
	end := rapid.SampledFrom([]string{"SUCCESS", "ABNORMAL", "CLOSED", "PROCESSING"}).Draw(rt, "becomes")
	return func() {
		rt.Logf("%v refund %q becomes %s: %v", h.now(), r.OutRefundNo, end, h.sim.DecideRefund(r.OutRefundNo, end))
	}
}

// balance empties the merchant's account, or fills it.
func (h *history) balance(rt *rapid.T) func() {
	enough := rapid.Bool().Draw(rt, "enough")
	return func() { h.sim.SetBalance(enough) }
}

// payer closes a customer's account, or opens it again.
func (h *history) payer(rt *rapid.T) func() {
	no := h.anyPaid(rt)
	if no == "" {
		return nil
	}
	gone := rapid.Bool().Draw(rt, "gone")
	return func() { _ = h.sim.SetPayerGone(no, gone) }
}

// lateRefund is an application that WeChat has not got yet when it is asked,
// whose repetition it refuses, and which then arrives all the same: the kit's
// worker looks every 20 seconds.
func (h *history) lateRefund(rt *rapid.T) func() {
	no := h.anyPaid(rt)
	if no == "" {
		return nil
	}
	at, _ := h.sim.Order(no)
	amount := rapid.SampledFrom([]int64{1, 2, 30, at.Total}).Draw(rt, "amount")
	late := rapid.SampledFrom([]time.Duration{30 * time.Second, 50 * time.Second}).Draw(rt, "late")
	gone := rapid.SampledFrom([]time.Duration{0, 10 * time.Second, 25 * time.Second, 25 * time.Second}).Draw(rt, "gone")
	return func() {
		h.sim.Fault(wxsim.Fault{Target: "refund", Fault: "late", Count: 1, Delay: late})
		h.giveMoneyBack(rt, calm, admin, refundWish{no: no, amount: orderstore.Fen(amount)}, orderstore.Fen(at.Total))
		_ = h.sim.SetPayerGone(no, true)
		time.Sleep(gone)
		_ = h.sim.SetPayerGone(no, false)
		time.Sleep(late - gone + time.Second)
	}
}

// byHand is a refund that the merchant makes on WeChat's own platform, with
// nobody to be notified.
func (h *history) byHand(rt *rapid.T) func() {
	no := h.anyPaid(rt)
	if no == "" {
		return nil
	}
	at, _ := h.sim.Order(no)
	amount := rapid.SampledFrom([]int64{1, 30, at.Total / 2, at.Total}).Draw(rt, "amount")
	return func() {
		h.mu.Lock()
		h.refunds.byHand++
		number := fmt.Sprint(handMade, h.refunds.byHand)
		h.mu.Unlock()
		body, _ := json.Marshal(map[string]any{
			"out_trade_no": no, "out_refund_no": number,
			"amount": map[string]any{"refund": amount, "total": at.Total, "currency": "CNY"},
		})
		_, err := h.platform.ApplyRefund(context.Background(), body)
		rt.Logf("%v by hand %s of %s, %d: %v", h.now(), number, no, amount, err)
	}
}

// handMade begins the number of a refund that was made by hand.
const handMade = "by-hand-"

// sendOn is the merchant who sends the money of an abnormal refund elsewhere.
func (h *history) sendOn(rt *rapid.T) func() {
	r, ok := h.anyRefund(rt, abnormal)
	if !ok {
		return nil
	}
	return func() {
		_, err := h.platform.ApplyAbnormalRefund(context.Background(), r.RefundID, wxapi.AbnormalRefundRequest{OutRefundNo: r.OutRefundNo, Type: wxapi.ToMerchantBankCard})
		rt.Logf("%v %s is sent on: %v", h.now(), r.OutRefundNo, err)
	}
}

// newPlatform is the merchant's way to WeChat beside the kit.
func (h *history) newPlatform(client *http.Client) (*wxapi.Client, error) {
	acct := h.sim.Account()
	key, err := wxcrypto.ParsePrivateKey([]byte(acct.PrivateKeyPEM))
	if err != nil {
		return nil, err
	}
	weChat, err := wxcrypto.ParsePublicKey(acct.PublicKeyID, []byte(acct.PublicKeyPEM))
	if err != nil {
		return nil, err
	}
	keys := wxcrypto.NewKeySet()
	keys.Add(weChat)
	return wxapi.New(wxapi.Config{
		Signer: wxcrypto.Signer{MchID: acct.MchID, SerialNo: acct.SerialNo, Key: key}, Keys: keys, APIv3Key: h.apiv3, BaseURL: simURL, HTTPClient: client,
	})
}

// refundMessage is a notification of a refund that has ended, changed or not.
func (h *history) refundMessage(r wxsim.Refund, change ...func(*wxsim.Notification)) (mail, bool) {
	req, err := h.sim.RefundNotification(r.OutRefundNo, change...)
	if err != nil { // sent on meanwhile
		return mail{}, false
	}
	body, _ := io.ReadAll(req.Body)
	return mail{req.Header, body, r.OutTradeNo}, true
}

// notifyRefund sends genuine news of a refund, now and then many at once.
func (h *history) notifyRefund(rt *rapid.T) func() {
	r, ok := h.anyRefund(rt, ended)
	if !ok {
		return nil
	}
	times := rapid.SampledFrom([]int{1, 1, 3}).Draw(rt, "times")
	return func() {
		m, ok := h.refundMessage(r)
		if !ok {
			return
		}
		h.mu.Lock()
		h.kept = append(h.kept, m)
		refund, _ := h.last[r.OutTradeNo].Refund(r.OutRefundNo)
		h.mu.Unlock()
		refusals := h.refusals.Load()
		var all sync.WaitGroup
		for range times {
			all.Go(func() {
				if status := h.deliver(rt, "news of refund "+r.OutRefundNo, m); status != 204 && refund.Amount > 0 && h.refusals.Load() == refusals {
					h.violate("genuine news of refund %s is answered %d", r.OutRefundNo, status)
				}
			})
		}
		all.Wait()
	}
}

// refundLies change one thing of genuine news of a refund.
var refundLies = map[string]func(*wxsim.Notification){
	"amount":      func(n *wxsim.Notification) { n.Plaintext["amount"].(map[string]any)["refund"] = int64(1_000_000) },
	"total":       func(n *wxsim.Notification) { n.Plaintext["amount"].(map[string]any)["total"] = int64(1) },
	"merchant":    func(n *wxsim.Notification) { n.Plaintext["mchid"] = "1900000001" },
	"transaction": func(n *wxsim.Notification) { n.Plaintext["transaction_id"] = "4200009999202601019999999999" },
	"status":      func(n *wxsim.Notification) { delete(n.Plaintext, "refund_status") },
	"order":       func(n *wxsim.Notification) { n.Plaintext["out_trade_no"] = "order-nobody-has" },
	"body":        lies["body"],
	"timestamp":   lies["timestamp"],
	"serial":      lies["serial"],
}

func (h *history) notifyRefundLie(rt *rapid.T) func() {
	r, ok := h.anyRefund(rt, ended)
	if !ok {
		return nil
	}
	lie := rapid.SampledFrom(slices.Sorted(maps.Keys(refundLies))).Draw(rt, "lie")
	if lie == "amount" && strings.HasPrefix(r.OutRefundNo, handMade) {
		return nil // nobody here knows it better
	}
	return func() {
		m, ok := h.refundMessage(r, refundLies[lie])
		if !ok {
			return
		}
		if status := h.deliver(rt, "a lie about the refund's "+lie, m); status < 400 {
			h.violate("law 2: news of a refund with a wrong %s is answered %d", lie, status)
		}
	}
}
