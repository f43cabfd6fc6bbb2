package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"onrecord/audit"
	"onrecord/web/view"
)

// change is something that is done to one user or device, or to several that
// were selected: a page asks first, with a reason if the person likes, then
// each of them is one change with one event.
type change struct {
	name   string   // in addresses: "role"
	label  string   // of the menu entry and the button: "Change role"
	danger bool     // set apart
	text   []string // what will happen, for the question
	done   func(*visit) string
	inputs func(*visit) ([]view.Input, error)
	apply  func(v *visit, id, version, reason string) (*view.Link, error)
	leaves bool // afterwards the object is no longer on this page
}

// noun is a kind of thing that changes are done to.
type noun struct {
	one, many string
	path      string // "users"
	key       string // of the pattern: "user"
	section   view.Section
	find      func(*visit, string) (subject, error)
}

// subject is one thing that a change is about.
type subject struct {
	id, name, detail, version string
	gone                      bool // deleted or moved
}

const maxSelected = 200

// ask is GET …/{id}/{change}.
func (n noun) ask(c change) func(*visit) error {
	return func(v *visit) error {
		if err := v.portal.MayChange(v.ctx(), v.by(), v.team(), n.path); err != nil {
			return err
		}
		return n.confirm(v, c, []string{v.id(n.key)}, http.StatusOK, nil)
	}
}

// do is POST …/{id}/{change}.
func (n noun) do(c change) func(*visit) error {
	return func(v *visit) error {
		id, form := v.id(n.key), v.r.PostForm
		link, err := c.apply(v, id, form.Get("version."+id), form.Get("reason"))
		if again(err) {
			return n.confirm(v, c, []string{id}, statusOf(err), err)
		}
		if err != nil {
			return err
		}
		name := n.one
		if s, err := n.find(v, id); err == nil {
			name = s.name
		}
		to := v.path(n.path, id)
		if c.leaves {
			to = v.path(n.path)
		}
		if err := v.tell(flash{Kind: view.FlashDone, Text: name + " was " + c.done(v) + ".", Link: link}); err != nil {
			return err
		}
		return v.see(to)
	}
}

// confirm shows the question, or the question again with what was wrong.
func (n noun) confirm(v *visit, c change, ids []string, status int, wrong error) error {
	page := view.Confirm{Text: c.text, Button: c.label, Danger: c.danger, Reason: view.ReasonInput(v.formValue("reason")), CancelURL: v.path(n.path)}
	var found []subject
	for _, id := range ids {
		s, err := n.find(v, id)
		if err != nil {
			return err
		}
		found = append(found, s)
		page.Hidden = append(page.Hidden, view.Hidden{Name: "version." + s.id, Value: s.version})
		page.Subjects = append(page.Subjects, view.Subject{Kind: n.key, Name: s.name, Detail: s.detail})
	}
	one := v.id(n.key) != ""
	switch {
	case one && found[0].gone:
		return v.see(v.path(n.path, ids[0]))
	case one:
		page.URL, page.CancelURL = v.r.URL.EscapedPath(), v.path(n.path, ids[0])
	default:
		page.URL = v.path(n.path, "bulk")
		page.Hidden = append(page.Hidden, view.Hidden{Name: "action", Value: c.name})
		for i, s := range found {
			page.Subjects[i].ID = s.id
			if s.gone {
				page.Subjects[i].Refused = "is no longer here"
			}
		}
	}
	page.Page = v.page(n.question(c, found), n.section, view.Link{Label: titled(n.many), URL: v.path(n.path)})
	if c.inputs != nil {
		var err error
		if page.Inputs, err = c.inputs(v); err != nil {
			return err
		}
	}
	if wrong != nil {
		blame(&page, wrong)
	}
	return v.show(status, view.ConfirmPage(page))
}

// question is the heading: "Block Sam Roe?", "Change role of 3 users".
func (n noun) question(c change, found []subject) string {
	name := found[0].name
	if len(found) > 1 {
		name = strconv.Itoa(len(found)) + " " + n.many
	}
	switch {
	case strings.Contains(c.label, " to "):
		return strings.Replace(c.label, " to ", " "+name+" to ", 1)
	case strings.Contains(c.label, " "):
		return c.label + " of " + name
	}
	return c.label + " " + name + "?"
}

