package audit

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestQueryExamples reads every example of docs/query-language.md.
func TestQueryExamples(t *testing.T) {
	raw, err := os.ReadFile("../docs/query-language.md")
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]int{}
	for _, block := range regexp.MustCompile("(?s)```(query|wrong)\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
		for query := range strings.Lines(block[2]) {
			query = strings.TrimSuffix(query, "\n")
			read[block[1]]++
			f, err := ParseQuery(query)
			if block[1] == "query" && (err != nil || f.IsZero()) {
				t.Errorf("%s: %v", query, err)
			}
			if _, ok := errors.AsType[*QueryError](err); block[1] == "wrong" && !ok {
				t.Errorf("%s: read as %+v, %v", query, f, err)
			}
		}
	}
	for _, cell := range regexp.MustCompile("(?m)^\\| `([a-z]+)`.*\\| `(.+)` \\|$").FindAllStringSubmatch(string(raw), -1) {
		read["table"]++
		if _, err := ParseQuery(cell[2]); err != nil || !strings.HasPrefix(cell[2], cell[1]+":") {
			t.Errorf("example of %s: %s: %v", cell[1], cell[2], err)
		}
	}
	if read["query"] < 10 || read["wrong"] < 10 || read["table"] < 9 {
		t.Errorf("read only %v", read)
	}
	for _, field := range append(fields, field{name: "after"}, field{name: "before"}) {
		if !strings.Contains(string(raw), "`"+field.name+"`") {
			t.Errorf("the field %s is not documented", field.name)
		}
	}
}
