package main

import (
	"fmt"
	"strings"
	"time"
)

// Order numbers have the shape of the kit's own: 17 digits that grow with the
// time, and 15 characters.
const (
	firstNumber  = 20250101000000000
	suffix       = "ABCDEFGHJKLMNPQ"
	numberLength = 17 + len(suffix)
)

// number is the number of order i of a store.
func number(i int64) string { return fmt.Sprint(firstNumber+i) + suffix }

// derivedNumber is one that does not grow with the time: the kit derives it
// from the user and the Idempotency-Key. It falls anywhere among the others.
func derivedNumber(i int64, n int) string {
	return fmt.Sprint(firstNumber+i) + strings.Repeat("Z", len(suffix)-6) + fmt.Sprintf("%06d", n)
}

// createdAt is when order i was created.
func createdAt(i int64) time.Time { return epoch.Add(time.Duration(i) * time.Second) }

// Among the first orders of a store, some are unpaid and due. They are as many
// in a large store as in a small one.
const (
	firstOrders = 10_000
	unpaidEvery = 10
)

// slotSQL is the slot of the template of order i, in any SQL.
var slotSQL = fmt.Sprintf("CASE WHEN n.i <= %d AND n.i %% %d = 9 THEN %d ELSE n.i %% %d END", firstOrders, unpaidEvery, unpaidSlot, slots)
