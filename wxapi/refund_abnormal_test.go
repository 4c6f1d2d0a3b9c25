package wxapi_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	testCard   = "6225880137706868"
	testHolder = "张三"
)

func toCard() wxapi.AbnormalRefundRequest {
	return wxapi.AbnormalRefundRequest{
		OutRefundNo: testRefundNo, Type: wxapi.ToUserBankCard,
		BankType: "CMB_DEBIT", BankAccount: testCard, RealName: testHolder,
	}
}

// opened is what WeChat Pay reads of a sealed request, with its own key.
func opened(t *testing.T, body string) map[string]string {
	t.Helper()
	var fields map[string]string
	must(t, json.Unmarshal([]byte(body), &fields))
	key, err := wxcrypto.NewPrivateKey(wechatKey())
	must(t, err)
	for _, name := range []string{"bank_account", "real_name"} {
		if fields[name] == "" {
			continue
		}
		plain, err := key.DecryptOAEP(fields[name])
		must(t, err)
		fields[name] = string(plain)
	}
	return fields
}

func TestAbnormalRefund(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		r    wxapi.AbnormalRefundRequest
		want map[string]string
	}{
		{"to the customer", toCard(), map[string]string{"out_refund_no": testRefundNo, "type": "USER_BANK_CARD",
			"bank_type": "CMB_DEBIT", "bank_account": testCard, "real_name": testHolder}},
		{"to the merchant", wxapi.AbnormalRefundRequest{OutRefundNo: testRefundNo, Type: wxapi.ToMerchantBankCard},
			map[string]string{"out_refund_no": testRefundNo, "type": "MERCHANT_BANK_CARD"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, reply(200, refundAnswer))
			got, err := w.client(t).ApplyAbnormalRefund(t.Context(), testRefundID, tt.r)
			if err != nil || got.RefundID != testRefundID || got.Status != wxapi.RefundProcessing {
				t.Fatalf("%+v, %v", got, err)
			}
			w.checkOnce(t, appliesOnce()[1], 1)
			if sent := opened(t, w.hits[0].body); fmt.Sprint(sent) != fmt.Sprint(tt.want) {
				t.Errorf("sent %v, want %v", sent, tt.want)
			}
			if strings.Contains(w.hits[0].body, testCard) || strings.Contains(w.hits[0].body, testHolder) {
				t.Error("the card was sent in the clear")
			}
			if serial := w.hits[0].header.Get("Wechatpay-Serial"); serial != testPublicKeyID {
				t.Errorf("Wechatpay-Serial is %q", serial)
			}
		})
	}
	t.Run("another refund id", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t, reply(200, strings.Replace(refundAnswer, "8859", "8858", 1)))
		_, err := w.client(t).ApplyAbnormalRefund(t.Context(), testRefundID, toCard())
		want{is: wxapi.ErrUnknown}.check(t, err)
	})
}

