package wxapi_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

const (
	billTarget   = "/v3/bill/tradebill?bill_date=2026-01-01&bill_type=ALL&tar_type=GZIP"
	billToken    = "/v3/billdownload/file?token=S3cr3t%2FToken-x_y%3D"
	billDownload = "bill_download"
)

// billDay is in the day of goodBill, in Beijing and nowhere else.
var billDay = time.Date(2025, 12, 31, 17, 0, 0, 0, time.UTC)

// announced is the answer that says where a bill is.
func announced(t *testing.T, url, hash string) step {
	t.Helper()
	body, err := json.Marshal(map[string]string{"hash_type": "SHA1", "hash_value": hash, "download_url": url})
	must(t, err)
	return reply(200, string(body))
}

func sha1Of(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func packed(t *testing.T, s string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, s)
	must(t, errors.Join(err, w.Close()))
	return out.String()
}

// file is a download, not signed as they are.
func file(content string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-gzip")
		io.WriteString(w, content)
	}
}

// half announces more than it sends, and breaks the connection.
func half(content string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		io.WriteString(w, content[:len(content)/2])
	}
}

// announces is a WeChat Pay whose bill has this SHA1, and gives these files.
func announces(t *testing.T, hash string, files ...step) *wechat {
	t.Helper()
	w := newWeChat(t)
	w.steps = append([]step{announced(t, w.main.URL+billToken, hash)}, files...)
	return w
}

// take downloads into a folder of its own and sees that nothing is left there.
func (f *wechat) take(t *testing.T, o wxapi.BillOptions, edit ...func(*wxapi.Config)) (wxapi.Bill, error) {
	t.Helper()
	o.Dir = t.TempDir()
	bill, err := f.client(t, edit...).TradeBill(t.Context(), billDay, o)
	var all wxapi.Bill
	if err == nil {
		all = contents(t, bill)
		must(t, bill.Close())
	}
	left, dirErr := os.ReadDir(o.Dir)
	must(t, dirErr)
	if len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
	if err != nil && (bill != nil || leaks(err) || strings.Contains(err.Error(), "oken") || strings.Contains(err.Error(), "/v3/")) {
		t.Errorf("%v, and the error tells too much: %v", bill, err)
	}
	return all, err
}

func contents(t *testing.T, bill *wxapi.BillFile) wxapi.Bill {
	t.Helper()
	all := wxapi.Bill{Summary: bill.Summary}
	for row, err := range bill.Rows() {
		must(t, err)
		all.Rows = append(all.Rows, row)
	}
	return all
}

// checkBill sees which requests arrived: "bill" or "bill_download", in order.
func (f *wechat) checkBill(t *testing.T, ops ...string) {
	t.Helper()
	if len(f.hits) != len(ops) || len(f.calls) != len(ops) {
		t.Fatalf("%d requests arrived, %d were observed, want %v", len(f.hits), len(f.calls), ops)
	}
	for i, op := range ops {
		uri, accept := billTarget, "application/json"
		if op == billDownload {
			uri, accept = billToken, "*/*"
		}
		h, call := f.hits[i], f.calls[i]
		if h.method != "GET" || h.uri != uri || h.body != "" || h.header.Get("Accept") != accept || h.header.Get("User-Agent") == "" {
			t.Errorf("request %d is %s %s %q, want %s", i+1, h.method, h.uri, h.body, uri)
		}
		// The Date of a file may be minutes old when its last byte is there.
		if call.Op != op || call.Host != h.host || call.Backup != h.backup || op == billDownload && call.Skew != 0 {
			t.Errorf("request %d was observed as %+v, want %s", i+1, call, op)
		}
	}
}

