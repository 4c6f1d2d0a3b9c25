package wxlogin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// maxMessage cuts foreign text, in characters.
const maxMessage = 200

// told makes an error fit for a log. The errors of net/http, and of whatever
// transport the app has given, hold the URL with the secret and the code in it:
// nothing of them is kept but a text in which these are blotted out, and
// whether the context ended.
func told(err error, secrets ...string) error {
	var refusal *Error
	switch {
	case errors.As(err, &refusal):
		refusal.Message = mask(refusal.Message, secrets)
		return err
	case errors.Is(err, ErrBusy), errors.Is(err, ErrRate), errors.Is(err, ErrGarbage):
		return err // of readAnswer: no foreign text in it
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return fmt.Errorf("%w: %w", ErrUnreachable, ended)
		}
	}
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, mask(err.Error(), secrets))
}

// openIDs look like this in a message.
var openIDs = regexp.MustCompile(`\bo[0-9A-Za-z_-]{27}\b`)

// mask blots out the secrets and openids of a text and makes one line of it.
func mask(s string, secrets []string) string {
	for _, secret := range secrets {
		for _, spelling := range []string{secret, url.QueryEscape(secret)} {
			s = strings.ReplaceAll(s, spelling, "(hidden)")
		}
	}
	s = openIDs.ReplaceAllString(strings.ToValidUTF8(s, " "), "(openid)")
	runes := []rune(s)
	runes = runes[:min(len(runes), maxMessage)]
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	return strings.TrimSpace(string(runes))
}
