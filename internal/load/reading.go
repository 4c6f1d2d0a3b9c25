package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxapi"
	"github.com/wxpaykit/wxpay/wxcrypto"
)

// reading is what it takes to read a notification, from the received bytes to
// the payment in Go, in one goroutine.
type reading struct {
	kit, floor time.Duration // medians
	ratio      float64
	allocs     float64
}

// read measures how a notification is read, beside the cryptography alone. The
// two take turns, notification by notification, so that a busy machine slows
// both down alike.
func read(a account, pool []message) (reading, error) {
	kit, err := newReader(a)
	if err != nil {
		return reading{}, err
	}
	floor, err := newFloor(a, pool[:some])
	if err != nil {
		return reading{}, err
	}
	var kits, floors []time.Duration
	for range readings {
		for i, m := range pool[:some] {
			begin := time.Now()
			if err := kit.read(m); err != nil {
				return reading{}, err
			}
			between := time.Now()
			if err := floor.read(i); err != nil {
				return reading{}, err
			}
			kits, floors = append(kits, between.Sub(begin)), append(floors, time.Since(between))
		}
	}
	allocs := testing.AllocsPerRun(some, func() { err = kit.read(pool[0]) })
	k, f := median(kits), median(floors)
	return reading{k, f, float64(k) / float64(f), allocs}, err
}

// How many notifications are read in turn, and how often.
const (
	some     = 64
	readings = 200
)

// reader reads as the kit does.
type reader struct {
	keys *wxcrypto.KeySet
	key  wxcrypto.APIv3Key
	now  time.Time
}

func newReader(a account) (*reader, error) {
	public, err := wxcrypto.ParsePublicKey(publicKeyID, []byte(a.WeChat))
	if err != nil {
		return nil, err
	}
	key, err := wxcrypto.ParseAPIv3Key(apiv3Key)
	return &reader{wxcrypto.NewKeySet(public), key, a.SignedAt}, err
}

func (r *reader) read(m message) error {
	if _, err := r.keys.Verify(m.header, m.body, r.now); err != nil {
		return err
	}
	n, err := wxapi.ParseNotification(m.body)
	if err != nil {
		return err
	}
	plain, err := r.key.Open(*n.Resource)
	if err != nil {
		return err
	}
	t, err := wxapi.ParseTransaction(plain)
	if err == nil && t.OutTradeNo != m.number {
		err = fmt.Errorf("read %s of %s", t.OutTradeNo, m.number)
	}
	return err
}

// floor is the cryptography that no handler can leave out, of messages that
// were taken apart before: hash and base64 of the signature, RSA, base64 of the
// ciphertext, and its decryption.
type floor struct {
	public *rsa.PublicKey
	aead   interface {
		Open(dst, nonce, ciphertext, data []byte) ([]byte, error)
	}
	parts            []part
	signature, plain []byte // used again
}

type part struct{ signed, signature, ciphertext, nonce, data []byte }

func newFloor(a account, pool []message) (*floor, error) {
	block, _ := pem.Decode([]byte(a.WeChat))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("not RSA")
	}
	f := &floor{public: key, signature: make([]byte, 1024), plain: make([]byte, 4096)}
	if f.aead, err = newAEAD(); err != nil {
		return nil, err
	}
	for _, m := range pool {
		var e envelope
		if err := json.Unmarshal(m.body, &e); err != nil {
			return nil, err
		}
		f.parts = append(f.parts, part{
			signed:     []byte(m.header.Get("Wechatpay-Timestamp") + "\n" + m.header.Get("Wechatpay-Nonce") + "\n" + string(m.body) + "\n"),
			signature:  []byte(m.header.Get("Wechatpay-Signature")),
			ciphertext: []byte(e.Resource.Ciphertext), nonce: []byte(e.Resource.Nonce), data: []byte(e.Resource.AssociatedData),
		})
	}
	return f, nil
}

func (f *floor) read(i int) error {
	p := &f.parts[i]
	n, err := base64.StdEncoding.Decode(f.signature, p.signature)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(p.signed)
	if err := rsa.VerifyPKCS1v15(f.public, crypto.SHA256, digest[:], f.signature[:n]); err != nil {
		return err
	}
	if n, err = base64.StdEncoding.Decode(f.plain, p.ciphertext); err != nil {
		return err
	}
	_, err = f.aead.Open(f.plain[:0], p.nonce, f.plain[:n], p.data)
	return err
}
