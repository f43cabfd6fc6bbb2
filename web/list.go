package web

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"onrecord/web/view"
)

// list is the query of a page that lists things: the filter and the place in
// the list. Links of the page are other queries of the same address.
type list struct {
	path  string
	query url.Values
}

// places are the values that say which page of the list is shown: they go
// when anything else changes.
var places = []string{"cursor", "newer", "offset"}

func (v *visit) list() list { return list{v.r.URL.Path, v.r.URL.Query()} }

func (l list) get(name string) string { return strings.TrimSpace(l.query.Get(name)) }

// with is the address of the list with some values set (name, value, …); an
// empty value takes one away.
func (l list) with(pairs ...string) string {
	q := url.Values{}
	for name, values := range l.query {
		if !slices.Contains(places, name) && strings.Join(values, "") != "" {
			q[name] = values
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Del(pairs[i])
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return l.path
	}
	return l.path + "?" + q.Encode()
}

// keep are the values that a form carries along, but for some and for places.
func (l list) keep(but ...string) []view.Hidden {
	var fields []view.Hidden
	for _, name := range slices.Sorted(maps.Keys(l.query)) {
		if slices.Contains(places, name) || slices.Contains(but, name) {
			continue
		}
		for _, value := range l.query[name] {
			if value != "" {
				fields = append(fields, view.Hidden{Name: name, Value: value})
			}
		}
	}
	return fields
}

// chip is an active filter that stands in one value.
func (l list) chip(label, name string) view.Chip {
	return view.Chip{Label: label, RemoveURL: l.with(name, "")}
}

// order reads sort=name or sort=-name. It gives the column and its heading.
func (l list) order(column, first string) view.Sort {
	now, desc := strings.CutPrefix(l.get("sort"), "-")
	if now == "" {
		now = first
	}
	if now != column {
		return view.Sort{URL: l.with("sort", column)}
	}
	if desc {
		return view.Sort{URL: l.with("sort", column), Direction: "descending"}
	}
	return view.Sort{URL: l.with("sort", "-"+column), Direction: "ascending"}
}

// offset is the place in a list that is paged by number of rows; nonsense is
// the beginning.
func (l list) offset() int {
	n, err := strconv.Atoi(l.get("offset"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

const rowsPerPage = 50

// paging is the foot of a list of known length.
func (l list) paging(shown, total int) view.Paging {
	at := min(l.offset(), total)
	p := view.Paging{Last: at + shown, Total: total}
	if shown > 0 {
		p.First = at + 1
	}
	if at > 0 {
		before := ""
		if at > rowsPerPage {
			before = strconv.Itoa(at - rowsPerPage)
		}
		p.PrevURL = l.with("offset", before)
	}
	if at+shown < total {
		p.NextURL = l.with("offset", strconv.Itoa(at+shown))
	}
	return p
}
