package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// ofRSA is the server that does the RSA work of prepays and nothing else.
const ofRSA = "RSA alone"

// rsaWork is the RSA work of a prepay: the merchant signs the request, the answer
// is verified, and the merchant signs what the customer's client is given.
type rsaWork struct {
	merchant  *rsa.PrivateKey
	weChat    *rsa.PublicKey
	digest    [sha256.Size]byte
	signature []byte // of WeChat Pay
}

func newRSAWork(a account, weChat *rsa.PrivateKey) (*rsaWork, error) {
	merchant, err := parsePrivate(a.Merchant)
	if err != nil {
		return nil, err
	}
	w := &rsaWork{merchant: merchant, weChat: &weChat.PublicKey, digest: sha256.Sum256([]byte("a message"))}
	w.signature, err = rsa.SignPKCS1v15(nil, weChat, crypto.SHA256, w.digest[:])
	return w, err
}

func parsePrivate(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("not RSA")
	}
	return private, nil
}

// once does the work of one prepay.
func (w *rsaWork) once() error {
	if _, err := rsa.SignPKCS1v15(nil, w.merchant, crypto.SHA256, w.digest[:]); err != nil {
		return err
	}
	if err := rsa.VerifyPKCS1v15(w.weChat, crypto.SHA256, w.digest[:], w.signature); err != nil {
		return err
	}
	_, err := rsa.SignPKCS1v15(nil, w.merchant, crypto.SHA256, w.digest[:])
	return err
}

// worked is what the RSA work of some prepays took.
type worked struct {
	Prepays int64
	CPU     time.Duration
}

// ServeHTTP works on all processors for the span that the query says.
func (w *rsaWork) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	span, err := time.ParseDuration(r.URL.Query().Get("span"))
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	did, err := w.work(span)
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(out).Encode(did)
}

func (w *rsaWork) work(span time.Duration) (worked, error) {
	before, err := cpuTime()
	if err != nil {
		return worked{}, err
	}
	var prepays atomic.Int64
	errs := make([]error, runtime.GOMAXPROCS(0))
	late := time.Now().Add(span)
	var working sync.WaitGroup
	for i := range errs {
		working.Go(func() {
			for time.Now().Before(late) && errs[i] == nil {
				errs[i] = w.once()
				prepays.Add(1)
			}
		})
	}
	working.Wait()
	after, err := cpuTime()
	return worked{prepays.Load(), after - before}, errors.Join(append(errs, err)...)
}

// openRSA opens the RSA work of a stage.
func (c config) openRSA() (http.Handler, func() error, error) {
	w, err := c.rsaWork()
	return w, func() error { return nil }, err
}

func (c config) rsaWork() (*rsaWork, error) {
	a, err := readAccount(c.folder)
	if err != nil {
		return nil, err
	}
	s, err := readStage(c.folder)
	if err != nil {
		return nil, err
	}
	weChat, err := parsePrivate(s.Key)
	if err != nil {
		return nil, err
	}
	return newRSAWork(a, weChat)
}
