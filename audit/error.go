package audit

import (
	"errors"
	"fmt"
)

// Code says what kind of refusal an [Error] is. Callers match on it, never on
// the text.
type Code string

// The codes of an Error. A recorded refusal carries outcome "denied" for
// Denied and NotFound, and "failed" with the code as its error for Conflict,
// Unavailable and Internal. Invalid and TooMany are answers to the caller
// alone: nothing was attempted yet, so nothing is recorded.
const (
	CodeDenied      Code = "denied"      // the actor may not do this
	CodeNotFound    Code = "not_found"   // the team has no such thing
	CodeGone        Code = "gone"        // it was there and has been deleted or moved
	CodeConflict    Code = "conflict"    // the present state forbids it
	CodeInvalid     Code = "invalid"     // the input is wrong; Field names it
	CodeTooMany     Code = "too_many"    // slowed down; try again later
	CodeUnavailable Code = "unavailable" // the database cannot take it now (full disk, read-only file, closing)
	CodeInternal    Code = "internal"    // a fault of the program; details are in its log only
)

// Error is the one error for people: a code for the program and a sentence
// for the reader that says what would be right. Anything else is a fault and
// is shown as "internal".
type Error struct {
	Code    Code
	Field   string // the input that is wrong, or ""
	Message string
	Err     error // what lies under it, for the program's log; may be nil
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the underlying error.
func (e *Error) Unwrap() error { return e.Err }

// Is matches another *Error by its code alone, so that
// errors.Is(err, &Error{Code: CodeNotFound}) works.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Field == "" && t.Message == ""
}

// CodeOf gives the code of the first Error in err's chain, CodeInternal for
// any other error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// Denied says that the actor may not do this.
func Denied(format string, args ...any) *Error {
	return &Error{Code: CodeDenied, Message: fmt.Sprintf(format, args...)}
}

// NotFound says that the team has no such thing.
func NotFound(format string, args ...any) *Error {
	return &Error{Code: CodeNotFound, Message: fmt.Sprintf(format, args...)}
}

// Conflict says that the present state forbids the change.
func Conflict(format string, args ...any) *Error {
	return &Error{Code: CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// Invalid says which input is wrong and what would be right.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}
