package wxcrypto

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// KeySet holds the keys WeChat Pay may have signed with, each under its Wechatpay-Serial. Public keys and platform
// certificates lie side by side, because a merchant that switches receives both for a week. There is no fallback:
// what an unknown serial has signed is refused, even when the set has a single key.
//
// The zero value is an empty set. A KeySet is safe for concurrent use, readers never wait, and it must not be copied
// after first use.
type KeySet struct {
	adding sync.Mutex // orders writers; readers do not take it
	keys   atomic.Pointer[map[string]VerifyKey]
}

// NewKeySet returns a set of the given keys.
func NewKeySet(keys ...VerifyKey) *KeySet {
	s := new(KeySet)
	s.Add(keys...)
	return s
}

// Add puts keys into the set. A key replaces the one with the same serial; no other key leaves, so that a download
// with gaps cannot take away a key still in use. Zero keys are skipped.
func (s *KeySet) Add(keys ...VerifyKey) {
	s.adding.Lock()
	defer s.adding.Unlock()
	// The map in use is never written to, hence readers need no lock.
	next := maps.Clone(s.load())
	if next == nil {
		next = make(map[string]VerifyKey, len(keys))
	}
	for _, key := range keys {
		if key.public != nil {
			next[key.serial] = key
		}
	}
	s.keys.Store(&next)
}

// Get returns the key with this serial. The case of hex digits does not matter.
func (s *KeySet) Get(serial string) (VerifyKey, bool) {
	keys := s.load()
	key, ok := keys[serial]
	if !ok {
		key, ok = keys[normalSerial(serial)]
	}
	return key, ok
}

// Keys returns all keys, sorted by serial, expired ones included.
func (s *KeySet) Keys() []VerifyKey {
	return slices.SortedFunc(maps.Values(s.load()), func(a, b VerifyKey) int { return cmp.Compare(a.serial, b.serial) })
}

// Preferred returns the key to name in the request header Wechatpay-Serial, by which WeChat Pay chooses the key it
// signs the answer with and decrypts sensitive fields with: a public key if there is one (of several the one with the
// greatest id, which only makes the choice repeatable), otherwise the certificate valid at now that became valid last
// (wire: API v3, 平台证书更新指引). It reports false when there is neither.
func (s *KeySet) Preferred(now time.Time) (VerifyKey, bool) {
	var best VerifyKey
	for _, key := range s.load() {
		if key.validAt(now) && (best.public == nil || key.preferredTo(best)) {
			best = key
		}
	}
	return best, best.public != nil
}

// preferredTo is the order of [KeySet.Preferred].
func (k VerifyKey) preferredTo(other VerifyKey) bool {
	if k.isPublicKey() != other.isPublicKey() {
		return k.isPublicKey()
	}
	return cmp.Or(k.notBefore.Compare(other.notBefore), cmp.Compare(k.serial, other.serial)) > 0
}

// load returns the current map, which nobody may write to.
func (s *KeySet) load() map[string]VerifyKey {
	if keys := s.keys.Load(); keys != nil {
		return *keys
	}
	return nil
}
