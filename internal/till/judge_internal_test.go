package till

import (
	"errors"
	"fmt"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore"
	"github.com/wxpaykit/wxpay/wxapi"
)

// TestJudgeRefund: only WeChat's clear word about the very application ends it.
func TestJudgeRefund(t *testing.T) {
	t.Parallel()
	refusal := func(status int, code string) error { return &wxapi.Error{Status: status, Code: code} }
	for _, c := range []struct {
		name    string
		err     error
		problem string
		verdict orderstore.RefundVerdict
	}{
		{"no answer", fmt.Errorf("refund: %w", wxapi.ErrUnknown), "NO_ANSWER", orderstore.RefundUnclear},
		{"5xx", fmt.Errorf("%w: %w", wxapi.ErrUnknown, refusal(500, "SYSTEM_ERROR")), "SYSTEM_ERROR", orderstore.RefundUnclear},
		{"a refusal in an answer not to be believed", fmt.Errorf("%w: %w", wxapi.ErrUnknown, refusal(400, "INVALID_REQUEST")), "INVALID_REQUEST", orderstore.RefundUnclear},
		{"not connected", fmt.Errorf("refund: %w", wxapi.ErrUnreachable), "UNREACHABLE", orderstore.RefundLater},
		{"no money", refusal(403, "NOT_ENOUGH"), "NOT_ENOUGH", orderstore.RefundLater},
		{"no right", refusal(403, "NO_AUTH"), "NO_AUTH", orderstore.RefundLater},
		{"wrong key", refusal(401, "SIGN_ERROR"), "SIGN_ERROR", orderstore.RefundLater},
		{"a code of tomorrow", refusal(400, "SHINY_NEW"), "SHINY_NEW", orderstore.RefundLater},
		{"the customer is gone", refusal(403, "USER_ACCOUNT_ABNORMAL"), "USER_ACCOUNT_ABNORMAL", orderstore.RefundNever},
		{"more than is left", refusal(400, "INVALID_REQUEST"), "INVALID_REQUEST", orderstore.RefundNever},
		{"too old", refusal(400, "TRADE_OVERDUE"), "TRADE_OVERDUE", orderstore.RefundNever},
		{"no such order there", refusal(404, "RESOURCE_NOT_EXISTS"), "RESOURCE_NOT_EXISTS", orderstore.RefundNever},
		{"another order's number", errNumberTaken, "REFUND_NUMBER_TAKEN", orderstore.RefundNever},
		{"another order's number, found by asking", fmt.Errorf("%w: %w", errNotAsked, errNumberTaken), "REFUND_NUMBER_TAKEN", orderstore.RefundNever},
		{"the question was refused", fmt.Errorf("%w: %w", errNotAsked, refusal(400, "INVALID_REQUEST")), "INVALID_REQUEST", orderstore.RefundLater},
		{"nobody knows", errors.New("?"), "NO_ANSWER", orderstore.RefundUnclear},
	} {
		if problem, verdict := judgeRefund(c.err); problem != c.problem || verdict != c.verdict {
			t.Errorf("%s: %s, %d; want %s, %d", c.name, problem, verdict, c.problem, c.verdict)
		}
	}
}
