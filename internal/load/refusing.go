package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay/wxcrypto"
)

// refusing is what it takes to refuse one kind of forgery by its header.
type refusing struct {
	kind   string
	took   time.Duration
	allocs float64
}

// How many forgeries of a kind are refused between two looks at the clock, which
// would cost as much as they do, and how often.
const (
	volley  = 256
	volleys = 41
)

// refuse measures every kind that has a header to refuse. The figure is the
// median of the volleys.
func refuse(p platform, shots []shot, now time.Time) (all []refusing, err error) {
	key, err := wxcrypto.ParseCertificate([]byte(p.Certificate))
	if err != nil {
		return nil, err
	}
	keys := wxcrypto.NewKeySet(key)
	for i, kind := range forgeries {
		if !kind.header {
			continue
		}
		refused := true
		once := func() {
			_, err := keys.CheckHeader(shots[i].header, now)
			refused = refused && err != nil
		}
		var took []time.Duration
		for range volleys {
			begin := time.Now()
			for range volley {
				once()
			}
			took = append(took, time.Since(begin)/volley)
		}
		all = append(all, refusing{kind.name, median(took), testing.AllocsPerRun(volley, once)})
		if !refused {
			return nil, fmt.Errorf("%s: not refused by its header", kind.name)
		}
	}
	return all, nil
}
