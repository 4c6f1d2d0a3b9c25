package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed testdata/slowsync.c
var slowSyncSource []byte

// buildSlowSync builds the library that makes every sync of the process it is
// loaded into take longer, whoever asks for it: all handlers have the same slow
// disk.
func buildSlowSync(ctx context.Context, dir string) (string, error) {
	source, library := filepath.Join(dir, "slowsync.c"), filepath.Join(dir, "slowsync.so")
	if err := os.WriteFile(source, slowSyncSource, 0o600); err != nil {
		return "", err
	}
	if said, err := exec.CommandContext(ctx, "cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the slow sync: %w\n%s", err, said)
	}
	return library, nil
}
