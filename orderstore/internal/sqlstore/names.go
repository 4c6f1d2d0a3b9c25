package sqlstore

import (
	"fmt"
	"regexp"
)

// names are those of the tables and of what belongs to them.
var names = regexp.MustCompile(`\b(pay_order_\w+|goods_info)\b`)

// Prefixed is the text with the names of all tables, and of their indexes,
// beginning with prefix.
func Prefixed(text, prefix string) string {
	if prefix == "" {
		return text
	}
	return names.ReplaceAllString(text, prefix+"$1")
}

// maxPrefix leaves room for the longest name of a table or index: PostgreSQL
// cuts names after 63 bytes, MySQL refuses those over 64.
const maxPrefix = 32

var goodPrefix = regexp.MustCompile(`^([a-z_][a-z0-9_]*)?$`)

// CheckPrefix reports why the names of tables cannot begin with prefix.
func CheckPrefix(prefix string) error {
	if len(prefix) > maxPrefix || !goodPrefix.MatchString(prefix) {
		return fmt.Errorf("the table prefix %q is not of at most %d of a-z 0-9 _, beginning with no digit", prefix, maxPrefix)
	}
	return nil
}
