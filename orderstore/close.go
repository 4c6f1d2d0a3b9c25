package orderstore

import "time"

// Close returns the order closed, because WeChat said so: it answered a close
// with success, or that the number never came into being. A paid order stays
// paid ([ErrPaid]); closing a closed one changes nothing.
func (o Order) Close(source Source, note string, now time.Time) (Order, error) {
	switch o.PayStatus {
	case Paid:
		return o, ErrPaid
	case Closed:
		return o, nil
	}
	return o.closed(Event{At: now, Kind: EventClosed, Source: source, Note: note}), nil
}

func (o Order) close(p Payment, now time.Time) Order {
	o = o.closed(p.event(EventClosed, now, "trade_state "+p.TradeState))
	o.TradeState = p.TradeState
	return o
}

func (o Order) closed(e Event) Order {
	o.PayStatus = Closed
	o.TradeState = TradeClosed
	o.ClosedAt = e.At
	o.NextActionAt = time.Time{}
	return o.with(e)
}
