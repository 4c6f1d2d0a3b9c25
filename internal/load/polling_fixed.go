package main

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
)

// fixedAnswer is a server that gives every page the answer that a shop gave
// once: what is left is package net/http, and the pages.
const fixedAnswer = "fixed answer"

func (c config) openFixed() (http.Handler, func() error, error) {
	c.handler = shopOnMemory
	shop, shut, err := c.openKit()
	if err != nil {
		return nil, nil, err
	}
	req := httptest.NewRequest(http.MethodGet, "/pay/orders/"+number(0), nil)
	req.Header.Set(userHeader, user(0))
	once := httptest.NewRecorder()
	if shop.ServeHTTP(once, req); once.Code != http.StatusOK {
		return nil, nil, errors.Join(fmt.Errorf("the shop answers %d", once.Code), shut())
	}
	again := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), once.Header())
		w.WriteHeader(once.Code)
		_, _ = w.Write(once.Body.Bytes()) // the page may be gone
	})
	return metered(newMeter(), again), shut, nil
}
