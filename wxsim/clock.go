package wxsim

import "time"

// beijing is the offset of every time WeChat Pay prints.
var beijing = time.FixedZone("CST", 8*60*60)

// clock is business time: header time plus how far it has been moved. It only
// goes forward. The simulator's lock guards it.
type clock struct {
	header func() time.Time
	ahead  time.Duration
}

// now is the business time.
func (c *clock) now() time.Time { return c.header().Add(c.ahead) }

// moveTo puts the business clock forward to t, or leaves it when t is past.
func (c *clock) moveTo(t time.Time) {
	if gap := t.Sub(c.now()); gap > 0 {
		c.ahead += gap
	}
}

// stamp prints a time as WeChat does: RFC 3339, whole seconds, Beijing offset.
func stamp(t time.Time) string { return t.In(beijing).Format(time.RFC3339) }
