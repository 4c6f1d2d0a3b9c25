package wxcrypto

import (
	"bytes"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Types of PEM blocks that merchants have at hand.
const (
	pemPKCS8       = "PRIVATE KEY"
	pemPKCS1       = "RSA PRIVATE KEY"
	pemEncrypted   = "ENCRYPTED PRIVATE KEY"
	pemEC          = "EC PRIVATE KEY"
	pemPublic      = "PUBLIC KEY"
	pemPublicPKCS1 = "RSA PUBLIC KEY"
	pemCertificate = "CERTIFICATE"
)

// onePEM returns the only block of data whose type is one of want. Blocks of other types beside it are skipped, as
// in a file that holds certificate and key. other explains a type that was found instead. No error repeats data: it
// may be a private key in the wrong place.
func onePEM(data []byte, want []string, other func(pemType string) string) (*pem.Block, error) {
	var found *pem.Block
	var others []string
	rest := bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows put a byte order mark in front
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		switch {
		case block == nil && found != nil:
			return found, nil
		case block == nil:
			return nil, explainPEM(data, others, other)
		case !slices.Contains(want, block.Type):
			others = append(others, block.Type)
		case found != nil:
			return nil, fmt.Errorf("holds more than one %s; one is needed", want[0])
		default:
			found = block
		}
	}
}

// explainPEM says what is wrong with data, in which no wanted block was found.
func explainPEM(data []byte, others []string, other func(pemType string) string) error {
	for _, t := range others {
		if text := other(t); text != "" {
			return errors.New(text)
		}
	}
	if len(others) > 0 {
		return fmt.Errorf("is a %.40q, which is of no use here", others[0])
	}
	text := strings.TrimSpace(string(data))
	switch {
	case text == "":
		return errors.New("is empty")
	case strings.Contains(text, `\n`):
		return errors.New(`has the two characters \n where line breaks belong; replace each by a real line break`)
	case strings.Contains(text, "-----BEGIN"):
		return errors.New("is damaged PEM: after -----BEGIN there are lines missing, joined or indented, or no -----END")
	case !isPrintable(text):
		return errors.New("is binary; PEM is needed, the text form that starts with -----BEGIN (.p12 and .der must be converted)")
	case len(text) < 256 && !strings.Contains(text, "\n"):
		return errors.New("is no PEM; give the content of the file, from -----BEGIN to -----END, not its name")
	}
	return errors.New("is no PEM; the lines -----BEGIN … and -----END … belong to it")
}

func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r == '\ufffd' || r < ' ' && r != '\n' && r != '\r' && r != '\t'
	})
}

// checkRSA refuses public keys that WeChat Pay does not use and that would make signatures worthless: below 2048
// bits they can be factored, and with an exponent of 1 anybody can sign.
func checkRSA(key *rsa.PublicKey) error {
	if key == nil || key.N == nil {
		return errors.New("is no RSA key")
	}
	if bits := key.N.BitLen(); bits < 2048 {
		return fmt.Errorf("is an RSA key of %d bits; at least 2048 are needed", bits)
	}
	if key.N.Bit(0) == 0 || key.E < 3 || key.E%2 == 0 {
		return errors.New("is no valid RSA key: modulus or exponent is impossible")
	}
	return nil
}
