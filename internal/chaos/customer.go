package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/wxpaykit/wxpay/wxsim"
)

// customer is a person who buys one thing after the other. Each has dice of
// their own.
type customer struct {
	*front
	sim   *weChat
	admin *admin
	conf  config
	name  string
	dice  *rand.Rand
	n     int // orders so far
}

// live buys until ctx ends. What takes long is done beside it, in all.
func (c *customer) live(ctx context.Context, all *sync.WaitGroup) {
	person := c.name
	for ctx.Err() == nil {
		c.n++
		c.name = fmt.Sprint(person, "-", c.n/50) // somebody else, before the list of their orders gets long
		w := c.choose()
		no := c.order(ctx, w)
		if no == "" {
			pause(ctx, 50*time.Millisecond)
			continue
		}
		c.counts.add("prepays")
		later := *c
		later.dice = rand.New(rand.NewPCG(c.dice.Uint64(), c.dice.Uint64()))
		if c.dice.IntN(25) == 0 { // somebody who takes their time
			all.Go(func() { later.dawdle(ctx, no) })
			continue
		}
		c.act(ctx, no)
		if c.told(ctx, no) && c.dice.IntN(100) < c.conf.refunds {
			all.Go(func() { later.admin.refund(ctx, later.dice, no) })
		}
	}
}

// order places an order and returns its number, or "" if it came to nothing.
// Somebody with a key asks again with it when there was no answer, or clicks
// twice at once; somebody without one asks again only for a number that a shop
// has named.
func (c *customer) order(ctx context.Context, w wish) string {
	body := map[string]any{"goods_id": w.goods}
	switch w.product {
	case "jsapi", "miniprogram":
		sum := sha256.Sum256([]byte(c.name))
		body["openid"] = "o" + base64.RawURLEncoding.EncodeToString(sum[:])[:27]
	case "app":
		body["app_name"], body["app_channel"], body["device"] = "chaos", "test", "test"
	}
	var second sync.WaitGroup
	defer second.Wait()
	if w.key != "" && c.dice.IntN(5) == 0 {
		dice := rand.New(rand.NewPCG(c.dice.Uint64(), 0))
		second.Go(func() { c.prepay(ctx, dice, w, body) })
	}
	for range 5 {
		a := c.prepay(ctx, c.dice, w, body)
		switch {
		case a.Code == http.StatusOK:
			return a.Data.OutTradeNo
		case !a.unclear() || ctx.Err() != nil:
			return ""
		case w.key != "":
		case a.Data.OutTradeNo != "": // WeChat would not take it yet
			body["out_trade_no"] = a.Data.OutTradeNo
		default:
			return ""
		}
		c.counts.add("prepays asked for again")
		pause(ctx, time.Duration(100+c.dice.IntN(200))*time.Millisecond)
	}
	return ""
}

func (c *customer) prepay(ctx context.Context, dice *rand.Rand, w wish, body map[string]any) answer {
	a := c.do(ctx, dice, ask{user: c.name, method: http.MethodPost, path: "/pay/prepay/" + w.product, body: body, key: w.key})
	if a.Code == http.StatusOK {
		c.diary.given(c.name, w.key, a.Data.OutTradeNo)
	}
	return a
}

// act is what a customer does with an order.
func (c *customer) act(ctx context.Context, no string) {
	switch n := c.dice.IntN(100); {
	case n < 60:
		c.pay(no)
	case n < 74: // the notification is lost for good
		c.paid(c.sim.PayQuietly(no))
	case n < 78:
		_ = c.sim.Cancel(no)
		c.counts.add("cancelled, then paid")
		c.pay(no)
	case n < 82:
		_ = c.sim.Fail(no)
		c.counts.add("failed, then paid")
		c.pay(no)
	case n < 89: // two hands
		dice := rand.New(rand.NewPCG(c.dice.Uint64(), 0))
		var both sync.WaitGroup
		both.Go(func() { c.close(ctx, dice, c.name, no) })
		pause(ctx, time.Duration(c.dice.IntN(8))*time.Millisecond)
		c.pay(no)
		both.Wait()
		c.counts.add("paid and closed at once")
	case n < 94:
		if c.close(ctx, c.dice, c.name, no) && c.dice.IntN(2) == 0 {
			c.pay(no)
		}
	case n < 97:
		_ = c.sim.Cancel(no)
		c.counts.add("cancelled")
	default:
		c.counts.add("left alone")
	}
}

// dawdle pays when the time to pay is just about over.
func (c *customer) dawdle(ctx context.Context, no string) {
	around := c.conf.orderTTL - time.Second + time.Duration(c.dice.IntN(2000))*time.Millisecond
	pause(ctx, around)
	if ctx.Err() == nil {
		c.counts.add("paid at the last moment")
		c.pay(no)
		c.told(ctx, no)
	}
}

func (c *customer) pay(no string) { c.paid(c.sim.Pay(no)) }

func (c *customer) paid(err error) {
	switch {
	case err == nil:
		c.counts.add("paid by customer")
	case errors.Is(err, wxsim.ErrClosed):
		c.counts.add("closed before it was paid")
	case errors.Is(err, wxsim.ErrExpired):
		c.counts.add("expired before it was paid")
	}
}

// told looks at the order as a page does, or does not look at all, and
// reports whether the customer was told that it is paid.
func (c *customer) told(ctx context.Context, no string) bool {
	if c.dice.IntN(3) == 0 {
		return false
	}
	for range 1 + c.dice.IntN(3) {
		if c.status(ctx, c.dice, c.name, no) == 1 {
			return true
		}
		pause(ctx, time.Duration(50+c.dice.IntN(200))*time.Millisecond)
	}
	return false
}
