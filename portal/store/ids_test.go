package store

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

var placeholder = regexp.MustCompile(`\$\d+`)

// However many ids there are, the statements together ask for each of them,
// have one of three texts, and name each argument once.
func TestIDListsAskForEveryID(t *testing.T) {
	texts := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "ids")
		var ids, asked []string
		for i := range n {
			ids = append(ids, "id"+strconv.Itoa(i))
		}
		for left := ids; len(left) > 0; {
			var list string
			var args []any
			list, args, left = idList([]any{"team"}, left)
			texts[list] = true
			numbers := placeholder.FindAllString(list, -1)
			for i, number := range numbers {
				if number != "$"+strconv.Itoa(i+2) {
					t.Fatalf("argument %d is %s: %s", i, number, list)
				}
				asked = append(asked, fmt.Sprint(args[i+1]))
			}
			if len(args) != len(numbers)+1 || args[0] != "team" {
				t.Fatalf("%d arguments for %s", len(args), list)
			}
		}
		slices.Sort(asked)
		slices.Sort(ids)
		if !slices.Equal(slices.Compact(asked), ids) {
			t.Fatalf("asked for %q", asked)
		}
	})
	if len(texts) != len(batches) {
		t.Errorf("there are %d texts", len(texts))
	}
}
