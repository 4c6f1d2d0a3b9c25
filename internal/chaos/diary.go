package main

import (
	"slices"
	"sync"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// diary is what customers were told, and what they asked for.
type diary struct {
	mu     sync.Mutex
	told   map[string]*audit.Told
	keys   map[[2]string]*audit.KeyUse
	wishes map[string]*audit.Wish
	broken []audit.Violation
}

func newDiary() *diary {
	return &diary{told: map[string]*audit.Told{}, keys: map[[2]string]*audit.KeyUse{}, wishes: map[string]*audit.Wish{}}
}

// given notes that a user was given an order, for a key if there was one.
func (d *diary) given(user, key, no string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.of(no)
	if key == "" {
		return
	}
	use := d.keys[[2]string{user, key}]
	if use == nil {
		use = &audit.KeyUse{User: user, Key: key}
		d.keys[[2]string{user, key}] = use
	}
	if !slices.Contains(use.Numbers, no) {
		use.Numbers = append(use.Numbers, no)
	}
}

// heard notes a pay_status that a customer was told. before is what had been
// told when the question was asked: answers may overtake each other.
func (d *diary) heard(no string, status int, before audit.Told) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.of(no)
	switch status {
	case 1:
		t.Paid = true
	case 2:
		t.Closed = true
	}
	t.TakenBack = t.TakenBack || before.Paid && status != 1
}

// so is what has been told of an order by now.
func (d *diary) so(no string) audit.Told {
	d.mu.Lock()
	defer d.mu.Unlock()
	return *d.of(no)
}

func (d *diary) of(no string) *audit.Told {
	if d.told[no] == nil {
		d.told[no] = &audit.Told{OutTradeNo: no}
	}
	return d.told[no]
}

// wish notes a refund that is about to be asked for.
func (d *diary) wish(w audit.Wish) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wishes[w.OutRefundNo] == nil {
		d.wishes[w.OutRefundNo] = &w
	}
}

// answered notes a clear answer to a wish.
func (d *diary) answered(outRefundNo string, accepted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.wishes[outRefundNo]
	w.Accepted, w.Refused = w.Accepted || accepted, w.Refused || !accepted
}

// unclear are the wishes that nobody has answered.
func (d *diary) unclear() (open []audit.Wish) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.wishes {
		if !w.Accepted && !w.Refused {
			open = append(open, *w)
		}
	}
	return open
}

// complain notes what went wrong before anybody's eyes.
func (d *diary) complain(v audit.Violation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = append(d.broken, v)
}

// fill writes the diary into the ledgers.
func (d *diary) fill(l *audit.Ledgers) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.told {
		l.Told = append(l.Told, *t)
	}
	for _, k := range d.keys {
		l.Keys = append(l.Keys, *k)
	}
	for _, w := range d.wishes {
		l.Wishes = append(l.Wishes, *w)
	}
}

func (d *diary) complaints() []audit.Violation {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.broken)
}
