package seal_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"onrecord/audit/seal"
)

func TestWholeLog(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 8, 100, 1025} {
		s := newSample(t, team, n)
		r := s.verify(t, s.all(t))
		if !r.OK() || r.Events != int64(n) || r.Skipped != 0 || r.Checkpoint.Size != int64(n) {
			t.Errorf("%d events: %+v\n%s", n, r, faults(r))
		}
	}
}

func TestSomeOfALog(t *testing.T) {
	s := newSample(t, team, 300)
	for _, some := range [][]int64{{}, {0}, {299}, {17}, {0, 299}, {1, 2, 3, 200}, {255, 256, 257}} {
		file := s.export(t, s.checkpoint(t, 300), "object:user_02", func(leaf int64) bool { return slices.Contains(some, leaf) })
		r := s.verify(t, file)
		if !r.OK() || r.Events != int64(len(some)) || r.Skipped != 300-r.Events || r.Header.Query != "object:user_02" {
			t.Errorf("leaves %v: %+v\n%s", some, r, faults(r))
		}
	}
}

func TestErasedParts(t *testing.T) {
	s := newSample(t, team, 5)
	s.entries[1].Who, s.entries[2].What, s.entries[2].Who = nil, nil, nil
	if r := s.verify(t, s.all(t)); !r.OK() || r.WhoErased != 2 || r.WhatErased != 1 {
		t.Errorf("%+v\n%s", r, faults(r))
	}
}

func TestLaterVersion(t *testing.T) {
	s := newSample(t, team, 2)
	body := strings.Replace(string(s.entries[1].Body), `"v":1`, `"v":2`, 1)
	body = strings.Replace(body, `"via":"web"`, `"via":"web","wax":["of",{"another":"kind"}]`, 1)
	later := newSample(t, team, 1)
	later.entries = append(later.entries, seal.Entry{Leaf: 1, Body: []byte(body), Who: &seal.Part{Salt: salt("x", 1), JSON: []byte(`{}`)}})
	later.rebuild(t)
	if r := later.verify(t, later.all(t)); !r.OK() || r.Unread != 1 {
		t.Errorf("%+v\n%s", r, faults(r))
	}
}

// tampering is a file that somebody has changed.
type tampering struct {
	name, file string
	want       []string // each is in the faults
}

