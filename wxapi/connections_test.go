package wxapi_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
)

// TestConnectionsAreKept: as many calls as a busy shop has at once, and then as
// many again, on the connections of the first. A courier sends what a client
// sends, without the signatures.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const calls, rounds = 500, 3
	var opened, arrived atomic.Int64
	all := make(chan struct{}, 1) // has a token when every call of a round is there
	leave := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if arrived.Add(1)%calls == 0 {
			all <- struct{}{}
		}
		<-leave
		_, _ = w.Write([]byte("done"))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	courier, err := wxapi.NewCourier(wxapi.Config{BaseURL: server.URL, AttemptTimeout: time.Minute, TotalTimeout: time.Minute}, nil)
	must(t, err)
	for range rounds {
		var calling sync.WaitGroup
		for range calls {
			calling.Go(func() {
				errand := wxapi.Errand{Op: wxapi.OpQuery, Path: "/pay/orderquery", ContentType: "text/xml", Body: []byte("<xml/>"), Read: func([]byte) error { return nil }}
				if err := courier.Do(t.Context(), errand); err != nil {
					t.Error(err)
				}
			})
		}
		<-all
		for range calls {
			leave <- struct{}{}
		}
		calling.Wait()
	}
	// The transport may open one for a call that finds another free meanwhile.
	if n := opened.Load(); n > calls+calls/10 {
		t.Errorf("%d connections for %d calls at once, %d times", n, calls, rounds)
	}
}
