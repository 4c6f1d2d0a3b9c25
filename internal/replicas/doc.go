// Package replicas has nothing but a test: processes with a worker each share
// the orders of one database server. Every paid order is handed over once, what
// a killed process held is taken over when its lease is over, and WeChat is
// asked as often as by one process.
package replicas
