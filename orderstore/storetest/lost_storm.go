package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// Many write a few orders while connections break at random.
func lostStorm(ctx context.Context, s orderstore.Store, n *network) error {
	const writers, writes, orders, lasts = 8, 100, 4, 2 * time.Second
	trails := make([]*trail, orders)
	for i := range trails {
		trails[i] = newTrail(fmt.Sprint("tzxz_storm_", i))
		if err := must("Create", trails[i].create(ctx, s)); err != nil {
			return err
		}
	}
	calm, began := weather(n), time.Now()
	var lost atomic.Int64
	errs := parallel(writers, func(i int) error {
		for j := range writes {
			if time.Since(began) > lasts {
				break
			}
			t := trails[(i+j)%orders]
			o, err := steady{s}.Get(ctx, t.number)
			if err != nil {
				return must("Get", err)
			}
			if err := t.save(ctx, s, o); err != nil && !isAnswer(err) {
				lost.Add(1)
			}
		}
		return nil
	})
	calm()
	if err := first(errs); err != nil {
		return err
	}
	for _, t := range trails {
		if err := t.verify(ctx, steady{s}); err != nil {
			return err
		}
	}
	if lost.Load() == 0 {
		return errors.New("so many writes in a storm, and no error")
	}
	return nil
}

// weather breaks connections until calm is called.
func weather(n *network) (calm func()) {
	const pause, down, pieces = 40 * time.Millisecond, 20 * time.Millisecond, 40
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for turn := 0; ; turn++ {
			select {
			case <-stop:
				n.unlight()
				return
			case <-time.After(rand.N(pause)):
			}
			if turn%8 == 7 {
				n.refuse(true)
				time.Sleep(down)
				n.refuse(false)
			}
			n.light(fuse{left: rand.IntN(pieces), half: turn%2 == 0})
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}
