package wxpay_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/wxsim"
)

const (
	traceID     = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceParent = "00-" + traceID + "-00f067aa0ba902b7-01"
)

// traceParents are the seeds of FuzzTraceParent with the trace id of each.
// Source of the first: W3C Trace Context, the example of section 3.2.
var traceParents = map[string]string{
	traceParent:                                               traceID,
	"00-" + traceID + "-00f067aa0ba902b7-00":                  traceID,
	"cc-" + traceID + "-00f067aa0ba902b7-01":                  traceID, // a later version
	"cc-" + traceID + "-00f067aa0ba902b7-01-what":             traceID,
	"cc-" + traceID + "-00f067aa0ba902b7-01what":              "",
	"00-" + traceID + "-00f067aa0ba902b7-01-what":             "",
	"ff-" + traceID + "-00f067aa0ba902b7-01":                  "",
	"00-" + traceID + "-0000000000000000-01":                  "",
	"00-00000000000000000000000000000000-00f067aa0ba902b7-01": "",
	strings.ToUpper(traceParent):                              "",
	traceParent[:54]:                                          "",
	"00_" + traceID + "-00f067aa0ba902b7-01":                  "",
	"00-" + traceID + "\n00f067aa0ba902b7-01":                 "",
	"": "",
}

// FuzzTraceParent: what is taken for a trace id is one, and stood in the header.
func FuzzTraceParent(f *testing.F) {
	if len(traceParents) < 10 {
		f.Fatalf("%d seeds only", len(traceParents))
	}
	for header := range traceParents {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := wxpay.ParseTraceParent(header)
		if want, seeded := traceParents[header]; seeded && got != want {
			t.Fatalf("%q: %q, want %q", header, got, want)
		}
		if got != "" && (len(got) != 32 || strings.Trim(got, "0123456789abcdef") != "" || strings.Trim(got, "0") == "" || header[3:35] != got) {
			t.Errorf("%q: %q is no trace id", header, got)
		}
	})
}

// TestTrace: the trace of a request is on its log lines, in the hooks and with
// the app's functions; that of another request is not.
func TestTrace(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := make(map[string][]string)
	see := func(who string, ctx context.Context) {
		mu.Lock()
		defer mu.Unlock()
		seen[who] = append(seen[who], wxpay.TraceID(ctx))
	}
	in := openInbox(t, wxsim.Config{}, func(o *wxpay.Options) {
		quote := o.Quote
		o.Quote = func(ctx context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
			see("quote", ctx)
			return quote(ctx, q)
		}
		o.Hooks.Request = func(ctx context.Context, _ wxpay.RequestInfo) { see("request", ctx) }
		o.Hooks.Notification = func(ctx context.Context, _ wxpay.NotificationInfo) { see("notification", ctx) }
		o.Hooks.Settled = func(ctx context.Context, _ wxpay.SettledInfo) { see("settled", ctx) }
	})
	for _, header := range []string{traceParent, "not a trace", ""} {
		in.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"), "Traceparent", header)
	}
	number := in.paidAtWeChat()
	req := in.note(number, func(*wxsim.Notification) {})
	req.Header.Set("Traceparent", traceParent)
	in.deliver(req, nil)

	lines := in.logLines("request answered")
	if len(lines) < 3 || lines[0]["trace_id"] != traceID || lines[1]["trace_id"] != nil || lines[2]["trace_id"] != nil {
		t.Errorf("lines %v, want the id on the first", lines)
	}
	for _, message := range []string{"notification answered", "order settled"} {
		if lines := in.logLines(message); len(lines) != 1 || lines[0]["trace_id"] != traceID {
			t.Errorf("%s: %v, want one line with the id", message, lines)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, who := range []string{"quote", "request", "notification", "settled"} {
		if got := seen[who]; len(got) == 0 || got[0] != traceID || len(got) > 1 && got[1] != "" {
			t.Errorf("%s saw %q, want the id first and then none", who, got)
		}
	}
}

// TestTraceOfOrder: what is done with a paid order later, perhaps by another
// process, belongs to the request that placed it.
func TestTraceOfOrder(t *testing.T) {
	t.Parallel()
	paid := make(chan string, 1)
	s := open(t, func(o *wxpay.Options) {
		o.OnPaid = func(ctx context.Context, _ wxpay.Order) error {
			paid <- wxpay.TraceID(ctx)
			return nil
		}
	})
	for header, want := range map[string]string{traceParent: traceID, "": ""} {
		no := s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month"), "Traceparent", header).order(t).OutTradeNo
		s.pay(no)
		if got := <-paid; got != want {
			t.Errorf("traceparent %q: OnPaid saw %q, want %q", header, got, want)
		}
		var line string
		eventually(t, "the line of the hand-over", func() bool {
			_, after, ok := strings.Cut(s.logs.String(), `"msg":"paid order handed over","order_no":"`+no)
			line, _, _ = strings.Cut(after, "\n")
			return ok
		})
		if got := strings.Contains(line, `"trace_id":"`+traceID); got != (want != "") {
			t.Errorf("traceparent %q: the line of the hand-over ends with %s", header, line)
		}
	}
}

// TestTraceTwice: two headers are none.
func TestTraceTwice(t *testing.T) {
	t.Parallel()
	s := open(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/pay/orders/none", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Traceparent"] = []string{traceParent, traceParent}
	s.deliver(req, nil)
	if strings.Contains(s.logs.String(), "trace_id") {
		t.Error("an id is in the log")
	}
}
