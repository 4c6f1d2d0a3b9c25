package wxpay

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// envelope is the one shape of every answer to a front end.
type envelope struct {
	Code int    `json:"code"`
	Data any    `json:"data"`
	Msg  string `json:"msg"`
}

// answer is a success about an order: data for the envelope, or a picture or
// a way to go instead.
type answer struct {
	order string // its number, for the log
	data  any
	text
	picture  *picture
	location string // where the browser goes instead
	written  bool   // the answer is out already
}

type picture struct {
	contentType string
	bytes       []byte
}

// done is a success about that order, with data for the envelope.
func done(order string, data any, msg text) answer {
	return answer{order: order, data: data, text: msg}
}

var success = text{"成功", "OK"}

// endpoint wraps a function that answers with an envelope: it catches panics,
// writes the answer, one log line and one hook.
func (k *Kit) endpoint(name string, serve func(http.ResponseWriter, *http.Request) (answer, error)) http.Handler {
	return k.answering(name, serve, tellProgram)
}

func tellProgram(w http.ResponseWriter, r *http.Request, f *failure) {
	reply(w, f.status, envelope{f.code, f.data, f.in(r)})
}

// answering is endpoint with a way of its own to tell of a failure.
func (k *Kit) answering(name string, serve func(http.ResponseWriter, *http.Request) (answer, error), tell func(http.ResponseWriter, *http.Request, *failure)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := k.opt.Now()
		r = traced(r)
		a, err := recovered(serve)(w, r)
		info := RequestInfo{Endpoint: name, Outcome: "ok", Status: http.StatusOK}
		if err != nil {
			f := failed(err)
			info.Outcome, info.Status = f.name, f.status
			tell(w, r, f)
		} else if a.written {
			// nothing is left to say
		} else if a.picture != nil {
			write(w, http.StatusOK, a.picture.contentType, a.picture.bytes)
		} else if a.location != "" {
			info.Status = http.StatusFound
			leave(w, a.location)
		} else {
			reply(w, http.StatusOK, envelope{http.StatusOK, a.data, a.in(r)})
		}
		info.Took = k.opt.Now().Sub(start)
		k.opt.Hooks.Request(r.Context(), info)
		k.logRequest(r.Context(), info, a.order, err)
	})
}

// recovered turns a panic, in the app's functions or in ours, into an error.
func recovered(serve func(http.ResponseWriter, *http.Request) (answer, error)) func(http.ResponseWriter, *http.Request) (answer, error) {
	return func(w http.ResponseWriter, r *http.Request) (a answer, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return serve(w, r)
	}
}

// logRequest writes the one line of a request. Info: it went well. Warn: the
// client was wrong. Error: someone must act.
func (k *Kit) logRequest(ctx context.Context, info RequestInfo, order string, err error) {
	level := slog.LevelInfo
	switch {
	case info.Status >= 500:
		level = slog.LevelError
	case info.Status >= 400:
		level = slog.LevelWarn
	}
	attrs := []slog.Attr{
		slog.String("endpoint", info.Endpoint), slog.String("ending", info.Outcome),
		slog.Int("status", info.Status), slog.Duration("took", info.Took),
	}
	if order != "" {
		attrs = append(attrs, slog.String("order_no", order))
	}
	if err != nil {
		attrs = withRemedy(append(attrs, slog.Any("cause", err)), requestRemedies, info.Outcome)
	}
	k.opt.Logger.LogAttrs(ctx, level, "request answered", attrs...)
}

// reply writes JSON. URLs in it stay readable: & is not escaped.
func reply(w http.ResponseWriter, status int, body any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil { // cannot happen: plain structs
		status = http.StatusInternalServerError
	}
	write(w, status, "application/json; charset=utf-8", b.Bytes())
}

// write sends what no cache keeps and no browser takes for anything else.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// leave sends the browser on. What it had in its address bar, which may be a
// code, is told to nobody.
func leave(w http.ResponseWriter, location string) {
	h := w.Header()
	h.Set("Location", location)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusFound)
}

// in picks the language: English for those who ask for it before Chinese.
func (t text) in(r *http.Request) string {
	zh, en := 0.0, 0.0
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		name, params, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		switch name, _, _ = strings.Cut(strings.TrimSpace(name), "-"); name {
		case "zh":
			zh = max(zh, q)
		case "en":
			en = max(en, q)
		}
	}
	if en > zh {
		return t.en
	}
	return t.zh
}

func (k *Kit) notFound() http.Handler {
	return k.endpoint("other", func(http.ResponseWriter, *http.Request) (answer, error) {
		return answer{}, problemNoEndpoint.because(nil)
	})
}

func (k *Kit) wrongMethod(right string) http.Handler {
	return k.endpoint("other", func(w http.ResponseWriter, _ *http.Request) (answer, error) {
		w.Header().Set("Allow", right)
		return answer{}, problemMethod.because(nil)
	})
}

// beijing is t in the zone of every time that WeChat or a person reads. China has
// kept it without summer time since 1991.
func beijing(t time.Time) time.Time { return t.In(cst) }

var cst = time.FixedZone("CST", 8*60*60)
