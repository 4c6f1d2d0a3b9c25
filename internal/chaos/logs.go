package main

import (
	"bufio"
	"errors"
	"os"
	"regexp"
	"strings"
)

// handOvers counts, in the shops' logs, how often each order was taken over.
func handOvers(logs []string) (map[string]int, error) {
	line := regexp.MustCompile(`msg="paid order handed over" order_no=(\S+)`)
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
