package wxapi_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// want is the exact error of a call: every sentinel that may be in it, and the
// answer beneath.
type want struct {
	is     error // the sentinel; the others of the table below must not match, nil for none of them
	status int   // of the *Error beneath, 0 for none
	code   string
	hits   int // how many requests arrived
	also   error
}

// kinds are all the outcomes that callers branch on. ErrNotVerified is an
// ErrUnknown as well.
var kinds = []error{
	wxapi.ErrUnknown, wxapi.ErrNotVerified, wxapi.ErrUnreachable, wxapi.ErrRequest, wxapi.ErrPublicKeyMerchant,
	context.Canceled, context.DeadlineExceeded, wxcrypto.ErrSignature, wxcrypto.ErrTimestamp,
	wxcrypto.ErrHeaderMissing, wxcrypto.ErrUnknownSerial, wxcrypto.ErrDecrypt, wxcrypto.ErrKeyExpired,
	wxapi.ErrNoBill, wxapi.ErrBillNotReady, wxapi.ErrBillDamaged,
}

func (w want) check(t *testing.T, err error) {
	t.Helper()
	for _, kind := range kinds {
		expected := w.is != nil && errors.Is(w.is, kind) || w.also != nil && errors.Is(w.also, kind)
		if got := errors.Is(err, kind); got != expected {
			t.Errorf("errors.Is(err, %q) = %t, want %t; err: %v", kind, got, expected, err)
		}
	}
	var refusal *wxapi.Error
	switch {
	case !errors.As(err, &refusal):
		if w.status != 0 {
			t.Errorf("no *Error, want status %d; err: %v", w.status, err)
		}
	case refusal.Status != w.status || refusal.Code != w.code:
		t.Errorf("*Error is %d %q, want %d %q", refusal.Status, refusal.Code, w.status, w.code)
	}
	if err == nil && (w.is != nil || w.status != 0) {
		t.Error("no error")
	}
	if err != nil && w.is == nil && w.status == 0 {
		t.Errorf("err: %v, want none", err)
	}
}
