package seal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"onrecord/audit/seal"
)

// pythonDriver has the verifier of the documentation look at many files in one
// process, with and without a package for Ed25519.
const pythonDriver = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("verify", sys.argv[1])
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
if sys.argv[2] == "alone":
    verify.check_signature = verify.rfc8032
answers = []
for path, key, since in json.load(sys.stdin):
    try:
        verify.verify(path, key, since or None)
        answers.append("")
    except verify.Wrong as wrong:
        answers.append(str(wrong))
json.dump(answers, sys.stdout)
`

type pythonCase struct{ name, file, since string }

// python gives the answer of the Python verifier for each case; "" is proved.
func python(t *testing.T, how string, key string, cases []pythonCase) []string {
	t.Helper()
	folder := t.TempDir()
	var in [][3]string
	for i, c := range cases {
		path := filepath.Join(folder, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		in = append(in, [3]string{path, key, c.since})
	}
	stdin, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("python3", "-c", pythonDriver, "../../docs/verify.py", how)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3 (scripts/test-setup installs it): %v\n%s", err, &stderr)
	}
	var answers []string
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(cases) {
		t.Fatalf("%v: %s", err, out)
	}
	return answers
}

// TestPythonAgrees: the verifier in the documentation, written from the
// documentation, finds good what ours does and nothing else.
func TestPythonAgrees(t *testing.T) {
	s := newSample(t, team, 40)
	s.entries[3].Who = nil
	cases := []pythonCase{
		{"whole", s.all(t), ""},
		{"some", s.export(t, s.checkpoint(t, 40), "q", func(leaf int64) bool { return leaf%7 == 2 }), ""},
		{"none", s.export(t, s.checkpoint(t, 40), "q", func(int64) bool { return false }), ""},
		{"extends", s.all(t), string(s.checkpoint(t, 23))},
		{"cut", s.export(t, s.checkpoint(t, 40), "q", func(leaf int64) bool { return leaf == 2 }, 23), string(s.checkpoint(t, 23))},
		{"not cut", s.export(t, s.checkpoint(t, 40), "q", func(leaf int64) bool { return leaf == 2 }), string(s.checkpoint(t, 23))},
		{"set back", s.export(t, s.checkpoint(t, 20), "q", func(leaf int64) bool { return leaf < 20 }), string(s.checkpoint(t, 23))},
		{"empty", newSampleWith(t, s.key, 0).all(t), ""},
		{"ten thousand", newSampleWith(t, s.key, 10_000).all(t), ""},
		{"a stranger's", newSample(t, team, 5).all(t), ""},
	}
	for _, c := range tamperings(t, s.key) {
		cases = append(cases, pythonCase{c.name, c.file, ""})
	}
	cases = append(cases, corruptions(s.all(t))...)
	key := s.key.LogKey(seal.Installation(org)).String()
	for _, how := range []string{"with packages", "alone"} {
		proved := 0
		for i, answer := range python(t, how, key, cases) {
			r := s.verify(t, cases[i].file, func(o *seal.Options) { o.Since = []byte(cases[i].since) })
			if r.OK() != (answer == "") {
				t.Errorf("%s, %s: Python says %q, Go says:\n%s", how, cases[i].name, answer, faults(r))
			}
			if r.OK() {
				proved++
			}
		}
		if proved != 7 {
			t.Errorf("%s: %d files are proved, want 7", how, proved)
		}
	}
}

// corruptions changes one byte at many places of a file.
func corruptions(file string) []pythonCase {
	var all []pythonCase
	for i := range 300 {
		at := (i * 7919) % len(file)
		b := []byte(file)
		b[at] ^= byte(1 + i%7)
		all = append(all, pythonCase{fmt.Sprintf("byte %d", at), string(b), ""})
	}
	return all
}

// newSampleWith is a sample that another one's key signs.
func newSampleWith(t testing.TB, key seal.Key, n int) *sample {
	s := newSample(t, team, n)
	s.key = key
	return s
}

// TestPythonCommand runs the script as a person does.
func TestPythonCommand(t *testing.T) {
	s := newSample(t, team, 3)
	path := filepath.Join(t.TempDir(), "export.jsonl")
	key := s.key.LogKey(s.origin()).String()
	for _, c := range []struct {
		file, want string
		status     int
	}{
		{s.all(t), "3 events, all events of the log onrecord/org_01/team_01 up to 3 leaves, as they were sealed\n", 0},
		{strings.Replace(s.all(t), "Sam Roe", "Sam Rae", 1), "line 2: the part what is not the one that the sealed bytes commit to\n", 1},
	} {
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("python3", "../../docs/verify.py", path, key)
		out, _ := cmd.Output()
		if string(out) != c.want || cmd.ProcessState.ExitCode() != c.status {
			t.Errorf("%d: %s", cmd.ProcessState.ExitCode(), out)
		}
	}
}
