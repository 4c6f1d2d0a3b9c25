package wxpay_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails the tests of this package when one of them leaves something
// running: a kit that was stopped has stopped.
func TestMain(m *testing.M) {
	code := m.Run()
	wire.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "left running:", err)
		code = 1
	}
	os.Exit(code)
}