func TestTradeBill(t *testing.T) {
	t.Parallel()
	good := goodBill()
	gz := packed(t, good)
	for _, tt := range []struct {
		name  string
		hash  string
		files []step
		ops   []string
	}{
		{"packed", sha1Of(good), []step{file(gz)}, []string{"bill", billDownload}},
		{"not packed", sha1Of(good), []step{file(good)}, []string{"bill", billDownload}},
		{"packed in two parts", sha1Of(good), []step{file(packed(t, good[:500]) + packed(t, good[500:]))}, []string{"bill", billDownload}},
		{"unpacked on the way", sha1Of(good), []step{func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, gz)
		}}, []string{"bill", billDownload}},
		{"packed twice, unpacked once on the way", sha1Of(good), []step{func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, packed(t, gz))
		}}, []string{"bill", billDownload}},
		{"hash in capitals", strings.ToUpper(sha1Of(good)), []step{file(gz)}, []string{"bill", billDownload}},
		{"after a reset", sha1Of(good), []step{reset, file(gz)}, []string{"bill", billDownload, billDownload}},
		{"after half a file", sha1Of(good), []step{half(gz), half(good), file(gz)}, []string{"bill", billDownload, billDownload, billDownload}},
		{"after 500", sha1Of(good), []step{refuse(500, "SYSTEM_ERROR"), file(gz)}, []string{"bill", billDownload, billDownload}},
		{"after 429", sha1Of(good), []step{refuse(429, "FREQUENCY_LIMITED"), file(gz)}, []string{"bill", billDownload, billDownload}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := announces(t, tt.hash, tt.files...)
			got, err := w.take(t, wxapi.BillOptions{})
			if err != nil || !reflect.DeepEqual(got, wxapi.Bill{Rows: goodRows, Summary: goodSummary}) {
				t.Errorf("%+v, %v", got, err)
			}
			w.checkBill(t, tt.ops...)
		})
	}
	t.Run("no rows", func(t *testing.T) {
		t.Parallel()
		empty := billOf(billHeader, billSumHeader, "`0,`0.00,`0.00,`0.00,`0.00,`0.00,`0.00")
		got, err := announces(t, sha1Of(empty), file(packed(t, empty))).take(t, wxapi.BillOptions{})
		if err != nil || got.Rows != nil || got.Summary != (wxapi.BillSummary{Fee: "0.00"}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestTradeBillNotThere(t *testing.T) {
	t.Parallel()
	at := "http://127.0.0.1:1" + billToken
	hash := sha1Of("x")
	for _, tt := range []struct {
		name  string
		steps []step
		want  want
	}{
		{"nothing that day", []step{refuse(400, "NO_STATEMENT_EXIST")}, want{is: wxapi.ErrNoBill, status: 400, code: "NO_STATEMENT_EXIST"}},
		{"nothing that day, old spelling", []step{refuse(400, "NOSTATEMENTEXIST")}, want{is: wxapi.ErrNoBill, status: 400, code: "NOSTATEMENTEXIST"}},
		{"nothing, says a server in trouble", again(refuse(500, "NO_STATEMENT_EXIST")), want{is: wxapi.ErrUnknown, status: 500, code: "NO_STATEMENT_EXIST"}},
		{"not made yet", []step{refuse(400, "STATEMENT_CREATING")}, want{is: wxapi.ErrBillNotReady, status: 400, code: "STATEMENT_CREATING"}},
		{"no such day", []step{refuse(400, "INVALID_REQUEST")}, want{status: 400, code: "INVALID_REQUEST"}},
		{"not allowed", []step{refuse(403, "NO_AUTH")}, want{status: 403, code: "NO_AUTH"}},
		{"slow down", again(refuse(429, "FREQUENCY_LIMITED")), want{status: 429, code: "FREQUENCY_LIMITED"}},
		{"resets", again(reset), want{is: wxapi.ErrUnknown}},
		{"not signed", again(unsigned(200, "{}")), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrHeaderMissing}},
		{"a stranger's signature", again(forged), want{is: wxapi.ErrNotVerified, also: wxcrypto.ErrSignature}},
		{"not JSON", []step{reply(200, "<html>")}, want{is: wxapi.ErrUnknown}},
		{"null", []step{reply(200, "null")}, want{is: wxapi.ErrBillDamaged}},
		{"no hash", []step{announced(t, at, "")}, want{is: wxapi.ErrBillDamaged}},
		{"half a hash", []step{announced(t, at, hash[:38])}, want{is: wxapi.ErrBillDamaged}},
		{"no hex", []step{announced(t, at, hash[:39]+"g")}, want{is: wxapi.ErrBillDamaged}},
		{"another hash", []step{reply(200, `{"hash_type":"MD5","hash_value":"`+hash+`","download_url":"`+at+`"}`)}, want{is: wxapi.ErrBillDamaged}},
		{"nowhere", []step{announced(t, "", hash)}, want{is: wxapi.ErrBillDamaged}},
		{"at a foreign host", []step{announced(t, "https://example.com"+billToken, hash)}, want{is: wxapi.ErrBillDamaged}},
		{"at the real one, for a client of a simulator", []step{announced(t, "https://api.mch.weixin.qq.com"+billToken, hash)}, want{is: wxapi.ErrBillDamaged}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t, tt.steps...)
			_, err := w.take(t, wxapi.BillOptions{})
			tt.want.check(t, err)
			ops := make([]string, len(tt.steps))
			for i := range ops {
				ops[i] = "bill"
			}
			w.checkBill(t, ops...)
		})
	}
}

