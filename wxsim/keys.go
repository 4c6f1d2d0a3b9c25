package wxsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"sync"
)

// keyring holds every secret of one seed. It is immutable once built, apart
// from the platform certificates that are made when they are first needed.
type keyring struct {
	seed      int64
	account   Account          // all but the platform certificate
	merchant  *rsa.PrivateKey  // signs requests; the simulator needs its public half
	publicKey *rsa.PrivateKey  // its public half is the merchant's "WeChat Pay public key"
	mu        sync.Mutex       // guards platform
	platform  []platformSigner // in order of rotation
}

// keyrings shares finished key rings between simulators of one process: RSA
// keys cost about half a second and every test would pay it. Entries are only
// ever added, and are functions of the seed, so sharing is invisible.
var keyrings sync.Map // int64 seed -> func() (*keyring, error), built once

// keyringOf returns the key ring of a seed, building it at most once. Seed 0
// draws a fresh one that nobody will ask for again.
func keyringOf(seed int64) (*keyring, error) {
	if seed == 0 {
		var raw [8]byte
		_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
		return newKeyring(int64(binary.BigEndian.Uint64(raw[:]) | 1))
	}
	build, _ := keyrings.LoadOrStore(seed, sync.OnceValues(func() (*keyring, error) { return newKeyring(seed) }))
	ring, ok := build.(func() (*keyring, error))
	if !ok {
		return nil, errors.New("keyring cache holds a foreign value")
	}
	return ring()
}

// newKeyring makes the merchant's and WeChat's keys side by side.
func newKeyring(seed int64) (*keyring, error) {
	k := &keyring{seed: seed}
	var (
		wg   sync.WaitGroup
		errs [3]error
	)
	wg.Go(func() { k.merchant, errs[0] = rsaKey(stream(seed, "merchant key")) })
	wg.Go(func() { k.publicKey, errs[1] = rsaKey(stream(seed, "public key")) })
	wg.Go(func() { _, errs[2] = k.platformSigner(0) })
	wg.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("keys of seed %d: %w", seed, err)
	}
	var err error
	k.account, err = k.describe()
	return k, err
}

// stream is an endless random sequence that depends on nothing but its seed
// and label, so that no draw disturbs another.
func stream(seed int64, label string) *mathrand.ChaCha8 {
	return mathrand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "wxsim\n%d\n%s", seed, label)))
}

// Letters that the simulator's numbers are drawn from.
const (
	digits   = "0123456789"
	upperHex = digits + "ABCDEF"
	lowerHex = digits + "abcdef"
	alnum    = digits + "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// letters draws n letters for a label of this seed; the same label always
// gives the same ones.
func (k *keyring) letters(label, alphabet string, n int) string {
	r := mathrand.New(stream(k.seed, label))
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(out)
}

// rsaKey makes a 2048 bit key from a repeatable source. crypto/rsa ignores the
// reader it is given since Go 1.26, hence the own search for primes; the keys
// protect nothing but play money.
func rsaKey(source *mathrand.ChaCha8) (*rsa.PrivateKey, error) {
	const exponent = 65537
	one, e := big.NewInt(1), big.NewInt(exponent)
	p, q := prime(source, e), prime(source, e)
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: exponent},
		Primes:    []*big.Int{p, q},
	}
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key.D = new(big.Int).ModInverse(e, phi)
	if key.D == nil {
		return nil, errors.New("rsa key: exponent has no inverse")
	}
	key.Precompute()
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("rsa key: %w", err)
	}
	return key, nil
}

// prime finds a 1024 bit prime p with its two top bits set, so that the
// product of two has 2048 bits, and with p-1 coprime to the prime e.
func prime(source *mathrand.ChaCha8, e *big.Int) *big.Int {
	var raw [128]byte
	p, rest := new(big.Int), new(big.Int)
	for {
		_, _ = source.Read(raw[:]) // ChaCha8 never fails
		raw[0] |= 0xC0
		raw[len(raw)-1] |= 1
		p.SetBytes(raw[:])
		if rest.Mod(p, e).Int64() != 1 && p.ProbablyPrime(20) {
			return p
		}
	}
}
