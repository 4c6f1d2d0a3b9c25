package till_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a call that has returned has left something behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
