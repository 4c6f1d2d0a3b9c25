package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// pidPath is where every server says which process it is.
const pidPath = "/_load/pid"

// withPID adds that to what a server serves.
func withPID(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == pidPath {
			fmt.Fprint(w, os.Getpid())
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// process is a server, looked at from outside.
type process int

// processAt is the server at an address.
func processAt(addr string) (process, error) {
	resp, err := http.Get("http://" + addr + pidPath)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(string(text))
	return process(pid), err
}

// resident is the memory that the process occupies now, in bytes.
func (p process) resident() (int64, error) { return p.status("VmRSS") }

// peak is the most that it ever occupied, in bytes.
func (p process) peak() (int64, error) { return p.status("VmHWM") }

// peakAt is the most memory that the server at an address ever occupied.
func peakAt(addr string) (int64, error) {
	p, err := processAt(addr)
	if err != nil {
		return 0, err
	}
	return p.peak()
}

// status reads a line of kibibytes. Source: proc_pid_status(5).
func (p process) status(name string) (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", p))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if key == name {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("process %d says nothing of %s", p, name)
}

// looks are how often memory is looked at.
const looks = 60

// watch looks at the memory of a process at even intervals, for a span.
func watch(p process, begin time.Time, span time.Duration) (resident []int64, err error) {
	for i := range looks + 1 {
		time.Sleep(time.Until(begin.Add(span * time.Duration(i) / looks)))
		now, err := p.resident()
		if err != nil {
			return nil, err
		}
		resident = append(resident, now)
	}
	return resident, nil
}

func mebi(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// mostMemory is what a server may occupy in any of the loads, in MiB.
const mostMemory = 200

func peakTarget(scene string, bytes int64) target {
	return target{scene + ": memory at its peak", mebi(bytes), mostMemory, true, " MiB"}
}
