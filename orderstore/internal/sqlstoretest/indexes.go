package sqlstoretest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// rows prints the rows of a query.
func rows(t testing.TB, db *sql.DB, query string, args ...any) string {
	t.Helper()
	result, err := db.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer result.Close()
	columns, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for result.Next() {
		values := make([]sql.NullString, len(columns))
		places := make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := result.Scan(places...); err != nil {
			t.Fatal(err)
		}
		var row []string
		for _, v := range values {
			if !v.Valid {
				v.String = "NULL"
			}
			row = append(row, strings.Replace(strings.TrimSuffix(v.String, "Z"), "T0", " 0", 1))
		}
		list = append(list, strings.Join(row, "|"))
	}
	return strings.Join(list, "; ")
}

// indexes asks the database how it answers each method, among some thousand
// orders.
func indexes(t *testing.T, s Server) {
	db, _ := s.database(t, nil)
	store := s.open(t, db, Options{})
	o := NewOrder("tzxz_")
	o.Ref, o.PaidAt, o.NextActionAt = "ref", epoch, epoch
	create(t, store, o)
	result, err := db.Query("SELECT * FROM pay_order_record WHERE 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	columns, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	result.Close()
	for i := range 12 {
		values := strings.Join(columns, ", ")
		due := "next_action_at"
		if i > 3 {
			due = "NULL"
		}
		values = strings.NewReplacer(
			"out_trade_no", fmt.Sprintf("concat(out_trade_no, '%c')", 'a'+i), "next_action_at", due,
			" ref,", fmt.Sprintf(" concat(ref, '%c'),", 'a'+i), "pay_time", fmt.Sprint("pay_time + ", 1<<i*1000),
		).Replace(values)
		run(t, db, "INSERT INTO pay_order_record ("+strings.Join(columns, ", ")+") SELECT "+values+" FROM pay_order_record")
		run(t, db, fmt.Sprintf("INSERT INTO goods_info SELECT concat(goods_id, '%c'), description, total FROM goods_info UNION ALL SELECT 'g%d', '', 1", 'a'+i, i))
	}
	run(t, db, "INSERT INTO pay_order_event SELECT out_trade_no, 1, 1, '', '', '', '', '' FROM pay_order_record WHERE out_trade_no <> 'tzxz_'")
	s.Analyze(t, db)
	at := epoch.UnixMicro()
	for method, args := range map[string][]any{
		"Get": {"tzxz_abc"}, "Due": {at, 10}, "Find": {"refab"}, "Paid": {at, at + 20000, at, "", 10},
		"Events": {"tzxz_abc"}, "Quote": {"g3"},
	} {
		plan := rows(t, db, "EXPLAIN "+s.Queries[method], args...)
		for _, want := range s.Plans[method] {
			without, found := strings.CutPrefix(want, "!")
			if strings.Contains(plan, without) == found {
				t.Errorf("%s is answered by %s, want one with %q", method, plan, want)
			}
		}
	}
}
