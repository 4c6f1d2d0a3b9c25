package wxsim

import "net/http"

// routes is the whole surface of the simulator.
func (s *Sim) routes() http.Handler {
	mux := http.NewServeMux()
	const pay = "/v3/pay/transactions/"
	for _, product := range products {
		s.serve(mux, http.MethodPost, pay+product, "prepay", s.prepay(product))
	}
	s.serve(mux, http.MethodGet, pay+"out-trade-no/{no}", "query", s.queryByNumber)
	s.serve(mux, http.MethodGet, pay+"id/{id}", "query", s.queryByID)
	s.serve(mux, http.MethodPost, pay+"out-trade-no/{no}/close", "close", s.closeOrder)
	const refunds = "/v3/refund/domestic/refunds"
	s.serve(mux, http.MethodPost, refunds, "refund", s.applyRefund())
	s.serve(mux, http.MethodGet, refunds+"/{no}", "refund", s.queryRefund)
	s.serve(mux, http.MethodPost, refunds+"/{id}/apply-abnormal-refund", "refund", s.applyAbnormal())
	s.serve(mux, http.MethodGet, billApplyPath, "bill", s.applyBill)
	s.serve(mux, http.MethodGet, billDownloadPath, "bill", s.downloadBill)
	s.serve(mux, http.MethodGet, "/v3/certificates", "certificates", s.certificates)
	s.serve(mux, http.MethodPost, "/v3/security/echo", "echo", s.echo())
	mux.HandleFunc("/v3/", empty(http.StatusNotFound))
	s.v2Routes(mux)
	s.loginRoutes(mux)
	s.controls(mux)
	s.phone(mux)
	return mux
}

// serve mounts one API operation; other methods on its path get 405. PROBE
// (wire facts §1.8): unknown paths and wrong methods have an empty body.
func (s *Sim) serve(mux *http.ServeMux, method, path, target string, run endpoint) {
	mux.HandleFunc(method+" "+path, s.api(target, run))
	mux.HandleFunc(path, empty(http.StatusMethodNotAllowed))
}

func empty(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// guard refuses what a foreign web page makes a browser send. Programs send
// neither Origin nor Sec-Fetch-Site and pass.
func guard(next http.HandlerFunc) http.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := protection.Check(r); err != nil {
			http.Error(w, "cross-origin request refused", http.StatusForbidden)
			return
		}
		next(w, r)
	}
}
