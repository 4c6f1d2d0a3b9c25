//go:build !unix

package main

import (
	"errors"
	"time"
)

// cpuTime is measured on Unix only.
func cpuTime() (time.Duration, error) {
	return 0, errors.New("the time of the processors cannot be read here")
}
