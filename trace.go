package wxpay

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
)

// TraceID returns the trace id of the request that ctx belongs to, in 32 hex
// digits, or "". It is that of a valid W3C traceparent header. Hooks and the
// functions in [Options] that get a context of a request can ask for it, and
// every log line of that request has it as trace_id. [Options].OnPaid and
// OnRefunded, which [Kit.Run] calls later, perhaps in another process, find the
// one of the request that placed the order.
func TraceID(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

type traceKey struct{}

// traced puts the trace id of a request into its context. Two headers are none:
// somebody else could believe the other one.
func traced(r *http.Request) *http.Request {
	values := r.Header.Values("Traceparent")
	if len(values) != 1 {
		return r
	}
	id := parseTraceParent(values[0])
	if id == "" {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), traceKey{}, id))
}

// tracedBy is ctx for work on an order that nobody asks for now: it belongs to
// the request that placed the order.
func tracedBy(ctx context.Context, o Order) context.Context {
	if o.TraceID == "" {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, o.TraceID)
}

// parseTraceParent returns the trace id of a traceparent, or "" if it is none:
// version, trace id, parent id and flags in lower-case hex, the ids not zero.
// Later versions may have more behind another hyphen.
// Source: W3C Trace Context, section 3.2.2.
func parseTraceParent(s string) string {
	const length = 2 + 1 + 32 + 1 + 16 + 1 + 2
	if len(s) < length || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return ""
	}
	version, trace, parent, flags := s[:2], s[3:35], s[36:52], s[53:length]
	switch {
	case !isLowerHex(version + trace + parent + flags), version == "ff":
		return ""
	case len(s) > length && (version == "00" || s[length] != '-'):
		return ""
	case strings.Trim(trace, "0") == "", strings.Trim(parent, "0") == "":
		return ""
	}
	return trace
}

func isLowerHex(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

// traceLog is a log handler that adds the trace id to the lines of a request.
type traceLog struct{ slog.Handler }

// Handle adds trace_id when ctx has one.
func (h traceLog) Handle(ctx context.Context, r slog.Record) error {
	if id := TraceID(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs keeps the ids coming.
func (h traceLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traceLog{h.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the ids coming, in the group.
func (h traceLog) WithGroup(name string) slog.Handler { return traceLog{h.Handler.WithGroup(name)} }
