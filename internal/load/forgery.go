package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// forgery is a kind of message that WeChat Pay did not send.
type forgery struct {
	name   string
	answer string // the status that it must get
	closes bool
	// header reports whether it can be told by its header alone.
	header bool
	// of is made of a genuine message, whose order is still to be paid.
	of func(genuine message, at time.Time) message
}

var forgeries = []forgery{
	{name: "another body", answer: "401", of: func(m message, _ time.Time) message {
		return newMessage(m.number, m.header, bytes.Replace(m.body, []byte("EV-0"), []byte("EV-1"), 1))
	}},
	{name: "unknown serial", answer: "401", header: true, of: func(m message, _ time.Time) message {
		return m.with("Wechatpay-Serial", strings.ToUpper(hex.EncodeToString(random(20))))
	}},
	{name: "clock an hour off", answer: "401", header: true, of: func(m message, at time.Time) message {
		return m.with("Wechatpay-Timestamp", strconv.FormatInt(at.Add(-time.Hour).Unix(), 10))
	}},
	{name: "header missing", answer: "401", header: true, of: func(m message, _ time.Time) message {
		return m.with("Wechatpay-Nonce", "")
	}},
	// Only the size is announced: to send so much would cost the sender more.
	{name: "1 MiB announced", answer: "413", closes: true, of: func(m message, _ time.Time) message {
		header := m.header.Clone()
		header.Set("Content-Length", "1048576")
		return newMessage(m.number, header, nil)
	}},
	{name: "garbage", answer: "401", of: func(m message, _ time.Time) message {
		body := random(1024)
		return newMessage(m.number, http.Header{"Content-Length": {strconv.Itoa(len(body))}}, body)
	}},
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// forge makes a forgery of every kind of each message, the kinds in turn.
func forge(genuine []message, at time.Time) (shots []shot) {
	for _, m := range genuine {
		for _, kind := range forgeries {
			shots = append(shots, shot{kind.of(m, at), kind.closes})
		}
	}
	return shots
}

// kindOf is the kind of the i-th shot of forge.
func kindOf(i int) forgery { return forgeries[i%len(forgeries)] }
