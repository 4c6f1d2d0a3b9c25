package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build makes the shop's binary in dir, with the named mistake if there is
// one, and returns its path.
func build(ctx context.Context, dir, damage string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	root := strings.TrimSpace(string(out))
	binary := filepath.Join(dir, "shop")
	args := []string{"build", "-o", binary}
	if damage != "" {
		overlay, err := overlayOf(root, dir, damage)
		if err != nil {
			return "", fmt.Errorf("break %s: %w", damage, err)
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./examples/shop")...)
	cmd.Dir = root
	if complaints, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the shop: %w\n%s", err, complaints)
	}
	return binary, nil
}

// overlayOf writes edited copies of the files that a break changes, and the
// file that makes go build take them. Two edits of one file add up.
func overlayOf(root, dir, damage string) (string, error) {
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	broken, err := breakOf(damage)
	if err != nil {
		return "", err
	}
	for i, e := range broken.edits {
		original := filepath.Join(root, filepath.FromSlash(e.file))
		source := original
		if edited, twice := overlay.Replace[original]; twice {
			source = edited
		}
		text, err := os.ReadFile(source)
		if err != nil {
			return "", err
		}
		changed, err := e.apply(string(text))
		if err != nil {
			return "", err
		}
		edited := filepath.Join(dir, fmt.Sprintf("edit%d.go", i))
		if err := os.WriteFile(edited, []byte(changed), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[original] = edited
	}
	raw, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, raw, 0o600)
}
