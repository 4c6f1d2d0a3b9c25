package main

import (
	"context"
	"time"

	"github.com/wxpaykit/wxpay/orderstore"
)

// countedStore counts what a store is asked. It is no [orderstore.Updater], so
// that nothing is asked beside it: [orderstore.Update] goes by Get and Save.
type countedStore struct {
	orderstore.Store
	meter *meter
}

// Create counts a write.
func (s *countedStore) Create(ctx context.Context, o orderstore.Order) error {
	s.meter.add(meterWrites, 1)
	return s.Store.Create(ctx, o)
}

// Save counts a write.
func (s *countedStore) Save(ctx context.Context, o orderstore.Order) error {
	s.meter.add(meterWrites, 1)
	return s.Store.Save(ctx, o)
}

// Get counts a read.
func (s *countedStore) Get(ctx context.Context, outTradeNo string) (orderstore.Order, error) {
	s.meter.add(meterReads, 1)
	return s.Store.Get(ctx, outTradeNo)
}

// Due counts a list.
func (s *countedStore) Due(ctx context.Context, now time.Time, limit int) ([]orderstore.Order, error) {
	s.meter.add(meterLists, 1)
	return s.Store.Due(ctx, now, limit)
}

// Find counts a list.
func (s *countedStore) Find(ctx context.Context, ref string) ([]orderstore.Order, error) {
	s.meter.add(meterLists, 1)
	return s.Store.Find(ctx, ref)
}
