package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"
)

// stage is what the processes of a shop are given beside the account.
type stage struct {
	Key     string        // PEM, the private key of WeChat Pay
	Latency time.Duration // of the answer to a prepay
	Orders  int           // that nobody has paid
}

const stageFile = "stage.json"

// writeStage writes a stage into dir, with an account and a key of its own.
func writeStage(dir string, s stage) error {
	a, key, err := newAccount()
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	s.Key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, stageFile), text, 0o600); err != nil {
		return err
	}
	return a.write(dir)
}

func readStage(dir string) (s stage, err error) {
	text, err := os.ReadFile(filepath.Join(dir, stageFile))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}
