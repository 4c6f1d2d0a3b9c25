package wxsim

// SetBalance says whether the merchant's account has money to refund from. With
// none, every new application is 403 NOT_ENOUGH; refunds that were accepted go
// on.
func (s *Sim) SetBalance(enough bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.penniless = !enough
}

// SetRefundCallback sets the refund callback of the merchant platform: refunds
// without a notify_url of their own are notified there, those made by API v3
// too, and always in the XML of API v2 (wire facts §6.8). Empty, as in the
// beginning: nobody is told.
func (s *Sim) SetRefundCallback(notifyURL string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refundCallback = notifyURL
}

// SetPayerGone says that the account of the customer who paid an order is
// closed or blocked: new applications for it are 403 USER_ACCOUNT_ABNORMAL.
// Errors: ErrNoOrder, ErrNotPaid.
func (s *Sim) SetPayerGone(outTradeNo string, gone bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, exists := s.find(outTradeNo)
	switch {
	case !exists:
		return ErrNoOrder
	case !o.paid():
		return ErrNotPaid
	}
	o.payerGone = gone
	return nil
}
