package transcript

import (
	"io"
	"iter"
	"path"
	"strings"
)

// Open reads all calls of a stream: one from a file whose name ends in .vtt,
// one a line from any other. It yields an error of type *[Error] for each call
// that is refused, with a Call that has its Place alone, and goes on; any other
// error is the last it yields.
func Open(r io.Reader, file string, o Options) iter.Seq2[Call, error] {
	if strings.EqualFold(path.Ext(file), ".vtt") {
		return func(yield func(Call, error) bool) {
			yield(ReadWebVTT(r, file, o))
		}
	}
	return func(yield func(Call, error) bool) {
		lines := NewReader(r, file, o)
		for {
			c, _, err := lines.Next()
			if err == io.EOF || !yield(c, err) || lines.err != nil {
				return
			}
		}
	}
}
