package audit

// condition is what the index knows of a condition of a filter: an event meets
// it that has all terms of one of the alternatives.
type condition [][]term

// anyOf is met by an event that has one of the terms.
func anyOf(terms []term) condition {
	c := make(condition, len(terms))
	for i, t := range terms {
		c[i] = []term{t}
	}
	return c
}

// wants is a question to the index: events that meet all of the conditions and
// have none of the terms.
type wants struct {
	all  []condition
	none []term
}

// entry is a sealed event as the index knows it.
type entry struct {
	n     int64
	terms []term
}