func TestTradeBillDamaged(t *testing.T) {
	t.Parallel()
	good := goodBill()
	gz := packed(t, good)
	damaged := want{is: wxapi.ErrBillDamaged}
	edited := func(was, is string) string { return strings.ReplaceAll(good, was, is) }
	for _, tt := range []struct {
		name, content string // as it is, or packed
		file          step
		o             wxapi.BillOptions
		text          string
	}{
		{"truncated gzip", good, file(gz[:len(gz)/2]), wxapi.BillOptions{}, "unexpected EOF"},
		{"gzip without its end", good, file(gz[:len(gz)-1]), wxapi.BillOptions{}, "unexpected EOF"},
		{"gzip without its header", good, file(gz[:5]), wxapi.BillOptions{}, "unexpected EOF"},
		{"gzip and more", good, file(gz + "x"), wxapi.BillOptions{}, "unpack"},
		{"a bit of the gzip changed", good, file(gz[:len(gz)-8] + "0000" + gz[len(gz)-4:]), wxapi.BillOptions{}, "checksum"},
		{"nothing", good, file(""), wxapi.BillOptions{}, "its SHA1 is da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"204", good, unsigned(204, ""), wxapi.BillOptions{}, "its SHA1"},
		{"a refusal with 200", good, file(`{"code":"SYSTEM_ERROR"}`), wxapi.BillOptions{}, "its SHA1"},
		{"another hash", good + " ", file(gz), wxapi.BillOptions{}, "its SHA1 is " + sha1Of(good) + ", and of the file as it came " + sha1Of(gz) + "; announced is " + sha1Of(good+" ")},
		{"the hash of the packed one", gz, file(gz), wxapi.BillOptions{}, "its SHA1"},
		{"the hash without the BOM", good[3:], file(gz), wxapi.BillOptions{}, "its SHA1"},
		{"one fen changed", edited("`0.60,", "`0.61,"), file(gz), wxapi.BillOptions{}, "its SHA1"},
		{"damaged, and another hash", good, file(packed(t, good[:900])), wxapi.BillOptions{}, "its SHA1"},
		{"no summary", good[:strings.Index(good, "总交易")], nil, wxapi.BillOptions{}, "without a summary"},
		{"no column", edited("交易状态", "状态"), nil, wxapi.BillOptions{}, "交易状态 is missing"},
		{"counts differ", edited("`3.0", "`4.0"), nil, wxapi.BillOptions{}, "the summary counts 4 rows, there are 3"},
		{"another merchant's", edited("`1230000109", "`1230000110"), nil, wxapi.BillOptions{}, "line 2: another merchant's"},
		{"another day's", edited("2026-01-01", "2026-01-02"), nil, wxapi.BillOptions{}, "none of its payments is of 2026-01-01"},

		{"unpacked too long", good, file(gz), wxapi.BillOptions{MaxSize: int64(len(good)) - 1}, "longer than allowed"},
		{"a bomb", good, file(packed(t, strings.Repeat("\n", 20<<20))), wxapi.BillOptions{MaxSize: 1 << 20}, "longer than allowed"},
		{"a bomb of one line", good, file(packed(t, strings.Repeat("a", 20<<20))), wxapi.BillOptions{MaxSize: 1 << 20}, "longer than allowed"},
		{"packed too long", good, file(gz), wxapi.BillOptions{MaxDownload: int64(len(gz)) - 1}, "the download is longer than"},
		{"not packed, too long", good, file(good), wxapi.BillOptions{MaxSize: int64(len(good)) - 1}, "the download is longer than"},
		{"without an end", good, endless, wxapi.BillOptions{MaxDownload: 1 << 20}, "the download is longer than 1048576"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.file == nil {
				tt.file = file(packed(t, tt.content))
			}
			w := announces(t, sha1Of(tt.content), tt.file)
			got, err := w.take(t, tt.o)
			damaged.check(t, err)
			if got.Rows != nil || !strings.Contains(fmt.Sprint(err), tt.text) {
				t.Errorf("%+v, %v, want %q", got, err, tt.text)
			}
			w.checkBill(t, "bill", billDownload)
			if last := w.calls[1]; !errors.Is(last.Err, wxapi.ErrBillDamaged) || last.Status/100 != 2 {
				t.Errorf("observed %+v", last)
			}
		})
	}
	t.Run("exactly as long as allowed", func(t *testing.T) {
		t.Parallel()
		_, err := announces(t, sha1Of(good), file(gz)).take(t, wxapi.BillOptions{MaxDownload: int64(len(gz)), MaxSize: int64(len(good))})
		must(t, err)
		_, err = announces(t, sha1Of(good), file(gz)).take(t, wxapi.BillOptions{MaxDownload: math.MaxInt64, MaxSize: math.MaxInt64})
		must(t, err)
	})
}

