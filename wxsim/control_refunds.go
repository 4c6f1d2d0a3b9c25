package wxsim

import (
	"context"
	"errors"
	"net/http"
)

// refundControls mounts the controls of refunds.
func (s *Sim) refundControls(mux *http.ServeMux) {
	mux.HandleFunc("GET /_sim/refunds", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"refunds": s.Refunds()})
	})
	mux.HandleFunc("POST /_sim/refunds/decide", guard(s.controlDecide))
	mux.HandleFunc("POST /_sim/refunds/balance", guard(s.controlBalance))
	mux.HandleFunc("POST /_sim/refunds/callback", guard(s.controlCallback))
	mux.HandleFunc("POST /_sim/refunds/payer", guard(s.controlPayer))
}

// controlDecide answers with the refund, or with what was decided about those
// to come.
func (s *Sim) controlDecide(w http.ResponseWriter, r *http.Request) {
	var body struct {
		OutRefundNo string `json:"out_refund_no"`
		Status      string `json:"status"`
	}
	if !readControl(w, r, &body) {
		return
	}
	// What has come to its end is notified even if the caller hangs up.
	err := s.decideRefund(context.WithoutCancel(r.Context()), body.OutRefundNo, body.Status)
	switch {
	case errors.Is(err, ErrNoRefund):
		refuse(w, http.StatusNotFound, err)
	case errors.Is(err, ErrRefundEnded):
		refuse(w, http.StatusConflict, err)
	case err != nil:
		refuse(w, http.StatusBadRequest, err)
	case body.OutRefundNo == "":
		s.mu.Lock()
		next := append([]string{}, s.fates...)
		s.mu.Unlock()
		reply(w, http.StatusOK, map[string]any{"next": next})
	default:
		refund, _ := s.Refund(body.OutRefundNo)
		reply(w, http.StatusOK, refund)
	}
}

func (s *Sim) controlBalance(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Enough *bool `json:"enough"`
	}
	if !readControl(w, r, &body) {
		return
	}
	if body.Enough == nil {
		refuse(w, http.StatusBadRequest, errors.New("enough is missing"))
		return
	}
	s.SetBalance(*body.Enough)
	reply(w, http.StatusOK, map[string]bool{"enough": *body.Enough})
}

// controlCallback takes an empty url for none.
func (s *Sim) controlCallback(w http.ResponseWriter, r *http.Request) {
	var body struct {
		URL *string `json:"url"`
	}
	if !readControl(w, r, &body) {
		return
	}
	if body.URL == nil || *body.URL != "" && checkNotifyURL(*body.URL) != "" {
		refuse(w, http.StatusBadRequest, errors.New("url is missing, or WeChat Pay would not call it"))
		return
	}
	s.SetRefundCallback(*body.URL)
	reply(w, http.StatusOK, map[string]string{"url": *body.URL})
}

func (s *Sim) controlPayer(w http.ResponseWriter, r *http.Request) {
	var body struct {
		OutTradeNo string `json:"out_trade_no"`
		Gone       *bool  `json:"gone"`
	}
	if !readControl(w, r, &body) {
		return
	}
	if body.OutTradeNo == "" || body.Gone == nil {
		refuse(w, http.StatusBadRequest, errors.New("out_trade_no or gone is missing"))
		return
	}
	if err := s.SetPayerGone(body.OutTradeNo, *body.Gone); err != nil {
		refuse(w, customerStatus(err), err)
		return
	}
	o, _ := s.Order(body.OutTradeNo)
	reply(w, http.StatusOK, o)
}
