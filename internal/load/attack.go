package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"sync"
	"time"
)

// siege is what the flags say about the scene attack: for how long, and how
// many messages a second.
type siege struct {
	span         time.Duration
	forged, good int
}

func (s *siege) flags(flags *flag.FlagSet) {
	flags.DurationVar(&s.span, "siege", 30*time.Second, "how long forgeries are sent")
	flags.IntVar(&s.forged, "forged", 5000, "forgeries a second")
	flags.IntVar(&s.good, "good", 200, "genuine notifications a second beside them")
}

func (s siege) check() error {
	if s.shots(s.forged) < len(forgeries) || s.shots(s.good) < 1 {
		return fmt.Errorf("an attack has %d forgeries and a genuine notification at least", len(forgeries))
	}
	return nil
}

// shots are how many messages a rate makes.
func (s siege) shots(rate int) int { return int(s.span.Seconds() * float64(rate)) }

// underAttack is the server of the kit that knows WeChat Pay by its certificate.
const underAttack = "under attack"

const (
	waiting   = 512 // messages of a rate that wait for their answer, at most
	forgeable = 128 // genuine messages of which there are forgeries
)

// measureAttack is the scene attack: forgeries come at a fixed rate, and genuine
// notifications beside them. Each genuine one must be stored in the end, and
// nothing else.
func measureAttack(ctx context.Context, c config, dir string) (string, []target, error) {
	folder, err := os.MkdirTemp(dir, "attack-")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(folder)
	a, err := prepareAttack(ctx, c.siege, folder)
	if err != nil {
		return "", nil, err
	}
	weChat := httptest.NewServer(a.platform)
	defer weChat.Close()
	a.platform.Base = weChat.URL
	if err := a.platform.write(folder); err != nil {
		return "", nil, err
	}
	if a.refusing, err = refuse(a.platform.platform, a.bad.shots, a.at); err != nil {
		return "", nil, err
	}
	if err := a.run(ctx, c); err != nil {
		return "", nil, err
	}
	return a.figures(), a.targets(), nil
}

// attack is a run of the scene.
type attack struct {
	siege
	folder    string
	at        time.Time // of the signatures
	platform  *certificates
	warm      []message
	good, bad pace
	refusing  []refusing

	goodHits, badHits []hit
	memory            []int64 // resident, at even intervals
	peak              int64
	cpu               time.Duration
}

// prepareAttack signs all messages and stores their orders.
func prepareAttack(ctx context.Context, s siege, folder string) (*attack, error) {
	acct, key, err := newAccount()
	if err != nil {
		return nil, err
	}
	p, err := newPlatform(key, acct.SignedAt)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD()
	if err != nil {
		return nil, err
	}
	n := s.shots(s.good)
	pool, err := newPool(ctx, n+warmUp+forgeable, key, acct.SignedAt)
	if err != nil {
		return nil, err
	}
	for i := range pool {
		pool[i] = pool[i].with("Wechatpay-Serial", p.Serial)
	}
	a := &attack{siege: s, folder: folder, at: acct.SignedAt, platform: &certificates{platform: p, key: key, aead: aead}}
	a.good, a.warm = pace{s.good, waiting, shotsOf(pool[:n])}, pool[n:n+warmUp]
	a.bad = pace{s.forged, waiting, forge(pool[n+warmUp:], acct.SignedAt)}
	return a, errors.Join(acct.write(folder), fillFile(ctx, folder, len(pool), acct.SignedAt))
}

// run starts the server, attacks it, and looks at what it stored.
func (a *attack) run(ctx context.Context, c config) error {
	procs := c.procs[len(c.procs)-1]
	addr, stop, err := c.start(ctx, underAttack, a.folder, procs, "", c.profile(underAttack, procs, a.forged))
	if err != nil {
		return err
	}
	err = a.send(ctx, addr)
	var stopErr error
	a.cpu, stopErr = stop()
	if err := errors.Join(err, stopErr); err != nil {
		return err
	}
	stored, err := paid(ctx, a.folder, ofKit)
	if err != nil {
		return err
	}
	return errors.Join(a.checkAnswers(), a.acknowledged().compare(stored))
}

func (a *attack) send(ctx context.Context, addr string) error {
	server, err := processAt(addr)
	if err != nil {
		return err
	}
	if _, err := sendAll(addr, a.warm, 8, time.Now().Add(time.Minute)); err != nil {
		return err
	}
	var sending sync.WaitGroup
	var goodErr, badErr, lookErr error
	begin := time.Now()
	sending.Go(func() { a.goodHits, goodErr = a.good.send(ctx, addr, begin, a.shots(a.siege.good)) })
	sending.Go(func() { a.badHits, badErr = a.bad.send(ctx, addr, begin, a.shots(a.forged)) })
	sending.Go(func() { a.memory, lookErr = watch(server, begin, a.span) })
	sending.Wait()
	a.peak, err = server.peak()
	return errors.Join(goodErr, badErr, lookErr, err)
}

// acknowledged are the genuine notifications, those of the warm-up too, of which
// all must be.
func (a *attack) acknowledged() (t turn) {
	for _, m := range a.warm {
		t.acknowledged = append(t.acknowledged, m.number)
	}
	for _, s := range a.good.shots {
		t.acknowledged = append(t.acknowledged, s.number)
	}
	return t
}

// checkAnswers reports the first message that was answered as it must not be.
func (a *attack) checkAnswers() error {
	for _, h := range a.goodHits {
		if h.status != "204" {
			return fmt.Errorf("a genuine notification was answered %s", h.status)
		}
	}
	for _, h := range a.badHits {
		if kind := kindOf(h.shot); h.status != kind.answer {
			return fmt.Errorf("a forgery (%s) was answered %s, not %s", kind.name, h.status, kind.answer)
		}
	}
	if a.platform.asked.Load() == 0 {
		return errors.New("no unknown serial made the kit ask for certificates: the attack was none")
	}
	return nil
}
