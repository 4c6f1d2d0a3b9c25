package miniprogram

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMiniProgram runs test/miniprogram.test.js.
func TestMiniProgram(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"node", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal("no ", tool, " in PATH")
			}
			t.Skip("no ", tool, " in PATH")
		}
	}
	script := filepath.Join("test", "miniprogram.test.js")
	source, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	shop, phone := openShop(t)
	node := exec.Command("node", "--test", script)
	node.Env = append(os.Environ(), "WXPAY_SHOP="+shop, "WXPAY_PHONE="+phone)
	out, err := node.CombinedOutput()
	if err != nil {
		t.Errorf("node --test: %v\n%s", err, out)
	}
	if all := fmt.Sprint("pass ", strings.Count(string(source), "\ntest(")); !strings.Contains(string(out), all+"\n") {
		t.Errorf("node --test does not say %q:\n%s", all, out)
	}
}

// openShop starts examples/shop with its simulator on free ports, and closes it
// when the test ends. It returns where the two are.
func openShop(t *testing.T) (shop, phone string) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "shop")
	if out, err := exec.Command("go", "build", "-o", bin, "../shop").CombinedOutput(); err != nil {
		t.Fatalf("build the shop: %v\n%s", err, out)
	}
	cmd := exec.Command(bin, "-addr", "127.0.0.1:0", "-sim-addr", "127.0.0.1:0", "-db", filepath.Join(t.TempDir(), "shop.db"))
	cmd.Env = append(os.Environ(), "WXPAY_MCHID=") // a developer's own account stays out of it
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	for lines := bufio.NewScanner(out); phone == "" && lines.Scan(); {
		switch words := append(strings.Fields(lines.Text()), "", ""); words[0] {
		case "shop":
			shop = words[1]
		case "phone":
			phone = words[1]
		}
	}
	if phone == "" {
		t.Fatal("the shop did not open")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the shop
	return shop, phone
}

// TestFiles reads what the developer tools read. It also lets go test see that
// a file has changed, which node alone reads.
func TestFiles(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if filepath.Ext(path) == ".json" && !json.Valid(text) {
			t.Errorf("%s is not JSON", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var app struct{ Pages []string }
	text, err := os.ReadFile("app.json")
	if err == nil {
		err = json.Unmarshal(text, &app)
	}
	if err != nil || !slices.Equal(app.Pages, []string{"pages/index/index"}) {
		t.Fatalf("app.json has the pages %q, %v", app.Pages, err)
	}
	for _, ext := range []string{".js", ".json", ".wxml", ".wxss"} {
		if _, err := os.Stat(app.Pages[0] + ext); errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
}
