package store

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// fit gives a text that somebody sent, for a question whether it is there. One
// that no database can hold is not there, nor is "".
func fit(s string) string {
	if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		return ""
	}
	return s
}

// batches are how many ids one statement takes: few texts, so that each is
// prepared once.
var batches = []int{1, 8, 64}

// idList takes as many ids as one statement may and gives them as its list,
// "IN ($2, $3)" after the arguments given, with the arguments, and the ids that
// are left. A list that its ids do not fill names the last of them again.
func idList(args []any, ids []string) (list string, all []any, left []string) {
	size := batches[len(batches)-1]
	if i := slices.IndexFunc(batches, func(n int) bool { return n >= len(ids) }); i >= 0 {
		size = batches[i]
	}
	now := ids[:min(size, len(ids))]
	all = slices.Clone(args)
	var b strings.Builder
	for i := range size {
		b.WriteString(", $" + strconv.Itoa(len(all)+1))
		all = append(all, fit(now[min(i, len(now)-1)]))
	}
	return "IN (" + b.String()[2:] + ")", all, ids[len(now):]
}
