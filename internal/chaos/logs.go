package main

import (
	"bufio"
	"errors"
	"os"
	"regexp"
	"strings"
)

// The lines of what the application took over.
var (
	orderTaken  = regexp.MustCompile(`msg="paid order handed over" order_no=(\S+)`)
	refundTaken = regexp.MustCompile(`msg="refund handed over" order_no=\S+ refund_no=(\S+)`)
)

// handOvers counts, in the shops' logs, how often each number was taken over.
func handOvers(logs []string, line *regexp.Regexp) (map[string]int, error) {
	found := map[string]int{}
	for _, path := range logs {
		log, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // never opened
		}
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(log)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if m := line.FindStringSubmatch(lines.Text()); m != nil {
				found[strings.Trim(m[1], `"`)]++
			}
		}
		if err := errors.Join(lines.Err(), log.Close()); err != nil {
			return nil, err
		}
	}
	return found, nil
}
