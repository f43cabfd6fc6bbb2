package transcript

import (
	"bufio"
	"errors"
	"io"
)

// lines reads a stream line by line and never holds more than one line of at
// most max bytes.
type lines struct {
	r    *bufio.Reader
	max  int64
	buf  []byte
	done bool
}

// line is one line without its end.
type line struct {
	text []byte // valid until the next one is read; nil if it is too long
	size int64  // in bytes, also of a line that is too long
	last bool   // nothing ended it
}

// keep is how large a buffer may stay for the next line.
const keep = 1 << 20

// next gives io.EOF after the last line; any other error is the stream's.
func (l *lines) next() (line, error) {
	if l.done {
		return line{}, io.EOF
	}
	if cap(l.buf) > keep {
		l.buf = nil
	}
	l.buf = l.buf[:0]
	var size int64
	for {
		part, err := l.r.ReadSlice('\n')
		ended := err == nil
		if ended {
			part = part[:len(part)-1]
		}
		if size += int64(len(part)); size <= l.max {
			l.buf = append(l.buf, part...)
		} else {
			l.buf = nil
		}
		switch {
		case ended:
			return l.line(size, false), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			l.done = true
			if size == 0 {
				return line{}, io.EOF
			}
			return l.line(size, true), nil
		default:
			l.done = true
			return line{}, err
		}
	}
}

func (l *lines) line(size int64, last bool) line {
	if size > l.max {
		return line{size: size, last: last}
	}
	return line{text: l.buf, size: size, last: last}
}
