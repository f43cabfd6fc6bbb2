package metric_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onrecord/portal/metric"
	"onrecord/portal/transcript"
)

// call makes turns from lines "agent 0-2000 hello" or "agent - hello".
func call(t *testing.T, lines string) []transcript.Turn {
	t.Helper()
	var turns []transcript.Turn
	for l := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		part := strings.SplitN(strings.TrimSpace(l), " ", 3)
		turn := transcript.Turn{Speaker: part[0], Text: part[2]}
		if part[1] != "-" {
			var start, end int
			if _, err := fmt.Sscanf(part[1], "%d-%d", &start, &end); err != nil {
				t.Fatal(l, err)
			}
			turn.Start, turn.End = at(start), at(end)
		}
		turns = append(turns, turn)
	}
	return turns
}

func at(ms int) *time.Duration {
	d := time.Duration(ms) * time.Millisecond
	return &d
}

func value(turns []transcript.Turn, key string) string {
	for _, r := range metric.Compute(turns) {
		if r.Key == key {
			if !r.Available() {
				return "n/a"
			}
			return r.Value.String()
		}
	}
	return "no such metric"
}

const bank = `
agent 1000-5000 hello this is harper valley national bank
agent 5500-7000 my name is elizabeth how can i help you today
customer 9000-11000 hi i lost my debit card
customer 11200-11400 [noise]
agent 12500-14500 uh which card would you like to replace
customer 15000-17000 my debit card
agent 16000-17500 umm can you repeat that please
customer 19500-20000 yes
agent 21000-24000 is there anything else i can help you with
customer 22000-22500 okay
agent 25000-26000 thank you for calling
action - Card ordered.`

