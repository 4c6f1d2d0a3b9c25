package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync/atomic"
	"time"
)

// fleet are the replicas on one file. The first open of them sell.
type fleet struct {
	shops    []*shop
	open     atomic.Int32
	kills    int
	restarts int
}

// newFleet prepares the shops and starts none.
func newFleet(dir, binary string, conf config, env []string, onEnded func(error)) (*fleet, error) {
	f, dice := &fleet{}, conf.dice(diceOfPorts)
	db := filepath.Join(dir, "shop.db")
	for i := range conf.replicas {
		addr, err := freeAddr(dice)
		if err != nil {
			return nil, err
		}
		f.shops = append(f.shops, &shop{
			addr: addr, binary: binary, onEnded: onEnded,
			log:  filepath.Join(dir, fmt.Sprintf("shop%d.log", i+1)),
			args: []string{"-addr", addr, "-db", db, "-order-ttl", conf.orderTTL.String()},
			env:  append(env[:len(env):len(env)], "WXPAY_NOTIFY_URL=http://"+addr+"/pay/notify"),
		})
	}
	return f, nil
}

// freeAddr is a port below those that the system gives to clients: a shop that
// was killed finds it free again.
func freeAddr(dice *rand.Rand) (string, error) {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 15000+dice.IntN(15000))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no free port")
}

// grow opens shops until n sell.
func (f *fleet) grow(n int) error {
	for i := int(f.open.Load()); i < min(n, len(f.shops)); i++ {
		if err := f.shops[i].start(); err != nil {
			return err
		}
		f.open.Add(1)
	}
	return nil
}

// any is the address of a random shop; it may be dead at this moment.
func (f *fleet) any(dice *rand.Rand) string {
	return "http://" + f.shops[dice.IntN(int(f.open.Load()))].addr
}

// rage kills random shops at random moments and restarts them at once, until
// ctx ends; after a while it opens the rest of the fleet.
func (f *fleet) rage(ctx context.Context, dice *rand.Rand, pause, alone time.Duration) error {
	grow := time.Now().Add(alone)
	for {
		wait := pause/4 + time.Duration(dice.Int64N(int64(pause)*3/2))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if time.Now().After(grow) {
			if err := f.grow(len(f.shops)); err != nil {
				return err
			}
		}
		s := f.shops[dice.IntN(int(f.open.Load()))]
		s.kill()
		f.kills++
		if err := s.start(); err != nil {
			return err
		}
		f.restarts++
	}
}

// stop ends all shops.
func (f *fleet) stop() {
	for _, s := range f.shops {
		s.kill()
	}
}