// tamperings changes an export in each way that somebody might.
func tamperings(t testing.TB, key seal.Key) []tampering {
	t.Helper()
	s := newSampleWith(t, key, 20)
	other := newSample(t, "team_02", 20)
	other.key = s.key
	stranger := newSample(t, team, 20)
	good := s.all(t)
	var all []tampering
	for _, c := range []struct {
		name   string
		change func(lines []string) []string
		want   []string
	}{
		{"a byte of an event", replaceIn(7, `"outcome":"ok"`, `"outcome":"no"`), []string{"line 8, leaf 6, event evt_00000006: the event was changed"}},
		{"a name", replaceIn(7, "Dana Cruz", "Dina Cruz"), []string{"line 8, leaf 6, event evt_00000006: the part who is not the one"}},
		{"a salt", swapMember(3, 4, `"salt":"`), []string{"line 4, leaf 2, event evt_00000002: the part what is not the one"}},
		{"a part of another event", swapMember(3, 4, `"who":{"part"`), []string{"line 4, leaf 2, event evt_00000002: the part who is not the one"}},
		{"white space", replaceIn(7, `"outcome":"ok"`, `"outcome": "ok"`), []string{"line 8, leaf 6, event evt_00000006: not canonical JSON (RFC 8785) at byte"}},
		{"a member twice", replaceIn(7, `"outcome":"ok"`, `"outcome":"ok","outcome":"ok"`), []string{`line 8, leaf 6, event evt_00000006: not canonical JSON`, `the member "outcome" stands there twice`}},
		{"members in another order", replaceIn(7, `"v":1,"via":"web"`, `"via":"web","v":1`), []string{"leaf 6, event evt_00000006", "order of their names"}},
		{"the hash of an event", replaceIn(7, `"hash":"`, `"hash":"A`), []string{"line 8, leaf 6", "no SHA-256 in base64"}},
		{"a line removed", func(l []string) []string { return slices.Delete(l, 7, 8) }, []string{"line 8, leaf 7: leaf 6 is missing before it"}},
		{"three lines removed", func(l []string) []string { return slices.Delete(l, 7, 10) }, []string{"line 8, leaf 9: the leaves 6 to 8 are missing before it"}},
		{"the first event removed", func(l []string) []string { return slices.Delete(l, 1, 2) }, []string{"line 2, leaf 1: leaf 0 is missing before it"}},
		{"the last event removed", func(l []string) []string { return slices.Delete(l, 20, 21) }, []string{"leaf 19, which the checkpoint covers, are missing at the end"}},
		{"a line repeated", func(l []string) []string { return slices.Insert(l, 8, l[7]) }, []string{"line 9, leaf 6: it stands after leaf 6: the line was repeated or moved"}},
		{"two lines exchanged", func(l []string) []string { l[7], l[8] = l[8], l[7]; return l }, []string{"line 8, leaf 7: leaf 6 is missing before it", "line 9, leaf 6: it stands after leaf 7"}},
		{"a line of another log", func(l []string) []string { l[7] = strings.SplitAfter(other.all(t), "\n")[7]; return l }, []string{"line 8, leaf 6, event evt_00000006: the event is of the log team_02, the export is of team_01"}},
		{"another team's checkpoint", func(l []string) []string {
			l[0] = strings.Replace(strings.SplitAfter(other.all(t), "\n")[0], `"log":"team_02"`, `"log":"team_01"`, 1)
			return l
		}, []string{"line 1: the export is of the log team_01, its checkpoint is of onrecord/org_01/team_02"}},
		{"a key that is not trusted", func(l []string) []string { return strings.SplitAfter(stranger.all(t), "\n") }, []string{"line 1: the checkpoint of onrecord/org_01/team_01 over 20 leaves: none of the keys that you trust signed it"}},
		{"the size in the checkpoint", replaceIn(0, `\n20\n`, `\n19\n`), []string{"line 1: the checkpoint: the signature of the key onrecord/org_01/team_01+"}},
		{"a manifest of another export", func(l []string) []string { l[21] = strings.SplitAfter(other.all(t), "\n")[21]; return l }, []string{"line 22: the manifest is not of this file"}},
		{"the number of events", replaceIn(21, `"events":20`, `"events":21`), []string{"line 22: the manifest says that there are 21 events; there are 20"}},
		{"the number of bytes", replaceIn(21, `"bytes":1`, `"bytes":2`), []string{"line 22: the manifest says that there are"}},
		{"a line after the end", func(l []string) []string { return append(l, l[5]) }, []string{"line 22: a manifest, and it is not the last line", "line 23, leaf 4"}},
		{"bytes after the end", func(l []string) []string { return append(l, "x") }, []string{"line 22: a manifest, and it is not the last line", "line 23: the export ends within this line"}},
		{"an empty line after the end", func(l []string) []string { return append(l, "\n") }, []string{"line 23: it is none of header"}},
		{"cut off between lines", func(l []string) []string { return l[:9] }, []string{"the export ends after line 9 without its manifest", "the leaves 8 to 19"}},
		{"cut off within a line", func(l []string) []string { l[9] = l[9][:40]; return l[:10] }, []string{"line 10: the export ends within this line: it was cut off"}},
		{"cut off before the manifest", func(l []string) []string { return l[:21] }, []string{"the export ends after line 21 without its manifest"}},
		{"only the header", func(l []string) []string { return l[:1] }, []string{"the export ends after line 1 without its manifest", "the leaves 0 to 19"}},
		{"the last line feed", replaceIn(21, "\n", ""), []string{"line 22: the manifest has no line feed"}},
		{"line ends", func(l []string) []string {
			for i := range l {
				l[i] = strings.Replace(l[i], "\n", "\r\n", 1)
			}
			return l
		}, []string{"line 1: it ends in a carriage return before the line feed"}},
		{"one line's end", replaceIn(7, "\n", "\r\n"), []string{"line 8, leaf 6, event evt_00000006: it ends in a carriage return"}},
		{"two exports joined", func(l []string) []string { return append(l, l...) }, []string{"line 23: a second header"}},
		{"no header", func(l []string) []string { return l[1:] }, []string{"line 1: it is not the header"}},
		{"nothing", func([]string) []string { return nil }, []string{"the file is empty"}},
		{"a byte that is not UTF-8", replaceIn(7, "Sam Roe", "Sam\xffRoe"), []string{"line 8, leaf 6"}},
		{"an event put in and the rest renumbered", func(l []string) []string {
			l = slices.Insert(l, 8, l[7])
			for i := 8; i < len(l)-1; i++ {
				l[i] = strings.Replace(l[i], fmt.Sprintf(`"leaf":%d`, i-2), fmt.Sprintf(`"leaf":%d`, i-1), 1)
			}
			return l
		}, []string{"line 22, leaf 20", "the checkpoint covers only 20 leaves"}},
		{"everything of another history", func(l []string) []string {
			forged := newSample(t, team, 10)
			for range 10 {
				forged.grow(t, " forged")
			}
			copy(l[1:21], strings.SplitAfter(forged.all(t), "\n")[1:21])
			return renew(l)
		}, []string{"the events are not those that the checkpoint signs", "it cannot be told which"}},
	} {
		lines := strings.SplitAfter(good, "\n")
		lines = c.change(slices.Clone(lines[:len(lines)-1]))
		all = append(all, tampering{c.name, strings.Join(lines, ""), c.want})
	}
	return all
}