// endless starts like a packed file.
func endless(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, "\x1f\x8b")
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

// TestTradeBillRefused is what the download may say.
func TestTradeBillRefused(t *testing.T) {
	t.Parallel()
	good := goodBill()
	const bill, get = "bill", billDownload
	for _, tt := range []struct {
		name  string
		steps []step // nil announces
		want  want
		ops   []string
	}{
		{"expired once", []step{nil, refuse(400, "INVALID_REQUEST"), nil, file(good)}, want{}, []string{bill, get, bill, get}},
		{"expired twice", []step{nil, refuse(400, "INVALID_REQUEST"), nil, refuse(400, "INVALID_REQUEST")},
			want{status: 400, code: "INVALID_REQUEST"}, []string{bill, get, bill, get}},
		{"expired after a reset", []step{nil, reset, refuse(400, "INVALID_REQUEST"), nil, file(good)}, want{}, []string{bill, get, get, bill, get}},
		{"expired, then no more bill", []step{nil, refuse(400, "INVALID_REQUEST"), refuse(400, "STATEMENT_CREATING")},
			want{is: wxapi.ErrBillNotReady, status: 400, code: "STATEMENT_CREATING"}, []string{bill, get, bill}},
		{"another merchant's token", []step{nil, refuse(403, "NO_AUTH")}, want{status: 403, code: "NO_AUTH"}, []string{bill, get}},
		{"not found", []step{nil, unsigned(404, "")}, want{status: 404}, []string{bill, get}},
		{"redirect is not followed", []step{nil, redirect}, want{is: wxapi.ErrUnknown, status: 302}, []string{bill, get}},
		{"in trouble", []step{nil, unsigned(502, "<html>"), unsigned(503, ""), refuse(500, "X")},
			want{is: wxapi.ErrUnknown, status: 500, code: "X"}, []string{bill, get, get, get}},
		{"half a file each time", []step{nil, half(good), half(good), half(good)}, want{is: wxapi.ErrUnknown}, []string{bill, get, get, get}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t)
			for _, s := range tt.steps {
				if s == nil {
					s = announced(t, w.main.URL+billToken, sha1Of(good))
				}
				w.steps = append(w.steps, s)
			}
			_, err := w.take(t, wxapi.BillOptions{})
			tt.want.check(t, err)
			w.checkBill(t, tt.ops...)
		})
	}
}

// TestTradeBillBackup: a host that is down is left like in any call, as long as
// it is the Config's.
func TestTradeBillBackup(t *testing.T) {
	t.Parallel()
	good := goodBill()
	for _, tt := range []struct {
		name  string
		steps []step
		at    func(*wechat) string
		want  want
		back  []bool // whether each request that arrived was at the backup
	}{
		{"announced at the main host, which resets", []step{reset, file(good)}, func(w *wechat) string { return w.main.URL }, want{}, []bool{false, false, true}},
		{"announced at the backup", []step{file(good)}, func(w *wechat) string { return w.back.URL }, want{}, []bool{false, true}},
		{"announced at the backup, which resets", []step{reset, file(good)}, func(w *wechat) string { return w.back.URL }, want{}, []bool{false, true, true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWeChat(t)
			w.steps = append([]step{announced(t, tt.at(w)+billToken, sha1Of(good))}, tt.steps...)
			_, err := w.take(t, wxapi.BillOptions{}, w.withBackup)
			tt.want.check(t, err)
			for i, h := range w.hits {
				if h.backup != tt.back[i] || w.calls[i].Backup != tt.back[i] {
					t.Errorf("request %d at the backup: %t, observed %t", i+1, h.backup, w.calls[i].Backup)
				}
			}
			if len(w.hits) != len(tt.back) {
				t.Errorf("%d requests, want %d", len(w.hits), len(tt.back))
			}
		})
	}
	t.Run("announced elsewhere, which resets", func(t *testing.T) {
		t.Parallel()
		w := newWeChat(t)
		third := httptest.NewServer(w.handler(false))
		t.Cleanup(third.Close)
		w.steps = []step{announced(t, third.URL+billToken, sha1Of(good)), reset, file(good)}
		_, err := w.take(t, wxapi.BillOptions{}, w.withBackup)
		must(t, err)
		w.checkBill(t, "bill", billDownload, billDownload)
		for _, h := range w.hits[1:] {
			if "http://"+h.host != third.URL {
				t.Errorf("a token of %s went to %s", third.URL, h.host)
			}
		}
	})
}

