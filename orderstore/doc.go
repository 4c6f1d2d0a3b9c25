// Package orderstore keeps the orders of a shop that is paid through WeChat
// Pay: what an order is, every rule about money, and the small interface a
// team implements on its own database.
//
// # The aggregate and its rules
//
// [Order] is a plain value. Its methods are pure functions: they take what was
// learnt and the time, and return the next order. They have no clock and do no
// I/O, so that every source of a fact (a notification, a query, a bill) goes
// through the same few lines:
//
//	next, outcome, err := order.Apply(payment, now)
//
// # The store
//
// A [Store] saves what the rules return. Save is one conditional statement on
// [Order.Version]; whoever loses reads again and decides again. [Update] is
// that loop. Stores have no clock and know no rule.
//
// # The outbox
//
// An order carries its own next step: [Order.NextActionAt] is when somebody
// must look at it again. A paid order that the application has not yet taken
// over is due at once, so "paid" and "to be fulfilled" are one write.
package orderstore
