package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// patience is how long the browser may take for one thing.
const patience = 30 * time.Second

// tab is a page that a person looks at.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// open starts a shop, and a Chromium that remembers nothing, with one tab. The
// browser ends first, so that it never meets a shop that is gone.
func open(t *testing.T, flags ...string) (*shop, tab) {
	t.Helper()
	chromium := findChromium(t)
	return openShop(t, flags...), browse(t, chromium)
}

// browse starts a Chromium that remembers nothing, with one tab.
func browse(t *testing.T, chromium string) tab {
	t.Helper()
	ctx, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(chromium),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "zh-CN"),
	)
	t.Cleanup(cancel)
	return newTab(t, ctx)
}

// findChromium skips the test without a Chromium, and fails it under CI.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no chromium in PATH")
	}
	t.Skip("no chromium in PATH")
	return ""
}

// another opens a second tab of the same browser.
func (b tab) another() tab {
	b.t.Helper()
	return newTab(b.t, b.ctx)
}

// refused is what ends the URLs that tests have refused, which Chromium reports
// as an error.
var refused = regexp.MustCompile(`(order\?no=nobody|orders/nobody|orders/nobody/cashier|/refunds)$`)

// newTab fails the test for what a developer would see in red: scripts that
// break, and what a page's own content security policy stops.
func newTab(t *testing.T, parent context.Context, how ...chromedp.ContextOption) tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, how...)
	b := tab{t, ctx}
	b.do() // opens it
	heard := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(heard)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.IsException() || m.Type == "error" && !refused.MatchString(m.URL) {
				t.Errorf("console: %s (%s)", m.Text, m.URL)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-heard
	})
	b.width(1280)
	return b
}

// do runs actions, or ends the test.
func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if len(actions) == 0 { // opens the tab, which lives as long as the context
		if err := chromedp.Do(b.ctx); err != nil {
			b.t.Fatal(err)
		}
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.shown())
	}
}

// call sends a command of the protocol, or ends the test.
func call[P, R any](b tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// shown is where the tab is and what stands there, for messages.
func (b tab) shown() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// width makes it a desktop, or a phone at 390.
func (b tab) width(px int64) {
	b.t.Helper()
	screen := emulation.SetDeviceMetricsOverrideParams{Width: px, Height: 860, DeviceScaleFactor: 1}
	if px < 600 {
		screen.Height, screen.DeviceScaleFactor, screen.Mobile = 844, 2, true
	}
	call(b, emulation.SetDeviceMetricsOverride, screen)
}

// noScripts makes it a browser without JavaScript.
func (b tab) noScripts() {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// signedIn is somebody who signed in before.
func (b tab) signedIn(home, user string) {
	b.t.Helper()
	call(b, network.SetCookie, network.SetCookieParams{Name: "shop_user", Value: user, URL: home})
}

func (b tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

func (b tab) see(sel string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(sel)))
}

func (b tab) click(sel string) {
	b.t.Helper()
	b.do(chromedp.WaitEnabled(chromedp.CSS(sel)), chromedp.Click(chromedp.CSS(sel)))
}

// typeIn types into a field; \r is the Enter key.
func (b tab) typeIn(sel, text string) {
	b.t.Helper()
	b.do(chromedp.WaitEnabled(chromedp.CSS(sel)), chromedp.SendKeys(chromedp.CSS(sel), text))
}

// reads waits until the element reads so.
func (b tab) reads(sel, want string) {
	b.t.Helper()
	b.until(fmt.Sprintf("!!document.querySelector(%q)?.textContent.includes(%q)", sel, want))
}

// until waits until the expression is true, on this page or the next.
func (b tab) until(expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		if ok {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain for %s (%v)\n%s", expression, err, b.shown())
		}
	}
}

// eval is the value of an expression.
func eval[T any](b tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// signIn sends the form as it is offered.
func (b tab) signIn(home string) {
	b.t.Helper()
	b.open(home)
	b.click(".sign-in button")
	b.reads("#user", "xiaoming")
}

// orderShown is the number of the order on the screen.
func (b tab) orderShown() string {
	b.t.Helper()
	b.see(`#order[data-state="waiting"]`)
	return eval[string](b, `document.getElementById("order").dataset.no`)
}

// both takes a picture on a desktop and one on a phone.
func (b tab) both(name string) {
	b.t.Helper()
	b.shoot(name + "-desktop")
	b.width(390)
	b.shoot(name + "-phone")
	b.width(1280)
}

// shoot takes a picture of the whole page.
func (b tab) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("WXPAY_SHOTS")
	if dir == "" {
		dir = b.t.TempDir()
	}
	if wide := eval[int](b, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
		b.t.Errorf("%s: the page is %d pixels wider than the window", name, wide)
	}
	whole := true
	picture := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole})
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture.Data, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
