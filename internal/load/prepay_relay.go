package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// ofRelay is the server that does the RSA work of prepays and passes them on.
const ofRelay = "RSA and net/http alone"

// relay is what RSA and package net/http cost a shop for a prepay: a request comes
// in, the RSA work is done, one goes out to WeChat Pay, and both are answered. It
// checks nothing and looks at nothing. No shop that uses this package stays below.
type relay struct {
	client *http.Client
	weChat string
	work   *rsaWork
}

// openRelay opens a relay to the WeChat Pay of a shop.
func (c config) openRelay() (http.Handler, func() error, error) {
	weChat, err := os.ReadFile(filepath.Join(c.folder, weChatFile))
	if err != nil {
		return nil, nil, err
	}
	work, err := c.rsaWork()
	if err != nil {
		return nil, nil, err
	}
	r := &relay{&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: few}}, "http://" + string(weChat), work}
	return metered(newMeter(), r), func() error { return nil }, nil
}

func (l *relay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := l.work.once(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	in, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, l.weChat+"/v3/pay/transactions/jsapi", strings.NewReader(string(in)))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	resp, err := l.client.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = w.Write(out)
}
