package worker_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a worker that has returned has left a step behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
