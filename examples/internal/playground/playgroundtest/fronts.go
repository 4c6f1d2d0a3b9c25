package playgroundtest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// front is what an app may have in front of its router.
type front struct {
	name  string
	wrap  func(http.Handler) http.Handler
	check func(*app)
}

var fronts = []front{
	{"a gzip of answers", gzipped, (*app).trade},
	{"a log of answers", counted, (*app).trade},
	{"a recovery", recovering, (*app).trade},
	{"a time limit", func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "") }, (*app).tradeWithoutStreams},
	{"a limit of bodies", func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 1<<20) }, (*app).trade},
	{"a method override", overriding, (*app).trade},
	{"a reader of forms", asForm, (*app).trade},
	{"a body log that puts back", restoring, (*app).trade},
	{"a body log that does not", draining, (*app).loseNotifications},
	{"all of them", func(h http.Handler) http.Handler {
		return gzipped(counted(recovering(overriding(asForm(restoring(http.MaxBytesHandler(h, 1<<20)))))))
	}, (*app).trade},
}

// trade buys, looks, pays, refunds: answers arrive whole, and notifications
// unaltered, or their signature would not hold.
func (a *app) trade() { a.tradeAt(endpoints) }

// tradeWithoutStreams is trade behind what keeps answers back until they are
// whole: a page is told to poll.
func (a *app) tradeWithoutStreams() {
	a.tradeAt(slices.DeleteFunc(slices.Clone(endpoints), func(e endpoint) bool { return e.kind == "text/event-stream" }))
	if r := a.send("GET", a.fill("/orders/{paid}/live"), customer, ""); r.status != 501 || !r.envelope(501) {
		a.Errorf("a stream that cannot get through: %d %s", r.status, r.body)
	}
}

func (a *app) tradeAt(endpoints []endpoint) {
	a.prepare()
	for _, e := range endpoints {
		e.path, e.body, e.status = a.fill(e.path), a.fill(e.body), cmp.Or(e.status, http.StatusOK)
		a.succeeds(e)
	}
	if r := a.send("GET", "/nothing", customer, ""); r.status != 404 || !r.envelope(404) {
		a.Errorf("GET /nothing: %d %s", r.status, r.body)
	}
}

// loseNotifications: what WeChat signed is gone, so it is refused, and the log
// says where to look.
func (a *app) loseNotifications() {
	req, err := a.sim.SignNotification(map[string]any{}, wxsim.EventTransactionSuccess, a.server.URL+a.at+"/notify")
	if err != nil {
		a.Fatal(err)
	}
	if r := a.do(req); r.status != 401 || !strings.Contains(r.body, `"FAIL"`) {
		a.Errorf("a drained notification: %d %s", r.status, r.body)
	}
	if log := a.logs.String(); !strings.Contains(log, "ending=drained") || !strings.Contains(log, "did a middleware read it before the kit?") {
		a.Errorf("the log does not name the reason: %s", log)
	}
}

// gzipped compresses answers for those who take it, and can be flushed.
func gzipped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		g := &gzipWriter{ResponseWriter: w}
		defer g.close()
		next.ServeHTTP(g, r)
	})
}

type gzipWriter struct {
	http.ResponseWriter
	z *gzip.Writer // nil: there is no body, or it is compressed already
}

func (g *gzipWriter) WriteHeader(status int) {
	if status != http.StatusNoContent && g.Header().Get("Content-Encoding") == "" {
		g.Header().Del("Content-Length") // of the body as it was
		g.Header().Set("Content-Encoding", "gzip")
		g.z = gzip.NewWriter(g.ResponseWriter)
	}
	g.ResponseWriter.WriteHeader(status)
}

func (g *gzipWriter) Write(p []byte) (int, error) {
	if g.z == nil {
		return g.ResponseWriter.Write(p)
	}
	return g.z.Write(p)
}

func (g *gzipWriter) Flush() {
	if g.z != nil {
		_ = g.z.Flush()
	}
	_ = http.NewResponseController(g.ResponseWriter).Flush()
}

func (g *gzipWriter) close() {
	if g.z != nil {
		_ = g.z.Close()
	}
}

// counted wraps the writer as logs do: status and bytes pass through it.
func counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&countingWriter{ResponseWriter: w}, r) })
}

type countingWriter struct {
	http.ResponseWriter
	status, bytes int
}

func (c *countingWriter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.bytes += n
	return n, err
}

func (c *countingWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// overriding takes the method from a form field or a header, as for old
// browsers.
func overriding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if method := r.PostFormValue("_method") + r.Header.Get("X-HTTP-Method-Override"); method != "" {
				r.Method = method
			}
		}
		next.ServeHTTP(w, r)
	})
}

// asForm parses every body that says it is a form; JSON is none.
func asForm(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseMultipartForm(1 << 20)
		next.ServeHTTP(w, r)
	})
}

func restoring(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func draining(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		next.ServeHTTP(w, r)
	})
}
