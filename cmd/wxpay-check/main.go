// Command wxpay-check says what is wrong with an account before customers do.
// It reads the environment as wxpay.MerchantFromEnv does, asks WeChat Pay, calls
// the notify URL, and prints what it finds with remedies:
//
//	go run github.com/wxpaykit/wxpay/cmd/wxpay-check
//
// It exits with 1 when something is an error. What only the app knows, such as
// its store, is checked by Kit.Check in the app.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/wxpaykit/wxpay"
	"github.com/wxpaykit/wxpay/checkup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with its surroundings as arguments. It returns the exit code: 1
// for an error found, 2 for a wrong call.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("wxpay-check", flag.ContinueOnError)
	flags.SetOutput(stderr)
	language := flags.String("lang", spoken(os.Getenv("LANG")), "language, zh or en")
	list := flags.Bool("list", false, "list everything that can be found, with remedies, and check nothing")
	asJSON := flags.Bool("json", false, "print JSON")
	switch err := flags.Parse(args); {
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintln(stderr, "wxpay-check takes no arguments; the account comes from the environment, see -help")
		return 2
	}
	report := checkup.Report{Findings: checkup.Catalogue()}
	if !*list {
		report = wxpay.MerchantFromEnv().Check(ctx)
	}
	if err := show(stdout, report, *language, *asJSON); err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	if !*list && report.Err() != nil {
		return 1
	}
	return 0
}

func show(w io.Writer, report checkup.Report, language string, asJSON bool) error {
	if !asJSON {
		return report.Print(w, language)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(report)
}

// spoken is the language of a locale.
func spoken(locale string) string {
	if strings.HasPrefix(locale, "zh") {
		return "zh"
	}
	return "en"
}
