package session

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"onrecord/audit"
)

func TestVerify(t *testing.T) {
	ctx, p := t.Context(), NewPasswords()
	const password = "caf\u00e9 au lait, s'il vous pla\u00eet"
	hash, err := p.Hash(ctx, password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash %s is not by OWASP's parameters", hash)
	}
	again, err := p.Hash(ctx, password)
	if err != nil || again == hash {
		t.Errorf("a second hash is the same (%v): the salt is not random", err)
	}
	for _, c := range []struct {
		password, hash string
		want           bool
	}{
		{password, hash, true},
		{"cafe\u0301 au lait, s'il vous plai\u0302t", hash, true}, // decomposed, as macOS spells it
		{password + " ", hash, false},
		{"Caf\u00e9 au lait, s'il vous pla\u00eet", hash, false},
		{"", hash, false},
		{strings.Repeat("x", longestPassword+1), hash, false},
		{password, "", false},
		{"", "", false},
	} {
		got, err := p.Verify(ctx, c.password, c.hash)
		if err != nil || got != c.want {
			t.Errorf("Verify(%.40q, %.10q…) = %t, %v; want %t", c.password, c.hash, got, err, c.want)
		}
	}
}

func TestVerifyDamagedHash(t *testing.T) {
	for _, hash := range []string{"plain text", "$argon2id$v=19$m=19456,t=2,p=1$short", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"} {
		if ok, err := NewPasswords().Verify(t.Context(), "correct horse battery staple", hash); ok || err == nil {
			t.Errorf("Verify with hash %q = %t, %v", hash, ok, err)
		}
	}
}

// The time itself is not asked, which would make the test a coin toss: that the
// stand-in is a good hash of the same parameters is what makes it equal.
func TestUnknownAccountsCostTheSame(t *testing.T) {
	hash, err := NewPasswords().Hash(t.Context(), "correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	shape := func(hash string) string {
		head, _, _ := strings.Cut(hash, ",p=1$")
		return head
	}
	if shape(hash) != shape(nobody) || len(hash) != len(nobody) {
		t.Errorf("an unknown account is compared with %s, a known one with %s", nobody, hash)
	}
}

func TestWaitingForATurnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords()
		for range cap(p.turns) {
			p.turns <- struct{}{}
		}
		start := time.Now()
		_, err := p.Hash(t.Context(), "correct horse battery staple")
		if audit.CodeOf(err) != audit.CodeTooMany || time.Since(start) != longestWait {
			t.Errorf("Hash without a turn = %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Verify(ctx, "correct horse battery staple", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Verify without a turn = %v", err)
		}
		<-p.turns
		if _, err := p.Verify(t.Context(), "correct horse battery staple", ""); err != nil {
			t.Errorf("Verify with a turn = %v", err)
		}
		if want := cap(p.turns) - 1; len(p.turns) != want {
			t.Errorf("%d turns are taken, want %d", len(p.turns), want)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	p := NewPasswords()
	hash, err := p.Hash(t.Context(), "correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if ok, err := p.Verify(t.Context(), "correct horse battery staple", hash); !ok || err != nil {
				t.Errorf("Verify = %t, %v", ok, err)
			}
		})
	}
	wg.Wait()
}
