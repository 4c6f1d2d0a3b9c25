package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/internal/chaos/audit"
)

// scene is everything that takes part in a run.
type scene struct {
	conf    config
	dir     string
	log     io.Writer // progress, for people
	sim     *weChat
	fleet   *fleet
	books   *books
	witness *witness
	diary   *diary
	counts  *counter
	admin   *admin
	weather *weather
	befell  string // what became of the servers meanwhile
}

// Each part of a run draws from a stream of its own.
const (
	diceOfPorts uint64 = iota
	diceOfKills
	diceOfWeather
	diceOfAdmin
	diceOfCustomers // and upwards
)

func (c config) dice(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, stream)) }

// run is one run from the build to the audit.
func run(ctx context.Context, conf config, log io.Writer) (rep report, err error) {
	dir, err := os.MkdirTemp(conf.dir, "chaos-")
	if err != nil {
		return rep, err
	}
	db, err := openDatabase(ctx, dir, conf.dbs)
	if err != nil {
		return rep, errors.Join(err, os.RemoveAll(dir))
	}
	defer func() {
		if (err != nil || rep.failed()) && !conf.tidy {
			fmt.Fprintf(log, "what is left of it is in %s%s\n", dir, db.left)
			return
		}
		err = errors.Join(err, db.drop(), os.RemoveAll(dir))
	}()
	s, err := open(ctx, conf, dir, db, log)
	if err != nil {
		return rep, err
	}
	defer s.close()
	started := time.Now()
	if err := s.rage(ctx); err != nil {
		return rep, err
	}
	s.admin.clear(ctx, conf.dice(diceOfAdmin))
	fmt.Fprintf(log, "%v of chaos are over, waiting for the books to agree\n", time.Since(started).Round(time.Second))
	ledgers, took, err := s.settle(ctx)
	if err != nil {
		return rep, err
	}
	return s.report(ctx, ledgers, took)
}

// open builds what a run needs and opens the first shop.
func open(ctx context.Context, conf config, dir string, db *database, log io.Writer) (*scene, error) {
	s := &scene{conf: conf, dir: dir, log: log, books: &books{db}, diary: newDiary(), counts: newCounter()}
	var err error
	if conf.shop == "" {
		fmt.Fprintln(log, "building the shop")
		if conf.shop, err = build(ctx, dir, conf.damage); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	s.witness = newWitness(s.books.holds)
	if s.sim, err = startWeChat(conf, s.witness); err != nil {
		return nil, errors.Join(err, s.books.db.Close())
	}
	s.witness.learn(s.sim.Account().APIv3Key)
	if err = s.openShop(conf.shop); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.admin = &admin{front: newFront(s.fleet, s.diary, s.counts), sim: s.sim}
	s.admin.front.disaster = conf.disaster != nil
	s.weather = &weather{sim: s.sim, dice: conf.dice(diceOfWeather), struck: map[string]int{}}
	return s, nil
}

// openShop prepares the fleet and opens the first of it, which makes the tables.
func (s *scene) openShop(binary string) error {
	env, err := s.sim.environment(s.dir)
	if err != nil {
		return err
	}
	s.fleet, err = newFleet(s.dir, binary, s.books.db.names, s.conf, env, func(err error) {
		s.diary.complain(audit.Violation{Rule: audit.ShopEnded, Detail: err.Error()})
	})
	if err != nil {
		return err
	}
	return s.fleet.grow(1)
}

func (s *scene) close() error {
	if s.fleet != nil {
		s.fleet.stop()
	}
	s.sim.stop()
	return s.books.db.Close()
}

// rage is the time of chaos. When it returns nobody buys any more, the faults
// are over and all shops run.
func (s *scene) rage(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.conf.time)
	defer cancel()
	s.admin.early = s.conf.earlyUntil(time.Now())
	var all sync.WaitGroup
	for i := range s.conf.customers {
		c := &customer{
			front: s.admin.front, sim: s.sim, admin: s.admin, conf: s.conf,
			name: fmt.Sprintf("customer-%02d", i+1), dice: s.conf.dice(diceOfCustomers + uint64(i)),
		}
		all.Go(func() { c.live(ctx, &all) })
	}
	if !s.conf.calm {
		all.Go(func() { s.weather.rage(ctx) })
	}
	all.Go(func() { s.sim.hurry(ctx) })
	if s.conf.progress() {
		all.Go(func() { s.progress(ctx) })
	}
	var failed error
	if s.conf.disaster != nil {
		all.Go(func() {
			pause(ctx, s.conf.time*2/5) // when all shops are open
			s.befell, failed = s.conf.disaster()
		})
	}
	err := s.fleet.rage(ctx, s.conf.dice(diceOfKills), time.Duration(s.conf.pause)*time.Millisecond, s.conf.time/3)
	if err != nil {
		cancel()
	}
	all.Wait()
	return errors.Join(err, failed, s.fleet.grow(s.conf.replicas))
}

// progress says now and then how far it is.
func (s *scene) progress(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, 10*time.Second)
		fmt.Fprintf(s.log, "  %5d orders placed, %5d paid\n", s.counts.get("prepays"), s.counts.get("paid by customer"))
	}
}

func (c config) progress() bool { return c.time >= 20*time.Second }