// The values of bank, by hand:
//
//	agent speaks    4000+1500+2000+1500+3000+1000 = 13000 ms
//	other speaks    2000+2000+500+500             =  5000 ms ([noise] is no speech)
//	talk share      13000/18000                   = 72.2 %
//	agent's words   7+10+8+6+9+4                  = 44; 44/(13/60) = 203.08
//	monologues      1000-7000; 12500-14500; 16000-17500; 21000-26000 (the customer's okay lies within a turn)
//	answers         12500-11000, 16000 before 17000, 21000-20000 = 1500+0+1000, mean 833 ms
//	interruptions   16000 begins 1000 ms before 17000
//	questions       how can i; would you; can you; is there
func TestComputeByHand(t *testing.T) {
	want := []string{
		"talk_share 72.2 %", "words_per_minute 203 words/min", "longest_monologue 6.0 s", "response_delay 0.8 s",
		"interruptions 1", "questions_asked 4", "filler_words 2",
		"checklist_adherence 83.3 %", "greeting 100.0 %", "identification 100.0 %", "offer_of_help 100.0 %", "verification 0.0 %",
		"further_help 100.0 %", "closing 100.0 %",
	}
	var got []string
	for _, r := range metric.Compute(call(t, bank)) {
		m, ok := metric.Get(r.Key)
		if !ok {
			t.Fatalf("no metric %s", r.Key)
		}
		got = append(got, r.Key+" "+m.Format(r.Value))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestComputeCases(t *testing.T) {
	for _, tt := range []struct{ name, key, turns, want string }{
		{"half each", "talk_share", "agent 0-1000 a\ncustomer 1000-2000 b", "50.0"},
		{"own overlap counts once", "talk_share", "agent 0-1000 a\nagent 500-1500 b\nagent 600-700 c\ncustomer 2000-2500 d", "75.0"},
		{"both at once", "talk_share", "agent 0-1000 a\ncustomer 0-1000 b", "50.0"},
		{"a third party is not the agent", "talk_share", "agent 0-1000 a\nSupervisor 1000-4000 b", "25.0"},
		{"silent agent", "talk_share", "customer 0-1000 a", "0.0"},
		{"agent alone", "talk_share", "agent 0-1000 a", "100.0"},
		{"no time at all", "talk_share", "agent 5-5 a\ncustomer 6-6 b", "n/a"},
		{"one turn without times", "talk_share", "agent 0-1000 a\ncustomer - b", "n/a"},
		{"an action needs no times", "talk_share", "agent 0-1000 a\naction - b", "100.0"},
		{"a third", "talk_share", "agent 0-1000 a\ncustomer 1000-3000 b", "33.3"},
		{"two thirds", "talk_share", "agent 0-2000 a\ncustomer 2000-3000 b", "66.7"},

		{"120 words in a minute", "words_per_minute", "agent 0-60000 " + strings.Repeat("ja ", 120), "120"},
		{"apostrophes and hyphens", "words_per_minute", "agent 0-60000 don’t check-in at 10 [noise] <unk> ...", "4"},
		{"a silent agent has no speed", "words_per_minute", "customer 0-1000 a", "n/a"},
		{"impossible speed", "words_per_minute", "agent 0-10 one two three", "n/a"},
		{"no duration", "words_per_minute", "agent 7-7 one", "n/a"},

		{"a pause of 2 s goes on", "longest_monologue", "agent 0-1000 a\nagent 3000-4000 b", "4.0"},
		{"a longer one does not", "longest_monologue", "agent 0-1000 a\nagent 3001-4000 b", "1.0"},
		{"the other side ends it", "longest_monologue", "agent 0-1000 a\ncustomer 1100-1200 no\nagent 1300-1900 b", "1.0"},
		{"okay between turns is an answer", "longest_monologue", "agent 0-1000 a\ncustomer 1100-1200 okay\nagent 1300-1900 b", "1.0"},
		{"okay within a turn is none", "longest_monologue", "agent 0-1000 a\ncustomer 500-700 okay\nagent 1300-1900 b", "1.9"},
		{"disorder", "longest_monologue", "agent 1300-1900 b\nagent 0-1000 a", "1.9"},
		{"a silent agent", "longest_monologue", "customer 0-1000 a", "n/a"},

		{"one answer", "response_delay", "customer 0-1000 a\nagent 1250-2000 b", "0.3"},
		{"only the first turn answers", "response_delay", "customer 0-1000 a\nagent 2000-2500 b\nagent 9000-9500 c", "1.0"},
		{"from the latest end", "response_delay", "customer 0-5000 a\ncustomer 1000-2000 b\nagent 6000-7000 c", "1.0"},
		{"overlap is no delay", "response_delay", "customer 0-5000 a\nagent 3000-7000 c", "0.0"},
		{"nothing to answer", "response_delay", "agent 0-1000 a\ncustomer 1000-2000 b", "n/a"},

		{"half a second before the end", "interruptions", "customer 0-1000 a\nagent 500-1500 b", "1"},
		{"a little less", "interruptions", "customer 0-1000 a\nagent 501-1500 b", "0"},
		{"together", "interruptions", "customer 0-1000 a\nagent 0-1500 b", "0"},
		{"mhm is none", "interruptions", "customer 0-5000 a\nagent 500-900 mhm okay", "0"},
		{"okay that goes on is one", "interruptions", "customer 0-5000 a\nagent 500-6000 okay", "1"},
		{"noise is none", "interruptions", "customer 0-5000 a\nagent 500-900 [noise]", "0"},
		{"within a longer, earlier one", "interruptions", "customer 0-9000 a\ncustomer 100-200 b\nagent 500-900 c", "1"},
		{"the customer's do not count", "interruptions", "agent 0-9000 a\ncustomer 100-2000 b", "0"},

		{"marks", "questions_asked", "agent - Really?! Are you sure? Fine.\ncustomer - What?", "2"},
		{"marks win over word order", "questions_asked", "agent - can you wait.", "0"},
		{"word order", "questions_asked", "agent - can you wait\nagent - i can wait\nagent - what is your name\nagent - what's up", "3"},
		{"a turn asks once", "questions_asked", "agent - can you tell me what is wrong", "1"},
		{"script is text", "questions_asked", "agent - <script>alert('?')</script>", "1"},

		{"fillers", "filler_words", "agent - Uh, um... uhm UMMM er erm uhh\ncustomer - uh", "7"},
		{"none", "filler_words", "agent - error user hum umbrella err uh-huh", "0"},

		{"too late to greet", "greeting", "agent - one\nagent - two\nagent - hello", "0.0"},
		{"the customer's turns do not count", "greeting", "customer - a\ncustomer - b\ncustomer - c\nagent - x\nagent - Good  MORNING!", "100.0"},
		{"noise takes no place", "greeting", "agent - [noise]\nagent - [noise]\nagent - hello", "100.0"},
		{"whole words", "greeting", "agent - this chip", "0.0"},
		{"the customer greets", "greeting", "customer - hello\nagent - yes", "0.0"},
		{"up to four words between", "offer_of_help", "agent - how may i of course help", "100.0"},
		{"five are too many", "offer_of_help", "agent - how may i of course gladly help", "0.0"},
		{"too early to close", "closing", "agent - bye\nagent - a\nagent - b\nagent - c", "0.0"},
		{"late enough", "closing", "agent - bye\nagent - b\nagent - c", "100.0"},
		{"a silent agent has no adherence", "checklist_adherence", "customer - hello", "n/a"},
		{"nothing done", "checklist_adherence", "agent - no", "0.0"},

		{"noise alone", "filler_words", "agent - [noise]", "n/a"},
		{"actions alone", "questions_asked", "action - done?", "n/a"},
	} {
		t.Run(tt.key+"/"+tt.name, func(t *testing.T) {
			if got := value(call(t, tt.turns), tt.key); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestComputeWithoutTurnsOrTimes(t *testing.T) {
	for _, r := range metric.Compute(nil) {
		if r.Available() {
			t.Errorf("%s of no turns is %s", r.Key, r.Value)
		}
	}
	untimed := call(t, bank)
	for i := range untimed {
		untimed[i].Start, untimed[i].End = nil, nil
	}
	for _, r := range metric.Compute(untimed) {
		if m, _ := metric.Get(r.Key); r.Available() == m.NeedsTimes {
			t.Errorf("%s without times: %q", r.Key, m.Format(r.Value))
		}
	}
}

func TestCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range metric.All() {
		if m.Key == "" || m.Name == "" || m.Doc == "" || m.Source == "" || m.Unit.Bounds() == "0 to 0" || seen[m.Key] || seen[m.Name] {
			t.Errorf("incomplete or twice: %+v", m)
		}
		if m.Group != metric.SpeechAnalytics && m.Group != metric.AgentAssist {
			t.Errorf("%s is in the group %q", m.Key, m.Group)
		}
		seen[m.Key], seen[m.Name] = true, true
	}
	for _, item := range metric.Checklist() {
		if !seen[item.Key] {
			t.Errorf("%s has no metric", item.Key)
		}
	}
	if _, ok := metric.Get("talk_shares"); ok {
		t.Error("found a metric that is not there")
	}
}

// anyTurns draws turns with any times, in any order.
func anyTurns(t *rapid.T) []transcript.Turn {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "[noise]", "okay", "hello my name is dana", "how can i help you", "uh what is that", "bye", "<script>alert(1)</script>?", "I mean, um… right?!"}))
	timed := rapid.IntRange(0, 9).Draw(t, "timed") > 0
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) transcript.Turn {
		turn := transcript.Turn{Speaker: rapid.SampledFrom([]string{"agent", "customer", "action", "Bob"}).Draw(t, "speaker"), Text: text.Draw(t, "text")}
		if timed || rapid.Bool().Draw(t, "times") {
			start := rapid.OneOf(rapid.IntRange(0, 20_000), rapid.IntRange(0, 359_999_999)).Draw(t, "start")
			turn.Start = at(start)
			turn.End = at(min(359_999_999, start+rapid.OneOf(rapid.IntRange(0, 3_000), rapid.IntRange(0, 359_999_999)).Draw(t, "length")))
		}
		return turn
	}), 0, 30).Draw(t, "turns")
}

func TestComputeKeepsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turns := anyTurns(t)
		for _, r := range metric.Compute(turns) {
			m, _ := metric.Get(r.Key)
			if !r.Available() {
				continue
			}
			if m.NeedsTimes && !transcript.Timed(turns) {
				t.Fatalf("%s without times is %s", r.Key, r.Value)
			}
			if again, err := metric.ParseValue(m, r.Value.String()); err != nil || again != r.Value {
				t.Fatalf("%s is %s: %v", r.Key, r.Value, err)
			}
		}
	})
}

// Of turns with times, the order of the input does not matter; nor do turns
// that say nothing.
func TestComputeAsksForNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turns := anyTurns(t)
		if !transcript.Timed(turns) {
			return
		}
		want := fmt.Sprint(metric.Compute(turns))
		shuffled := rapid.Permutation(turns).Draw(t, "order")
		if got := fmt.Sprint(metric.Compute(shuffled)); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		first := turns[0]
		first.Text, first.Speaker, first.Start, first.End = " [noise] …", "agent", at(1), at(359_999_999)
		if got := fmt.Sprint(metric.Compute(append(shuffled, first))); got != want {
			t.Fatalf("with noise: got  %s\nwant %s", got, want)
		}
	})
}

// Where a folder of real calls lies beside the repository, all are computed.
func TestRealCalls(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/calls/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		calls, available := 0, map[string]int{}
		var last string
		for c, err := range transcript.Open(bufio.NewReader(f), filepath.Base(file), transcript.Options{StartedAt: &now, Agent: "A"}) {
			if err != nil {
				t.Fatal(err)
			}
			calls++
			last = c.Place
			for _, r := range metric.Compute(c.Turns) {
				m, _ := metric.Get(r.Key)
				if !r.Available() {
					continue
				}
				available[r.Key]++
				last += fmt.Sprintf("; %s %s", m.Name, m.Format(r.Value))
				if _, err := metric.ParseValue(m, r.Value.String()); err != nil {
					t.Errorf("%s: %v", c.Place, err)
				}
			}
		}
		t.Logf("%s: %d calls, available %v\n%s", filepath.Base(file), calls, available, last)
	}
}
