package till

import (
	"context"
	"slices"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// doubtPatience bounds the question whether a write was done after all. It is
// short: whoever took a step of a refund has used up the time before.
const doubtPatience = 3 * time.Second

// update is [orderstore.Update] for changes that are told to somebody. An error
// of the store may come of a write that was done: the context ended while the
// database committed, or the connection was lost. That write would be told to
// nobody, because whoever hears the same again finds nothing new. So the
// history is asked, which has the events of a write if and only if it was done.
// If so, the order is returned as it is stored now, and no error.
func (t *Till) update(ctx context.Context, outTradeNo string, change orderstore.Change) (orderstore.Order, error) {
	var written []orderstore.Event
	o, err := orderstore.Update(ctx, t.cfg.Store, outTradeNo, func(o orderstore.Order) (orderstore.Order, bool) {
		next, save := change(o)
		written = nil
		if save {
			written = next.Events
		}
		return next, save
	})
	if err == nil || len(written) == 0 {
		return o, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), doubtPatience) // its end may be the error
	defer cancel()
	history, askErr := t.cfg.Store.Events(ctx, outTradeNo)
	if askErr != nil || !slices.ContainsFunc(history, func(e orderstore.Event) bool { return sameEvent(e, written[0]) }) {
		return o, err
	}
	stored, askErr := t.cfg.Store.Get(ctx, outTradeNo)
	if askErr != nil {
		return o, err
	}
	return stored, nil
}

// sameEvent compares an event that was read with one that was to be written:
// stores keep times in UTC at microseconds.
func sameEvent(read, written orderstore.Event) bool {
	written.At = written.At.Truncate(time.Microsecond)
	if !read.At.Equal(written.At) {
		return false
	}
	read.At = written.At
	return read == written
}
