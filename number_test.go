package wxpay_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/orderstore"
)

// defaultNumber is a kit's Options.OrderNumber when there is none: it is not
// exported, so the orders of a shop show it.
var defaultNumber = regexp.MustCompile(`^[0-9]{17}[0-9a-z]{15}$`)

// TestDefaultNumbers: WeChat takes them, they begin with the Beijing time and
// so sort by it, and they do not collide.
func TestDefaultNumbers(t *testing.T) {
	t.Parallel()
	now := newFrozen()
	now.at = now.at.UTC().Truncate(time.Millisecond)
	s := open(t, now.use)
	var numbers []string
	for i := range 6 {
		for range 5 { // in one millisecond
			numbers = append(numbers, s.buy("native", "u1").OutTradeNo)
		}
		stamp := now.at.In(time.FixedZone("", 8*3600)).Format("20060102150405.000")
		if got := numbers[len(numbers)-1]; !defaultNumber.MatchString(got) || got[:17] != strings.Replace(stamp, ".", "", 1) || !orderstore.ValidNumber(got) {
			t.Errorf("number %q at %s", got, stamp)
		}
		now.advance(time.Duration(1<<i) * time.Millisecond)
	}
	byTime := slices.Clone(numbers)
	slices.SortStableFunc(byTime, func(a, b string) int { return strings.Compare(a[:17], b[:17]) })
	if !slices.Equal(byTime, numbers) {
		t.Error("numbers do not sort by time")
	}
	slices.Sort(numbers)
	if len(slices.Compact(numbers)) != 30 {
		t.Error("numbers collide")
	}
}

// TestDefaultNumbersAreUnique: in one millisecond, and without a user's help.
func TestDefaultNumbersAreUnique(t *testing.T) {
	t.Parallel()
	const n = 100_000
	at := time.Now()
	seen := make(map[string]bool, n)
	for range n {
		no := wxpay.TimeNumber("u1", at)
		if !defaultNumber.MatchString(no) || seen[no] {
			t.Fatalf("number %q, seen before: %v", no, seen[no])
		}
		seen[no] = true
	}
	for _, later := range []time.Duration{time.Millisecond, time.Second, 24 * time.Hour, 366 * 24 * time.Hour} {
		if a, b := wxpay.TimeNumber("", at), wxpay.TimeNumber("", at.Add(later)); a >= b {
			t.Errorf("%s is not before %s", a, b)
		}
	}
}

func TestTutorialNumber(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1623846752103)
	for _, c := range []struct{ user, want string }{
		{"1", "tzxz_1_1623846752103"},
		{"10086", "tzxz_10086_1623846752103"},
		{"Ab_9-z", "tzxz_Ab_9-z_1623846752103"},
		{"1234567890123", "tzxz_1234567890123_1623846752103"}, // the longest that fits
	} {
		if got := wxpay.TutorialNumber(c.user, at); got != c.want {
			t.Errorf("%q: %q, want %q", c.user, got, c.want)
		}
	}
	digest := regexp.MustCompile(`^tzxz_[0-9a-z]{13}_1623846752103$`)
	seen := make(map[string]string)
	for _, user := range []string{
		"12345678901234", "12345678901235", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "a b", "a@b.c", "a/b", "用户", "a|b", "a*b", "\x00", "\xff",
		strings.Repeat("u", 1000), strings.Repeat("u", 1001),
	} {
		got := wxpay.TutorialNumber(user, at)
		if !digest.MatchString(got) || !orderstore.ValidNumber(got) {
			t.Errorf("%q: %q", user, got)
		}
		if other, taken := seen[got]; taken {
			t.Errorf("%q and %q have one number", user, other)
		}
		seen[got] = user
		if again := wxpay.TutorialNumber(user, at); again != got {
			t.Errorf("%q: %q, then %q", user, got, again)
		}
	}
	for _, at := range []time.Time{time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC), time.Date(2286, 11, 20, 17, 46, 39, 0, time.UTC)} {
		if got := wxpay.TutorialNumber("1234567890123", at); !orderstore.ValidNumber(got) || len(got) != 32 {
			t.Errorf("at %v: %q", at, got)
		}
	}
}

// TestTutorialNumbersCollide: fifty orders of one user in one millisecond are
// fifty orders, each with its own goods.
func TestTutorialNumbersCollide(t *testing.T) {
	t.Parallel()
	now := newFrozen()
	s, l := openWatched(t, now.use, func(o *wxpay.Options) {
		o.OrderNumber = wxpay.TutorialNumber
		o.Quote = func(_ context.Context, q wxpay.QuoteRequest) (wxpay.Quote, error) {
			var n orderstore.Fen
			_, err := fmt.Sscanf(q.GoodsID, "goods-%d", &n)
			return wxpay.Quote{Total: n, Description: q.GoodsID}, err
		}
	})
	var answers [50]reply
	together(len(answers), func(i int) {
		answers[i] = s.do("POST", "/pay/prepay/native", "u1", body("native", fmt.Sprint("goods-", i+1)))
	})
	seen := make(map[string]bool)
	failed := 0
	for i, a := range answers {
		if a.status != 200 {
			failed++
			continue
		}
		o := a.order(t)
		at, _ := s.sim.Order(o.OutTradeNo)
		stored := s.stored(o.OutTradeNo)
		if seen[o.OutTradeNo] || stored.GoodsID != fmt.Sprint("goods-", i+1) || stored.Total != orderstore.Fen(i+1) || at.Total != int64(i+1) || at.CodeURL != o.CodeURL {
			t.Errorf("order %d: %+v, at WeChat %+v, seen before: %v", i+1, stored, at, seen[o.OutTradeNo])
		}
		seen[o.OutTradeNo] = true
	}
	if failed > 0 {
		t.Errorf("%d of %d were refused", failed, len(answers))
	}
	if got := l.created(); len(got) != len(seen) || len(s.sim.Orders()) != len(seen) {
		t.Errorf("%d orders here, %d at WeChat, %d answers", len(got), len(s.sim.Orders()), len(seen))
	}
}

// TestNumbersOfASecond: a number that changes by the second is taken for the
// whole second; the next second is found all the same.
func TestNumbersOfASecond(t *testing.T) {
	t.Parallel()
	now := newFrozen()
	s := open(t, now.use, func(o *wxpay.Options) {
		o.OrderNumber = func(user string, at time.Time) string { return fmt.Sprint("no", user, at.Unix()) }
	})
	a := s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month")).order(t)
	b := s.do("POST", "/pay/prepay/native", "u1", body("native", "vip-month")).order(t)
	if a.OutTradeNo == b.OutTradeNo {
		t.Error("two orders have one number")
	}
}
