package main

import (
	"fmt"
	"strings"
)

// kind is what a database writes differently.
type kind struct {
	beforeFill, afterFill []string
	chunk                 int64  // orders that one statement adds
	join                  string // keeps the numbers outside, in their order
	bytes                 string // asks how much there is on the disk
	numbers               func(lo, hi int64) string
	concat                func(a, b string) string
	text                  func(number string) string
}

var kinds = map[string]kind{
	"sqlite": {
		beforeFill: []string{"PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = OFF"},
		afterFill:  []string{"PRAGMA analysis_limit = 1000", "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"},
		chunk:      100_000,
		join:       "CROSS JOIN",
		bytes:      "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
		numbers: func(lo, hi int64) string {
			return fmt.Sprintf("(WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n) n", lo, hi)
		},
		concat: bars,
		text:   func(number string) string { return "CAST(" + number + " AS TEXT)" },
	},
	"postgres": {
		beforeFill: []string{"SET synchronous_commit = off", "SET session_replication_role = replica", "SET enable_mergejoin = off",
			"ALTER TABLE pay_order_record SET (autovacuum_enabled = off)", "ALTER TABLE pay_order_event SET (autovacuum_enabled = off)"},
		afterFill: []string{"VACUUM (ANALYZE) pay_order_record", "VACUUM (ANALYZE) pay_order_event",
			"ALTER TABLE pay_order_record RESET (autovacuum_enabled)", "ALTER TABLE pay_order_event RESET (autovacuum_enabled)", "CHECKPOINT"},
		chunk: 100_000,
		join:  "CROSS JOIN",
		bytes: "SELECT pg_total_relation_size('pay_order_record') + pg_total_relation_size('pay_order_event')",
		numbers: func(lo, hi int64) string {
			return fmt.Sprintf("generate_series(%d::bigint, %d::bigint) AS n(i)", lo, hi)
		},
		concat: bars,
		text:   func(number string) string { return "CAST(" + number + " AS TEXT)" },
	},
	"mysql": {
		beforeFill: []string{"SET foreign_key_checks = 0", "SET unique_checks = 0"},
		afterFill:  []string{"ANALYZE TABLE pay_order_record, pay_order_event"},
		chunk:      10_000,
		join:       "STRAIGHT_JOIN",
		bytes: `SELECT CAST(sum(data_length + index_length) AS SIGNED) FROM information_schema.tables
			WHERE table_schema = DATABASE() AND table_name IN ('pay_order_record', 'pay_order_event')`,
		numbers: digits,
		concat:  func(a, b string) string { return "concat(" + a + ", " + b + ")" },
		text:    func(number string) string { return "CAST(" + number + " AS CHAR)" },
	},
}

func bars(a, b string) string { return a + " || " + b }

// digits are the numbers from lo to hi, of which there are at most 10,000, as a
// join of four digits: MySQL and MariaDB bound the depth of a recursion, each
// by a variable of its own.
func digits(lo, hi int64) string {
	ten := "SELECT 0 AS i" + strings.Repeat(" UNION ALL SELECT %d", 9)
	ten = fmt.Sprintf(ten, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	return fmt.Sprintf("(SELECT %d + a.i + 10 * b.i + 100 * c.i + 1000 * d.i AS i FROM (%s) a, (%s) b, (%s) c, (%s) d HAVING i <= %d ORDER BY i LIMIT 10000) n",
		lo, ten, ten, ten, ten, hi)
}
