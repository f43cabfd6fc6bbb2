package api

import (
	"bytes"
	"cmp"
	_ "embed"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.css
var docsStyle []byte

//go:embed docs.html
var docsText string

// What the page for people shows of the OpenAPI document.
type (
	docs struct {
		Title, Server string
		About         []template.HTML
		Sections      []docsSection
		Schemas       []docsSchema
	}
	docsSection struct {
		Name, Text string
		Operations []docsOperation
	}
	docsOperation struct {
		ID, Method, Path, Summary string
		Text                      template.HTML
		Params                    []docsField
		Answers                   []docsAnswer
	}
	docsAnswer struct{ Status, Text, Type, Schema string }
	docsField  struct {
		Name, Type, Limits string
		Required           bool
		Text               template.HTML
	}
	docsSchema struct {
		Name   string
		Text   template.HTML
		Fields []docsField
	}
)

// docsPage makes a page of the OpenAPI document. It is whole as it comes: it
// needs no script and nothing from elsewhere.
func docsPage(o *huma.OpenAPI) []byte {
	page := docs{Title: o.Info.Title, Server: o.Servers[0].URL}
	for _, part := range strings.Split(o.Info.Description, "\n\n") {
		page.About = append(page.About, prose(part))
	}
	for _, tag := range o.Tags {
		section := docsSection{Name: tag.Name, Text: tag.Description}
		for path, item := range o.Paths {
			if op := item.Get; op != nil && slices.Contains(op.Tags, tag.Name) {
				section.Operations = append(section.Operations, describe("GET", path, op))
			}
		}
		slices.SortFunc(section.Operations, func(a, b docsOperation) int { return strings.Compare(a.Path, b.Path) })
		page.Sections = append(page.Sections, section)
	}
	schemas := o.Components.Schemas.Map()
	for name, s := range schemas {
		page.Schemas = append(page.Schemas, docsSchema{name, prose(s.Description), fieldsOf(s, "")})
	}
	slices.SortFunc(page.Schemas, func(a, b docsSchema) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	if err := template.Must(template.New("docs").Parse(docsText)).Execute(&out, page); err != nil {
		panic(err) // made of the program's own types alone
	}
	return out.Bytes()
}

func describe(method, path string, op *huma.Operation) docsOperation {
	d := docsOperation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Text: prose(op.Description)}
	for _, p := range op.Parameters {
		f := docsField{Name: p.Name, Type: typeOf(p.Schema), Limits: limitsOf(p.Schema), Required: p.Required, Text: prose(cmp.Or(p.Description, p.Schema.Description))}
		if p.In != "query" {
			f.Name += " (" + p.In + ")"
		}
		d.Params = append(d.Params, f)
	}
	for status, response := range op.Responses {
		a := docsAnswer{Status: status, Text: response.Description}
		for kind, media := range response.Content {
			a.Type = kind
			if media.Schema != nil {
				a.Schema = strings.TrimPrefix(media.Schema.Ref, "#/components/schemas/")
			}
		}
		d.Answers = append(d.Answers, a)
	}
	slices.SortFunc(d.Answers, func(a, b docsAnswer) int { return strings.Compare(a.Status, b.Status) })
	return d
}

// fieldsOf lists the members of an object, and those of the objects in it.
func fieldsOf(s *huma.Schema, prefix string) []docsField {
	var fields []docsField
	for name, member := range s.Properties {
		fields = append(fields, docsField{
			Name: prefix + name, Type: typeOf(member), Limits: limitsOf(member), Required: slices.Contains(s.Required, name), Text: prose(member.Description),
		})
		inner := member
		if member.Items != nil {
			inner = member.Items
		}
		fields = append(fields, fieldsOf(inner, prefix+name+".")...)
	}
	slices.SortFunc(fields, func(a, b docsField) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

func typeOf(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return strings.TrimPrefix(s.Ref, "#/components/schemas/")
	case s.Items != nil:
		return "list of " + cmp.Or(typeOf(s.Items), "values")
	case s.Type == huma.TypeString && s.Format == "date-time":
		return "time"
	case s.Type == "":
		return "value"
	}
	return s.Type
}

func limitsOf(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	var all []string
	if s.Minimum != nil && s.Maximum != nil {
		all = append(all, number64(*s.Minimum)+" to "+number64(*s.Maximum))
	}
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			if text, ok := v.(string); ok {
				values = append(values, text)
			}
		}
		all = append(all, strings.Join(values, ", "))
	}
	if s.Default != nil {
		text, ok := s.Default.(string)
		if n, is := s.Default.(int); is {
			text, ok = strconv.Itoa(n), true
		}
		if ok {
			all = append(all, "unless told "+text)
		}
	}
	return strings.Join(all, "; ")
}

func number64(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// prose is a description with its `code` marked.
func prose(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String())
}