// askMany is GET …/bulk: the rows that were selected.
func (n noun) askMany(changes []change) func(*visit) error {
	return func(v *visit) error {
		if err := v.portal.MayChange(v.ctx(), v.by(), v.team(), n.path); err != nil {
			return err
		}
		q := v.r.URL.Query()
		c, ids, err := n.selected(changes, q.Get("action"), q["id"])
		if err != nil {
			return n.nothing(v, err)
		}
		return n.confirm(v, c, ids, http.StatusOK, nil)
	}
}

// nothing sends back to the list whoever selected nothing.
func (n noun) nothing(v *visit, err error) error {
	if e, ok := refusal(err); !ok || e.Field != "id" {
		return err
	}
	if err := v.tell(flash{Kind: view.FlashWarning, Text: err.Error()}); err != nil {
		return err
	}
	return v.see(v.path(n.path))
}

func (n noun) selected(changes []change, action string, ids []string) (change, []string, error) {
	i := slices.IndexFunc(changes, func(c change) bool { return c.name == action })
	if i < 0 {
		return change{}, nil, audit.Invalid("action", "What to do with the selected %s is not said.", n.many)
	}
	var distinct []string
	for _, id := range ids {
		if !slices.Contains(distinct, id) {
			distinct = append(distinct, id)
		}
	}
	if len(distinct) == 0 {
		return change{}, nil, audit.Invalid("id", "Select at least one of the %s first.", n.many)
	}
	if len(distinct) > maxSelected {
		return change{}, nil, audit.Invalid("id", "%d %s are too many at once: select up to %d.", len(distinct), n.many, maxSelected)
	}
	return changes[i], distinct, nil
}

// doMany is POST …/bulk. What can be done is done; the rest is told.
func (n noun) doMany(changes []change) func(*visit) error {
	return func(v *visit) error {
		form := v.r.PostForm
		c, ids, err := n.selected(changes, form.Get("action"), form["id"])
		if err != nil {
			return n.nothing(v, err)
		}
		done := 0
		var refused []string
		var last error
		for _, id := range ids {
			_, err := c.apply(v, id, form.Get("version."+id), form.Get("reason"))
			switch audit.CodeOf(err) {
			case "":
				done++
				continue
			case audit.CodeInvalid, audit.CodeConflict, audit.CodeGone:
				refused, last = append(refused, err.Error()), err
				continue
			}
			if done == 0 {
				return err
			}
			refused = append(refused, n.because(v, err))
			break
		}
		if done == 0 && again(last) {
			return n.confirm(v, c, ids, statusOf(last), last)
		}
		return n.tellMany(v, c, done, len(ids), refused)
	}
}

// because says why a change in the middle of several was not made; a fault is
// told to the program's log alone.
func (n noun) because(v *visit, err error) string {
	if e, ok := refusal(err); ok {
		return e.Message
	}
	v.logger.ErrorContext(v.ctx(), "a change of several failed", "request", v.from.Request, "error", err)
	return "Something went wrong here."
}

func (n noun) tellMany(v *visit, c change, done, all int, refused []string) error {
	f := flash{Kind: view.FlashDone}
	switch done {
	case 1:
		f.Text = "1 " + n.one + " was " + c.done(v) + "."
	default:
		f.Text = fmt.Sprintf("%d %s were %s.", done, n.many, c.done(v))
	}
	if len(refused) > 0 {
		f.Kind = view.FlashWarning
		f.Text += fmt.Sprintf(" %d not: %s", all-done, strings.Join(refused, " "))
	}
	if err := v.tell(f); err != nil {
		return err
	}
	return v.see(v.path(n.path))
}

// blame puts an error beside the field that it is about, or over the form.
func blame(page *view.Confirm, wrong error) {
	e, _ := errors.AsType[*audit.Error](wrong)
	if page.Reason != nil && e.Field == page.Reason.Name {
		page.Reason.Error = e.Message
		return
	}
	for i := range page.Inputs {
		if page.Inputs[i].Name == e.Field {
			page.Inputs[i].Error = e.Message
			return
		}
	}
	page.Error = e.Message
}

// formValue is a value of the posted form, "" on a page that was only asked for.
func (v *visit) formValue(name string) string { return v.r.PostForm.Get(name) }