// TestTampered wants the culprit named.
func TestTampered(t *testing.T) {
	s := newSample(t, team, 0)
	for _, c := range tamperings(t, s.key) {
		t.Run(c.name, func(t *testing.T) {
			r := s.verify(t, c.file)
			if r.OK() {
				t.Fatal("nothing was found")
			}
			for _, want := range c.want {
				if !strings.Contains(faults(r), want) {
					t.Errorf("the faults do not say %q:\n%s", want, faults(r))
				}
			}
		})
	}
}

func replaceIn(line int, old, new string) func([]string) []string {
	return func(l []string) []string {
		if !strings.Contains(l[line], old) {
			panic(fmt.Sprintf("line %d has no %s: %s", line+1, old, l[line]))
		}
		l[line] = strings.Replace(l[line], old, new, 1)
		return l
	}
}

// swapMember exchanges what follows a mark in two lines, up to the next quote
// or brace.
func swapMember(a, b int, mark string) func([]string) []string {
	return func(l []string) []string {
		cut := func(s string) (before, middle, after string) {
			i := strings.Index(s, mark) + len(mark)
			j := i + strings.IndexAny(s[i:], `}`)
			return s[:i], s[i:j], s[j:]
		}
		a1, a2, a3 := cut(l[a])
		b1, b2, b3 := cut(l[b])
		l[a], l[b] = a1+b2+a3, b1+a2+b3
		return l
	}
}

// renew writes the manifest that belongs to changed lines.
func renew(l []string) []string {
	rest := strings.Join(l[:len(l)-1], "")
	sum := sha256.Sum256([]byte(rest))
	l[len(l)-1] = fmt.Sprintf(`{"bytes":%d,"events":%d,"sha256":"%s"}`+"\n", len(rest), len(l)-2, hex.EncodeToString(sum[:]))
	return l
}

