package wxpay

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/wxpaykit/wxpay/internal/cashier"
)

// Cashier is how the page of [Kit.Cashier] looks. The zero value is good.
type Cashier struct {
	// Title is whose cashier it is: the name of the shop. Defaults to 收银台, or
	// Checkout.
	Title string
	// LogoURL is a square picture beside the title: a path on the same host, or
	// an https URL. Defaults to none.
	LogoURL string
	// Accent is the colour of the main buttons, as #rrggbb; their letters are
	// black or white, whichever can be read. Defaults to "#077f3c".
	Accent string
	// ReturnURL is where the owner goes on from when nothing is left to pay: a
	// path, or an http or https URL. Those who hold a link are not sent there.
	// Defaults to none: the page is the end.
	ReturnURL func(Order) string
}

func (c Cashier) theme() cashier.Theme {
	return cashier.Theme{Title: c.Title, LogoURL: c.LogoURL, Accent: c.Accent}
}

func (c Cashier) check() []error {
	var errs []error
	if _, err := cashier.ParseAccent(c.Accent); err != nil {
		errs = append(errs, fmt.Errorf("wxpay: Options.Cashier.Accent %q is %w", c.Accent, err))
	}
	if err := checkLogo(c.LogoURL); err != nil {
		errs = append(errs, fmt.Errorf("wxpay: Options.Cashier.LogoURL %w", err))
	}
	return errs
}

// checkLogo keeps out what would not get past the page's content security
// policy, or would change it.
func checkLogo(s string) error {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return nil
	case err != nil || u.User != nil || strings.ContainsAny(u.Host, " ;,'\""):
		return errors.New("is not a path like /logo.png or an https URL")
	case u.Scheme == "https" && u.Host != "", u.Scheme == "" && u.Host == "" && strings.HasPrefix(s, "/"):
		return nil
	}
	return errors.New("is not a path like /logo.png or an https URL")
}
