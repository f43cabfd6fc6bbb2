package view

import (
	"hash/fnv"
	"strconv"

	"github.com/a-h/templ"
)

// attributes are those that every kind of control shares.
func (in Input) attributes(prefix string) templ.Attributes {
	id := prefix + in.Name
	a := templ.Attributes{}
	about := describedBy(
		when(in.Optional, id+"-opt"),
		when(in.Hint != "", id+"-hint"),
		when(in.Error != "", id+"-err"))
	if about != "" {
		a["aria-describedby"] = about
	}
	if in.Error != "" {
		a["aria-invalid"] = "true"
	}
	if in.Required {
		a["required"] = true
	}
	if in.MaxLength > 0 {
		a["maxlength"] = strconv.Itoa(in.MaxLength)
	}
	switch in.Kind {
	case KindSelect, KindFile:
	default:
		a["autocomplete"] = "off"
		if in.Autocomplete != "" {
			a["autocomplete"] = in.Autocomplete
		}
	}
	return a
}

func anyWrong(inputs []Input) bool {
	for _, in := range inputs {
		if in.Error != "" {
			return true
		}
	}
	return false
}

// encoding is the form's enctype, which a file needs.
func encoding(inputs []Input) templ.Attributes {
	for _, in := range inputs {
		if in.Kind == KindFile {
			return templ.Attributes{"enctype": "multipart/form-data"}
		}
	}
	return nil
}

func sorted(s Sort) templ.Attributes {
	if s.Direction == "" {
		return nil
	}
	return templ.Attributes{"aria-sort": s.Direction}
}

func (f Filter) button() string {
	if f.Value == "" {
		return f.Label
	}
	return f.Label + ": " + f.Value
}

// actionIcon is the icon of a button for an action; labels without one of
// their own get a plain dot.
func actionIcon(label string) string {
	icons := map[string]string{
		"Change role":          "shield",
		"Block":                "ban",
		"Unblock":              "unlock",
		"Delete":               "trash",
		"New sign-in link":     "key",
		"Assign":               "user",
		"Unassign":             "close",
		"Move to another team": "moved",
	}
	if name, ok := icons[label]; ok {
		return name
	}
	return "dot"
}

// elementID makes an id out of any text, the same for the same text.
func elementID(prefix, text string) string {
	h := fnv.New64a()
	h.Write([]byte(text))
	return prefix + "-" + strconv.FormatUint(h.Sum64(), 36)
}

func (f Filter) id() string { return elementID("by", f.Label) }
