package wxapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

// The values of [AbnormalRefundRequest].Type.
const (
	ToUserBankCard     = "USER_BANK_CARD"     // to a debit card of the customer
	ToMerchantBankCard = "MERCHANT_BANK_CARD" // to the merchant, who settles with the customer
)

// AbnormalRefundRequest says where the money of a refund goes that is
// [RefundAbnormal]. The last three fields belong to ToUserBankCard, and are
// required there. It prints without them, whichever way it reaches a log.
// Source: 发起异常退款.
type AbnormalRefundRequest struct {
	OutRefundNo string // required; the merchant's number of that refund
	Type        string // required; ToUserBankCard or ToMerchantBankCard
	BankType    string // such as ICBC_DEBIT; 15 banks, debit cards only
	BankAccount string // the card's number; sent encrypted
	RealName    string // the card holder's name; sent encrypted
}

// String names the refund and where it goes, without the card.
func (r AbnormalRefundRequest) String() string {
	return fmt.Sprintf("refund %.64q to %.20q", r.OutRefundNo, r.Type)
}

// GoString is String, for %#v.
func (r AbnormalRefundRequest) GoString() string { return r.String() }

// LogValue is String, for log/slog.
func (r AbnormalRefundRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalText is String, for encoding/json and its like.
func (r AbnormalRefundRequest) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

type abnormalRefundWire struct {
	OutRefundNo string `json:"out_refund_no"`
	Type        string `json:"type"`
	BankType    string `json:"bank_type,omitempty"`
	BankAccount string `json:"bank_account,omitempty"`
	RealName    string `json:"real_name,omitempty"`
}

// ApplyAbnormalRefund sends the money of an abnormal refund elsewhere
// (发起异常退款). refundID is WeChat Pay's number, [Refund].RefundID. Card and name
// are encrypted for the key that the header Wechatpay-Serial of the request
// names. Like [Client.ApplyRefund] it is sent once: after [ErrUnknown] query.
// Source: 发起异常退款, 敏感信息加解密.
func (c *Client) ApplyAbnormalRefund(ctx context.Context, refundID string, r AbnormalRefundRequest) (Refund, error) {
	if err := r.check(refundID); err != nil {
		return Refund{}, fmt.Errorf("%s: %w", OpAbnormalRefund, err)
	}
	return c.refund(ctx, request{
		op: OpAbnormalRefund, method: http.MethodPost, once: true,
		target:  refundPath + "/" + refundID + "/apply-abnormal-refund",
		prepare: func(out *request) error { return c.seal(out, r) },
	}, func(got Refund) bool { return got.RefundID == refundID && got.OutRefundNo == r.OutRefundNo })
}

func (r AbnormalRefundRequest) check(refundID string) error {
	var errs []error
	fault := func(ok bool, text string) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: %s", ErrRequest, text))
		}
	}
	fault(isWeChatID(refundID), "refund_id is not 1 to 32 letters and digits")
	fault(isOutRefundNo(r.OutRefundNo), "out_refund_no is not 1 to 64 of 0-9 A-Z a-z _ - | * @")
	switch r.Type {
	case ToUserBankCard:
		fault(r.BankType != "" && len(r.BankType) <= 32 && isCode(r.BankType), "bank_type is not like ICBC_DEBIT")
		fault(r.BankAccount != "", "bank_account is missing")
		fault(r.RealName != "", "real_name is missing")
	case ToMerchantBankCard:
		fault(r.BankType+r.BankAccount+r.RealName == "", "the merchant's card needs no bank_type, bank_account and real_name")
	default:
		fault(false, "type is not USER_BANK_CARD or MERCHANT_BANK_CARD")
	}
	return errors.Join(errs...)
}

// seal encrypts for one key and has the request name that very key, although
// another may be preferred by the time it is sent.
func (c *Client) seal(out *request, r AbnormalRefundRequest) error {
	key, ok := c.cfg.Keys.Preferred(c.cfg.Now())
	if !ok {
		return fmt.Errorf("%w: no key to encrypt with", ErrRequest) // it expired a moment ago
	}
	wire := abnormalRefundWire{OutRefundNo: r.OutRefundNo, Type: r.Type, BankType: r.BankType}
	for _, field := range []struct {
		name, plain string
		sealed      *string
	}{
		{"bank_account", r.BankAccount, &wire.BankAccount}, {"real_name", r.RealName, &wire.RealName},
	} {
		if field.plain == "" {
			continue
		}
		sealed, err := key.EncryptOAEP([]byte(field.plain))
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrRequest, field.name, err)
		}
		*field.sealed = sealed
	}
	body, err := encode(wire)
	if err != nil {
		return err
	}
	out.body, out.serial = body, key.Serial()
	return nil
}
