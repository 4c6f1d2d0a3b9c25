package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"
)

// What the made-up merchant is called.
const (
	mchID       = "1900000001"
	appID       = "wx8888888888888888"
	certSerial  = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	publicKeyID = "PUB_KEY_ID_0119000000012024061200000001"
	apiv3Key    = "0123456789abcdefghijklmnopqrstuv"
	price       = 100 // fen, of every order
)

// account is what client and servers must know alike.
type account struct {
	Merchant string    // PEM, the merchant's private key
	WeChat   string    // PEM, the public key of WeChat Pay
	SignedAt time.Time // what the notifications say
}

// newAccount returns the account, and the key with which WeChat Pay signs.
func newAccount() (account, *rsa.PrivateKey, error) {
	merchant, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return account{}, nil, err
	}
	weChat, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return account{}, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(merchant)
	if err != nil {
		return account{}, nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(weChat.Public())
	if err != nil {
		return account{}, nil, err
	}
	return account{
		Merchant: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		WeChat:   string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		SignedAt: time.Now().Truncate(time.Second),
	}, weChat, nil
}

// clock begins at the time of the signatures: a run may take longer than these
// are valid, and no server lives as long.
func (a account) clock() func() time.Time {
	begin := time.Now()
	return func() time.Time { return a.SignedAt.Add(time.Since(begin)) }
}

func newAEAD() (cipher.AEAD, error) {
	block, err := aes.NewCipher([]byte(apiv3Key))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

const accountFile = "account.json"

func (a account) write(dir string) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, accountFile), text, 0o600)
}

func readAccount(dir string) (a account, err error) {
	text, err := os.ReadFile(filepath.Join(dir, accountFile))
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(text, &a)
}
