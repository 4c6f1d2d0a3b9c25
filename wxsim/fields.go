package wxsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// kind is the JSON type of a field.
type kind int

const (
	text kind = iota
	integer
	boolean
	object
	list
)

// field describes one parameter of a body, with the limits of wire facts §3.2.
type field struct {
	name     string
	kind     kind
	required bool
	min, max int                      // characters of a text (min 0 means 1), least value of an integer
	check    func(text string) string // of a text: what is wrong with it, or ""
	fields   []field                  // of an object, or of each object in a list
	texts    func(text string) string // of a list of texts: what is wrong with an item
}

// parseBody decodes one JSON object, with numbers left as they are written.
func parseBody(body []byte) (map[string]any, *refusal) {
	if !utf8.Valid(body) {
		return nil, parameter("", nil, "请求体不是UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var parsed map[string]any
	if err := dec.Decode(&parsed); err != nil || parsed == nil {
		return nil, parameter("", nil, "请求体不是JSON对象")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, parameter("", nil, "JSON对象之后还有内容")
	}
	return parsed, nil
}

// checkFields holds an object against its description: nothing unknown, no
// null, nothing required missing, every value in its limits.
func checkFields(at string, got map[string]any, fields []field) *refusal {
	known := map[string]bool{}
	for _, f := range fields {
		known[f.name] = true
		value, present := got[f.name]
		if !present {
			if f.required {
				return parameter(at+"/"+f.name, nil, "缺少必填参数"+f.name)
			}
			continue
		}
		if refused := f.checkValue(at+"/"+f.name, value); refused != nil {
			return refused
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if !known[name] {
			return refusedUnknownField.at("body", at+"/"+name, nil, name)
		}
	}
	return nil
}

// checkValue holds one value against its field.
func (f field) checkValue(at string, value any) *refusal {
	switch v := value.(type) {
	case nil:
		return parameter(at, nil, f.name+"不能为null")
	case string:
		if f.kind == text {
			return f.checkText(at, v)
		}
	case json.Number:
		if f.kind == integer {
			return f.checkInteger(at, v)
		}
	case bool:
		if f.kind == boolean {
			return nil
		}
	case map[string]any:
		if f.kind == object {
			return checkFields(at, v, f.fields)
		}
	case []any:
		if f.kind == list {
			return f.checkList(at, v)
		}
	}
	return parameter(at, value, f.name+"的类型不正确")
}

func (f field) checkText(at, v string) *refusal {
	n := utf8.RuneCountInString(v)
	if n < max(f.min, 1) || n > f.max {
		return parameter(at, v, fmt.Sprintf("%s的长度应为%d到%d个字符", f.name, max(f.min, 1), f.max))
	}
	if f.check != nil {
		if issue := f.check(v); issue != "" {
			return parameter(at, v, issue)
		}
	}
	return nil
}

func (f field) checkInteger(at string, v json.Number) *refusal {
	n, err := v.Int64()
	switch {
	case err != nil:
		return parameter(at, v, f.name+"应为整数")
	case n < int64(f.min):
		return parameter(at, v, fmt.Sprintf("%s小于最小值%d", f.name, f.min))
	}
	return nil
}

func (f field) checkList(at string, items []any) *refusal {
	if len(items) == 0 {
		return parameter(at, nil, f.name+"不能为空")
	}
	for i, item := range items {
		at := fmt.Sprint(at, "/", i)
		switch v := item.(type) {
		case map[string]any:
			if f.fields == nil {
				return parameter(at, item, f.name+"的类型不正确")
			}
			if refused := checkFields(at, v, f.fields); refused != nil {
				return refused
			}
		case string:
			if f.texts == nil {
				return parameter(at, item, f.name+"的类型不正确")
			}
			if issue := f.texts(v); issue != "" {
				return parameter(at, v, issue)
			}
		default:
			return parameter(at, item, f.name+"的类型不正确")
		}
	}
	return nil
}