// TestSealedForTheKeyNamed: the key may change between two tries. The request
// goes on naming the one it is encrypted for.
func TestSealedForTheKeyNamed(t *testing.T) {
	t.Parallel()
	w := newWeChat(t, reply(200, refundAnswer))
	keys := wxcrypto.NewKeySet(publicKey(t))
	dead := deadPort(t)
	c := w.client(t, w.withBackup, func(cfg *wxapi.Config) {
		cfg.BaseURL, cfg.Keys = dead, keys
		cfg.Sleep = func(context.Context, time.Duration) error {
			der, err := x509.MarshalPKIXPublicKey(&merchantKey().PublicKey)
			must(t, err)
			later, err := wxcrypto.ParsePublicKey("PUB_KEY_ID_9", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
			must(t, err)
			keys.Add(later)
			return nil
		}
	})
	_, err := c.ApplyAbnormalRefund(t.Context(), testRefundID, toCard())
	must(t, err)
	if preferred, ok := keys.Preferred(time.Now()); !ok || preferred.Serial() != "PUB_KEY_ID_9" {
		t.Fatal("the key has not changed")
	}
	if serial := w.hits[0].header.Get("Wechatpay-Serial"); serial != testPublicKeyID {
		t.Errorf("Wechatpay-Serial is %q", serial)
	}
	if card := opened(t, w.hits[0].body)["bank_account"]; card != testCard {
		t.Errorf("card %q", card)
	}
}

// TestSealedAfterDownload: a client without keys gets them before it encrypts.
func TestSealedAfterDownload(t *testing.T) {
	t.Parallel()
	w := newWeChat(t)
	w.certs = []step{refuse(404, "RESOURCE_NOT_EXISTS")}
	_, err := w.client(t, func(cfg *wxapi.Config) { cfg.Keys = wxcrypto.NewKeySet() }).
		ApplyAbnormalRefund(t.Context(), testRefundID, toCard())
	want{is: wxapi.ErrPublicKeyMerchant, status: 404, code: "RESOURCE_NOT_EXISTS"}.check(t, err)
	if len(w.hits) != 0 || len(w.certHits) != 1 {
		t.Errorf("%d requests and %d for certificates", len(w.hits), len(w.certHits))
	}
}

func TestMalformedAbnormalRefund(t *testing.T) {
	t.Parallel()
	w := newWeChat(t)
	c := w.client(t)
	for _, tt := range []struct {
		name, id, text string
		edit           func(*wxapi.AbnormalRefundRequest)
	}{
		{"no id", "", "refund_id is not", nil},
		{"id with a slash", "5/0", "refund_id is not", nil},
		{"no number", testRefundID, "out_refund_no is not", func(r *wxapi.AbnormalRefundRequest) { r.OutRefundNo = "" }},
		{"no type", testRefundID, "type is not", func(r *wxapi.AbnormalRefundRequest) { r.Type = "" }},
		{"another type", testRefundID, "type is not", func(r *wxapi.AbnormalRefundRequest) { r.Type = "CASH" }},
		{"no bank", testRefundID, "bank_type is not", func(r *wxapi.AbnormalRefundRequest) { r.BankType = "" }},
		{"no account", testRefundID, "bank_account is missing", func(r *wxapi.AbnormalRefundRequest) { r.BankAccount = "" }},
		{"no name", testRefundID, "real_name is missing", func(r *wxapi.AbnormalRefundRequest) { r.RealName = "" }},
		{"too long to encrypt", testRefundID, "real_name: encrypt", func(r *wxapi.AbnormalRefundRequest) { r.RealName = strings.Repeat("张", 72) }},
		{"a card nobody asked for", testRefundID, "needs no bank_type", func(r *wxapi.AbnormalRefundRequest) { r.Type = wxapi.ToMerchantBankCard }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := toCard()
			if tt.edit != nil {
				tt.edit(&r)
			}
			_, err := c.ApplyAbnormalRefund(t.Context(), tt.id, r)
			want{is: wxapi.ErrRequest}.check(t, err)
			if !strings.Contains(fmt.Sprint(err), tt.text) || strings.Contains(fmt.Sprint(err), testCard) {
				t.Errorf("err: %v, want %q", err, tt.text)
			}
		})
	}
	w.checkNone(t)
}

// TestCardIsNotPrinted: whichever way a request reaches a log.
func TestCardIsNotPrinted(t *testing.T) {
	t.Parallel()
	r := toCard()
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "r", r, "p", &r, "s", []wxapi.AbnormalRefundRequest{r})
	asJSON, err := json.Marshal(map[string]any{"r": r})
	must(t, err)
	all := fmt.Sprintf("%v %+v %#v %s %q %v %#v", r, r, r, r, r, &r, []wxapi.AbnormalRefundRequest{r}) + log.String() + string(asJSON)
	if strings.Contains(all, testCard) || strings.Contains(all, testHolder) || strings.Contains(all, "CMB") {
		t.Errorf("it shows the card: %s", all)
	}
	if !strings.Contains(all, testRefundNo) {
		t.Errorf("it does not say which refund: %s", all)
	}
}
