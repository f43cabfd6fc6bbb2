package audit

import (
	"crypto/sha256"
	"testing"
	"time"
)

var benchTime = time.Date(2026, 11, 23, 18, 44, 14, 123456000, time.UTC)

// usualEvent is what a change of a role leaves.
func usualEvent() *Event {
	return &Event{
		ID: ForeignID("evt", benchTime, "l", "s", "1"), Log: ForeignID("team", benchTime, "l", "s", "2"),
		Time: benchTime, Recorded: benchTime, Version: 1,
		Actor:  &Actor{Type: ActorUser, ID: ForeignID("user", benchTime, "l", "s", "3"), Name: "Dana Cruz", Email: "dana@example.com"},
		Action: "user.role_changed", Outcome: OutcomeOK,
		Object: &Ref{"user", ForeignID("user", benchTime, "l", "s", "4"), "Sam Roe"},
		Changes: []Change{
			{On: Ref{Type: "user", ID: ForeignID("user", benchTime, "l", "s", "4")}, Prev: ForeignID("evt", benchTime, "l", "s", "5"), Field: "role", Class: Plain, From: stringValue("agent"), To: stringValue("admin")},
			{On: Ref{Type: "user", ID: ForeignID("user", benchTime, "l", "s", "4")}, Prev: ForeignID("evt", benchTime, "l", "s", "5"), Field: "name", Class: Personal, From: stringValue("Sam"), To: stringValue("Sam Roe")},
		},
		Reason: "covers for Dana", Context: Context{
			IP: "203.0.113.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
			Session: ForeignID("ses", benchTime, "l", "s", "6"), Request: ForeignID("req", benchTime, "l", "s", "7"), Via: "web"},
	}
}

func BenchmarkEncode(b *testing.B) {
	e := usualEvent()
	who, what := sha256.Sum256([]byte("who")), sha256.Sum256([]byte("what"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode(e, who, what); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	s, err := encode(usualEvent(), sha256.Sum256([]byte("who")), sha256.Sum256([]byte("what")))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(s.Body, &s.Who, &s.What); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		NewID("evt", benchTime)
	}
}

func BenchmarkParseID(b *testing.B) {
	id := NewID("evt", benchTime)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := ParseID(id); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWords(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"ascii", "Dana_Cruz@example.com covers for Sam Roe until Friday"},
		{"accents", "Dána_Çruz@example.com covers for Sam Röe until Friday"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Words(c.text)
			}
		})
	}
}
