//go:build cgo

package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/wxpaykit/wxpay/orderstore/memory"
)

// ready answers every prepay with an answer that was signed before: what it
// costs to send a request is no part of the benchmark.
type ready struct{ signedAnswer }

func (a ready) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), ContentLength: int64(len(a.body)), Request: r,
	}, nil
}

// BenchmarkPrepay is what a prepay costs where WeChat Pay, the network and the
// store cost nothing.
func BenchmarkPrepay(b *testing.B) {
	a, key, err := newAccount()
	if err != nil {
		b.Fatal(err)
	}
	signed, err := (&weChat{key: key, at: a.SignedAt}).sign([]byte(`{"prepay_id":"wx201410272009395522657a690389285100"}`))
	if err != nil {
		b.Fatal(err)
	}
	kit, err := newShop(a, memory.New(), "http://127.0.0.1", &http.Client{Transport: ready{signed}})
	if err != nil {
		b.Fatal(err)
	}
	wire := prepayWire(1)
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
		if err != nil {
			b.Fatal(err)
		}
		rec := httptest.NewRecorder()
		if kit.ServeHTTP(rec, req); rec.Code != http.StatusOK {
			b.Fatalf("answer %d %s", rec.Code, rec.Body)
		}
	}
}

// BenchmarkPrepayRSA is what of it is RSA.
func BenchmarkPrepayRSA(b *testing.B) {
	a, key, err := newAccount()
	if err != nil {
		b.Fatal(err)
	}
	work, err := newRSAWork(a, key)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := work.once(); err != nil {
			b.Fatal(err)
		}
	}
}