func TestSince(t *testing.T) {
	s := newSample(t, team, 50)
	old := s.checkpoint(t, 33)
	since := func(c []byte) func(*seal.Options) { return func(o *seal.Options) { o.Since = c } }
	if r := s.verify(t, s.all(t), since(old)); !r.OK() || r.Since.Size != 33 {
		t.Errorf("%+v\n%s", r, faults(r))
	}
	some := func(leaf int64) bool { return leaf == 40 }
	if r := s.verify(t, s.export(t, s.checkpoint(t, 50), "q", some, 33), since(old)); !r.OK() || r.Since.Size != 33 {
		t.Errorf("cut at the earlier size: %+v\n%s", r, faults(r))
	}
	if r := s.verify(t, s.export(t, s.checkpoint(t, 50), "q", some), since(old)); r.OK() || !strings.Contains(faults(r), "cannot be told from this export") {
		t.Errorf("left out around the earlier size: %s", faults(r))
	}

	rewritten := newSample(t, team, 20)
	rewritten.key = s.key
	for range 30 {
		rewritten.grow(t, "rewritten")
	}
	if r := rewritten.verify(t, rewritten.all(t), since(old)); r.OK() || !strings.Contains(faults(r), "does not extend the earlier checkpoint over 33 leaves: it was rewritten") {
		t.Errorf("rewritten and signed again: %s", faults(r))
	}
	if r := s.verify(t, s.export(t, s.checkpoint(t, 20), "q", func(leaf int64) bool { return leaf < 20 }), since(old)); r.OK() || !strings.Contains(faults(r), "covers 33 leaves, this one only 20") {
		t.Errorf("set back: %s", faults(r))
	}
	other := newSample(t, "team_02", 10)
	other.key = s.key
	if r := s.verify(t, s.all(t), since(other.checkpoint(t, 5))); r.OK() || !strings.Contains(faults(r), "the earlier checkpoint is of onrecord/org_01/team_02") {
		t.Errorf("of another log: %s", faults(r))
	}
	stranger := newSample(t, team, 10)
	if r := s.verify(t, s.all(t), since(stranger.checkpoint(t, 5))); r.OK() || !strings.Contains(faults(r), "the earlier checkpoint of onrecord/org_01/team_01: none of the keys") {
		t.Errorf("of another key: %s", faults(r))
	}
}

func TestWitnessDemanded(t *testing.T) {
	s := newSample(t, team, 9)
	w, err := seal.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	witness := func(o *seal.Options) { o.Witnesses = []seal.Witness{w.Witness("witness.example/w1")} }
	if r := s.verify(t, s.all(t), witness); r.OK() || !strings.Contains(faults(r), "the witness witness.example/w1 has not cosigned the checkpoint") {
		t.Errorf("not cosigned: %s", faults(r))
	}
	at := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	line, err := seal.Cosign(s.checkpoint(t, 9), w, "witness.example/w1", at)
	if err != nil {
		t.Fatal(err)
	}
	r := s.verify(t, s.export(t, append(s.checkpoint(t, 9), line...), "", nil), witness)
	if !r.OK() || len(r.Checkpoint.Cosignatures) != 1 || !r.Checkpoint.Cosignatures[0].Time.Equal(at) {
		t.Errorf("cosigned: %+v\n%s", r, faults(r))
	}
	forged := strings.Replace(string(line), line[len(line)-20:len(line)-10], "AAAAAAAAAA", 1)
	if r := s.verify(t, s.export(t, append(s.checkpoint(t, 9), forged...), "", nil), witness); r.OK() || !strings.Contains(faults(r), "the signature of the key witness.example/w1+") {
		t.Errorf("forged: %s", faults(r))
	}
}

func TestClockRanBack(t *testing.T) {
	s := newSample(t, team, 6)
	s.entries[3].Body = []byte(strings.ReplaceAll(string(s.entries[3].Body), "2026-11-01T00:00:03", "2026-10-31T23:00:03"))
	s.rebuild(t)
	r := s.verify(t, s.all(t))
	if !r.OK() || r.ClockBacks != 1 || r.ClockBack[0].Leaf != 3 {
		t.Errorf("%+v\n%s", r, faults(r))
	}
}

func TestManyFaultsStayFew(t *testing.T) {
	s := newSample(t, team, 300)
	r := s.verify(t, strings.ReplaceAll(s.all(t), `"outcome":"ok"`, `"outcome":"no"`))
	if len(r.Faults) != 50 || r.More != 251 { // and the manifest
		t.Errorf("%d faults, %d more", len(r.Faults), r.More)
	}
}

func TestLongLine(t *testing.T) {
	s := newSample(t, team, 3)
	lines := strings.SplitAfter(s.all(t), "\n")
	for at := range 4 {
		long := slices.Clone(lines)
		long[at] = strings.Repeat("x", 3*seal.MaxLine) + "\n"
		if r := s.verify(t, strings.Join(long, "")); r.OK() || !strings.Contains(faults(r), "more than") {
			t.Errorf("line %d: %s", at+1, faults(r))
		}
	}
}
