package api

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"onrecord/portal"
)

// TestExamplesOfTheDocumentation does what docs/api.md shows and compares the
// answers with those that stand there.
func TestExamplesOfTheDocumentation(t *testing.T) {
	raw, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	if _, err := s.BlockUser(t.Context(), s.Dana, s.Alpha, s.Agnes.ID, "", "left the company"); err != nil {
		t.Fatal(err)
	}
	if err := s.Log().Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked, compared := 0, 0
	var last answer
	for _, block := range regexp.MustCompile("(?s)```(sh|json)\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
		if block[1] == "json" {
			compared++
			s.compare(block[2], last.body)
			continue
		}
		for line := range strings.Lines(block[2]) {
			if words := shellWords(strings.TrimSpace(line)); words[0] == "curl" {
				asked++
				last = s.curl(words[1:])
				if want := 200; last.StatusCode != want && !strings.Contains(line, "2026-02-30") {
					t.Errorf("%s is answered %d: %s", line, last.StatusCode, last.body)
				}
			}
		}
	}
	if asked < 12 || compared < 4 {
		t.Errorf("only %d examples were asked, %d compared", asked, compared)
	}
	for path := range s.server.huma.OpenAPI().Paths {
		if !strings.Contains(string(raw), "`GET "+path+"`") {
			t.Errorf("the document has no %s", path)
		}
	}
	for _, f := range portal.LogFormats {
		if !strings.Contains(string(raw), "`"+f.ID+"`") {
			t.Errorf("the document has no format %s", f.ID)
		}
	}
}

// shellWords splits a line as a shell does, as far as the examples need it.
func shellWords(line string) []string {
	var words []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		words = append(words, m[1]+m[2]+m[3])
	}
	return words
}

// curl asks as the program of that name would.
func (s *site) curl(args []string) answer {
	s.t.Helper()
	address, query := "", url.Values{}
	header := map[string]string{}
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-G", "-N":
		case "-o":
			i++
		case "-H":
			i++
			name, value, _ := strings.Cut(args[i], ": ")
			header[name] = strings.ReplaceAll(value, "$KEY", s.key)
		case "-d", "--data-urlencode":
			i++
			name, value, _ := strings.Cut(args[i], "=")
			query.Add(name, value)
		default:
			address = strings.ReplaceAll(args[i], "$URL", Prefix)
		}
	}
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r := httptest.NewRequest("GET", address, nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	return s.send(r)
}

// compare fails the test unless an answer is the documented one, where … stands
// for anything and a number for any number.
func (s *site) compare(documented, got string) {
	s.t.Helper()
	var want, have any
	if err := json.Unmarshal([]byte(documented), &want); err != nil {
		s.t.Fatalf("%v in the example %s", err, documented)
	}
	if err := json.Unmarshal([]byte(got), &have); err != nil {
		s.t.Fatalf("%v in the answer %s", err, got)
	}
	s.same("answer", want, have)
}

func (s *site) same(at string, want, have any) {
	s.t.Helper()
	differ := func() { s.t.Helper(); s.t.Errorf("%s is %v, in the document %v", at, have, want) }
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok || len(have) != len(want) {
			differ()
			return
		}
		for name := range want {
			s.same(at+"."+name, want[name], have[name])
		}
	case []any:
		have, ok := have.([]any)
		if !ok || len(have) != len(want) {
			differ()
			return
		}
		for i := range want {
			s.same(at+"[]", want[i], have[i])
		}
	case string:
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$"
		if have, ok := have.(string); !ok || !regexp.MustCompile(pattern).MatchString(have) {
			differ()
		}
	case float64:
		if _, ok := have.(float64); !ok {
			differ()
		}
	default:
		if want != have {
			differ()
		}
	}
}
