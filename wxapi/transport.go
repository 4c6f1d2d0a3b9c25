package wxapi

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// withoutRedirects copies the client, so that the caller's stays as it is.
func withoutRedirects(given *http.Client) *http.Client {
	client := http.Client{Transport: nil}
	if given != nil {
		client = *given
	} else {
		client.Transport = newTransport()
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// idleConns bounds how many connections that nobody uses are kept for a minute.
// It is more than there are calls at once in a shop that signs for each of them,
// so that none is closed that the next call would have to open again: handshakes
// cost more than payments.
const idleConns = 1024

// newTransport dials in less than a try's time, so that a dead host is told
// from a slow answer, and keeps more connections to a host than the two of the
// standard library.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        idleConns,
		MaxIdleConnsPerHost: idleConns,
		IdleConnTimeout:     60 * time.Second,
		TLSHandshakeTimeout: 3 * time.Second,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// withCertificate copies the client, and presents the certificate where a
// server asks for one.
func withCertificate(given *http.Client, certificate tls.Certificate) *http.Client {
	client := *given
	var transport *http.Transport
	switch t := client.Transport.(type) {
	case nil:
		transport = newTransport()
	case *http.Transport:
		transport = t.Clone()
	default:
		return &client
	}
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if c := transport.TLSClientConfig; len(c.Certificates) == 0 && c.GetClientCertificate == nil {
		c.Certificates = []tls.Certificate{certificate}
	}
	client.Transport = transport
	return &client
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
