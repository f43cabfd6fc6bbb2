package audit

import (
	"fmt"
	"regexp"
	"slices"
)

// Action is one entry of a catalogue: everything that page, filters, API and
// documentation need to know about a kind of event.
type Action struct {
	ID      string   // "call.viewed": object, dot, verb in the past tense; never changes
	Label   string   // "Viewed call": what people read
	Group   string   // "Call session": the heading it stands under in menus
	Objects []string // types of object it happens to; none if it has no object
	Doc     string   // one sentence for the documentation
	Quiet   bool     // left out where nobody asked for it: sign-ins, imports, readings
}

// Catalogue is every action that a log may hold. It is fixed once made and
// safe for concurrent use.
type Catalogue struct {
	actions []Action
	byID    map[string]int
}

var actionID = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)

// NewCatalogue checks the entries; their order is the order of menus.
func NewCatalogue(actions ...Action) (*Catalogue, error) {
	c := &Catalogue{actions: slices.Clone(actions), byID: make(map[string]int, len(actions))}
	for i, a := range actions {
		switch {
		case !actionID.MatchString(a.ID):
			return nil, fmt.Errorf("action %q: an id looks like call.viewed", a.ID)
		case a.Label == "" || a.Group == "" || a.Doc == "":
			return nil, fmt.Errorf("action %s needs a label, a group and a sentence of documentation", a.ID)
		}
		if _, twice := c.byID[a.ID]; twice {
			return nil, fmt.Errorf("action %s is in the catalogue twice", a.ID)
		}
		c.byID[a.ID] = i
	}
	return c, nil
}

// MustCatalogue is NewCatalogue for a list written in the program: a mistake
// in it is a bug and panics.
func MustCatalogue(actions ...Action) *Catalogue {
	c, err := NewCatalogue(actions...)
	if err != nil {
		panic(err)
	}
	return c
}

// All gives every action in the catalogue's order.
func (c *Catalogue) All() []Action { return slices.Clone(c.actions) }

// Get looks an action up by its id.
func (c *Catalogue) Get(id string) (Action, bool) {
	i, ok := c.byID[id]
	if !ok {
		return Action{}, false
	}
	return c.actions[i], true
}

// Label is an action's label, or its id if the catalogue does not know it:
// the log may hold events of a newer or older program.
func (c *Catalogue) Label(id string) string {
	if a, ok := c.Get(id); ok {
		return a.Label
	}
	return id
}

// Groups gives the headings in the order of their first action.
func (c *Catalogue) Groups() []string {
	var groups []string
	for _, a := range c.actions {
		if !slices.Contains(groups, a.Group) {
			groups = append(groups, a.Group)
		}
	}
	return groups
}

// Tracked gives the ids of all actions that are not quiet.
func (c *Catalogue) Tracked() []string {
	var ids []string
	for _, a := range c.actions {
		if !a.Quiet {
			ids = append(ids, a.ID)
		}
	}
	return ids
}
