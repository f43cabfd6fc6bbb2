package audit_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestEmbeddingPageCompiles: the code in docs/embedding.md is that of the
// examples, word for word.
func TestEmbeddingPageCompiles(t *testing.T) {
	page, err := os.ReadFile("../docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 6 {
		t.Errorf("only %d blocks of code", len(blocks))
	}
	for _, b := range blocks {
		if !strings.Contains(string(source), b[1]) {
			t.Errorf("this is not in example_test.go:\n%s", b[1])
		}
	}
}