func TestTradeBillDay(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("", 9*60*60)
	for _, tt := range []struct {
		day  time.Time
		date string
	}{
		{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "2026-01-01"},
		{time.Date(2026, 1, 1, 15, 59, 59, 0, time.UTC), "2026-01-01"},
		{time.Date(2026, 1, 1, 16, 0, 0, 0, time.UTC), "2026-01-02"},
		{time.Date(2026, 1, 1, 0, 0, 0, 0, tokyo), "2025-12-31"},
		{time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 8*60*60)), "2026-01-01"},
	} {
		w := newWeChat(t, refuse(400, "NO_STATEMENT_EXIST"))
		_, err := w.client(t).TradeBill(t.Context(), tt.day, wxapi.BillOptions{Dir: t.TempDir()})
		want{is: wxapi.ErrNoBill, status: 400, code: "NO_STATEMENT_EXIST"}.check(t, err)
		if expected := strings.Replace(billTarget, "2026-01-01", tt.date, 1); w.hits[0].uri != expected {
			t.Errorf("%s: %s, want %s", tt.day, w.hits[0].uri, expected)
		}
	}
	w := newWeChat(t)
	c := w.client(t)
	for name, o := range map[string]wxapi.BillOptions{"download": {MaxDownload: -1}, "size": {MaxSize: -1}, "timeout": {Timeout: -1}} {
		t.Run("negative "+name, func(t *testing.T) {
			_, err := c.TradeBill(t.Context(), billDay, o)
			want{is: wxapi.ErrRequest}.check(t, err)
		})
	}
	for _, day := range []time.Time{{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, err := c.TradeBill(t.Context(), day, wxapi.BillOptions{})
		want{is: wxapi.ErrRequest}.check(t, err)
	}
	w.checkNone(t)
	_, err := c.TradeBill(t.Context(), billDay, wxapi.BillOptions{Dir: "/no/such/folder"})
	want{is: errAny}.check(t, err)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("err: %v", err)
	}
	w.checkNone(t)
}

func TestBillFile(t *testing.T) {
	t.Parallel()
	good := goodBill()
	dir := t.TempDir()
	bill, err := announces(t, sha1Of(good), file(packed(t, good))).client(t).
		TradeBill(t.Context(), billDay, wxapi.BillOptions{Dir: dir})
	must(t, err)
	entries, err := os.ReadDir(dir)
	must(t, err)
	info, err := entries[0].Info()
	must(t, err)
	if len(entries) != 1 || info.Mode().Perm() != 0o600 {
		t.Errorf("%d files, mode %v", len(entries), info.Mode())
	}
	var raw strings.Builder
	if n, err := bill.WriteTo(&raw); err != nil || n != int64(len(good)) || raw.String() != good {
		t.Errorf("%d bytes, %v", n, err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := contents(t, bill); !reflect.DeepEqual(got.Rows, goodRows) {
				t.Errorf("%+v", got)
			}
		})
	}
	all.Wait()
	for row := range bill.Rows() { // leaving early harms nobody
		if row.OutTradeNo != testNo {
			t.Errorf("%+v", row)
		}
		break
	}
	must(t, bill.Close())
	n := 0
	for row, err := range bill.Rows() {
		if n++; !errors.Is(err, os.ErrClosed) || errors.Is(err, wxapi.ErrBillDamaged) || row != (wxapi.BillRow{}) {
			t.Errorf("%+v, %v", row, err)
		}
	}
	if _, err := bill.WriteTo(io.Discard); n != 1 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("%d errors, %v", n, err)
	}
}
