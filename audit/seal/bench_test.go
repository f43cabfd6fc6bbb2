package seal_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit/seal"
)

// BenchmarkVerify compares verifying an export with the bare SHA-256 of its
// bytes on one core.
func BenchmarkVerify(b *testing.B) {
	s := newSample(b, team, 50_000)
	file := []byte(s.all(b))
	b.Run("sha256", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			sha256.Sum256(file)
		}
	})
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			if r, err := seal.Verify(bytes.NewReader(file), seal.Options{Keys: s.keys()}); err != nil || !r.OK() {
				b.Fatal(err, r.Faults)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			w, err := seal.NewExportWriter(io.Discard, seal.Header{Checkpoint: s.checkpoint(b, s.size()), Log: s.log}, s)
			if err != nil {
				b.Fatal(err)
			}
			for _, e := range s.entries {
				if err := w.Add(e); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := w.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkTree compares building a tree with hashing its leaves alone.
func BenchmarkTree(b *testing.B) {
	s := newSample(b, team, 20_000)
	bytes := int64(0)
	for _, e := range s.entries {
		bytes += int64(len(e.Body))
	}
	b.Run("sha256", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			for _, e := range s.entries {
				sha256.Sum256(e.Body)
			}
		}
	})
	b.Run("tree", func(b *testing.B) {
		b.SetBytes(bytes)
		for b.Loop() {
			var t seal.Tree
			for _, e := range s.entries {
				t.Add(tlog.RecordHash(e.Body))
			}
			t.Root()
		}
	})
}
