package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// fleet are the replicas on one database. The first open of them sell.
type fleet struct {
	shops    []*shop
	open     atomic.Int32
	kills    int
	restarts atomic.Int32
}

// newFleet prepares the shops and starts none.
func newFleet(dir, binary string, dbs []string, conf config, env []string, onEnded func(error)) (*fleet, error) {
	f, dice := &fleet{}, conf.dice(diceOfPorts)
	patience := time.Duration(0) // a file is always there
	if len(conf.dbs) > 0 {
		patience = 90 * time.Second
	}
	for i := range conf.replicas {
		addr, err := freeAddr(dice)
		if err != nil {
			return nil, err
		}
		f.shops = append(f.shops, &shop{
			addr: addr, binary: binary, onEnded: onEnded, patience: patience,
			log:  filepath.Join(dir, fmt.Sprintf("shop%d.log", i+1)),
			args: []string{"-addr", addr, "-db", dbs[i%len(dbs)], "-order-ttl", conf.orderTTL.String()},
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
// ctx ends; after a while it opens the rest of the fleet. It returns when all
// that it killed are back.
func (f *fleet) rage(ctx context.Context, dice *rand.Rand, pause, alone time.Duration) error {
	grow := time.Now().Add(alone)
	back := make(chan error, 1) // the first shop that did not come back
	var all sync.WaitGroup
	defer all.Wait()
	for {
		wait := pause/4 + time.Duration(dice.Int64N(int64(pause)*3/2))
		select {
		case <-ctx.Done():
			all.Wait()
			select {
			case err := <-back:
				return err
			default:
				return nil
			}
		case err := <-back:
			return err
		case <-time.After(wait):
		}
		if time.Now().After(grow) {
			if err := f.grow(len(f.shops)); err != nil {
				return err
			}
		}
		s := f.shops[dice.IntN(int(f.open.Load()))]
		if !s.dead.CompareAndSwap(false, true) {
			continue // it waits for its database
		}
		s.kill()
		f.kills++
		all.Go(func() {
			defer s.dead.Store(false)
			if err := s.restart(); err != nil {
				select {
				case back <- err:
				default:
				}
				return
			}
			f.restarts.Add(1)
		})
	}
}

// stop ends all shops.
func (f *fleet) stop() {
	for _, s := range f.shops {
		s.kill()
	}
}
