package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"onrecord/portal/transcript"
)

// rules is a grammar of what is said on the telephone. A name in braces stands
// for one of the lines of its rule; {agent} and {caller} are the speakers'
// names.
var rules = map[string][]string{
	"hello":    {"Good {day}, thank you for calling Brightwater, my name is {agent}. {offer}", "Welcome to Brightwater, this is {agent}. {offer}", "Brightwater, {agent} speaking. {offer}", "Brightwater."},
	"day":      {"morning", "afternoon"},
	"offer":    {"How can I help you today?", "How may I help?", "What can I do for you?"},
	"greeting": {"Hi {agent}, {caller} here.", "Hello, my name is {caller}.", "Good {day}.", "Yes, hello, um, I hope you can help me."},
	"verify":   {"Of course. Can I have your account number, please?", "Let me look. What is your date of birth, to verify your identity?", "Sure. Could you confirm your address for me?", "May I have your order number?"},
	"answer":   {"It is {digit}{digit} {digit}{digit}{digit} {digit}{digit}.", "One moment, um, it starts with {digit}{digit}{digit} and ends with {digit}{digit}.", "Yes, twelve Mill Lane."},
	"digit":    {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
	"found":    {"Thank you, I have it here.", "Thanks, that matches.", "Great, I can see your account."},
	"wait":     {"One moment while I check.", "Please stay on the line, I am looking at it now.", "This takes a second."},
	"thanks":   {"Oh, that was quick. Thank you.", "Alright, thank you.", "Okay, I appreciate it.", "Fine, thanks."},
	"more":     {"Is there anything else I can help you with?", "Do you have any other questions?"},
	"no":       {"No, that was all.", "No, you have been helpful.", "No thanks."},
	"bye":      {"Thank you for calling, have a great day.", "Have a nice {day}. Goodbye.", "Take care, bye.", "Okay."},

	"billing":          {"My bill is {amount} higher than last month and I do not know why.", "I was, um, charged twice in {month}.", "There is a fee of {amount} on my invoice that I never agreed to."},
	"billing fix":      {"I see the second charge. I have refunded {amount}; it takes three working days.", "That was the meter reading of {month}. I have corrected it and the new bill is on its way.", "The fee should not be there. I have taken it off."},
	"amount":           {"twelve pounds", "forty euros", "eighteen fifty", "nine pounds ninety"},
	"month":            {"September", "October", "the spring", "August"},
	"delivery":         {"My delivery was supposed to come {when} and nobody came.", "The tracking has said out for delivery since {when}.", "Half of my order is missing."},
	"delivery fix":     {"The driver could not find the gate. I have booked it again for {soon}.", "It is at the depot. You will have it {soon}.", "I am sending the missing part {soon}, without charge."},
	"when":             {"on Tuesday", "yesterday", "this morning", "last week"},
	"soon":             {"tomorrow before noon", "on Friday", "within two days"},
	"technical":        {"The valve beeps {often} and I do not know how to stop it.", "The app says that the sensor is offline.", "Since the update the display stays, like, completely dark."},
	"technical fix":    {"Please hold the button for five seconds. Does the light turn green?", "I have restarted the sensor from here, it should be back in a minute.", "That sounds like the battery. I will send you a new one {soon}."},
	"often":            {"every hour", "all night", "twice a minute"},
	"cancellation":     {"I would like to cancel my contract.", "We are moving {when} and, you know, we no longer need the service."},
	"cancellation fix": {"I have noted the end of the contract for the last day of the month.", "I have cancelled it and sent you the confirmation."},
	"new order":        {"I would like to order the larger filter.", "Can I add a second tap to my plan?", "What does the annual plan cost?"},
	"new order fix":    {"I have added it. The first payment is {amount}.", "The annual plan is {amount} a month. Shall I send you the offer?"},
	"appointment":      {"I need somebody to look at the boiler.", "Can we move the appointment from {when}?"},
	"appointment fix":  {"A technician can come {soon}. Is that alright?", "I have moved it, they will come {soon}."},
	"complaint":        {"This is the third time I call about this and nobody has, um, called me back.", "Your technician left the cellar under water and I want that on record."},
	"complaint fix":    {"I am sorry to hear that. I have opened a complaint, and a supervisor will call you {soon}.", "I apologise. I have written down everything you said and passed it on."},
}

// topics are what calls are about, the most frequent first.
var topics = []string{"billing", "delivery", "technical", "new order", "appointment", "cancellation", "complaint"}

// talk makes a conversation.
type talk struct {
	random        *rand.Rand
	agent, caller string
	turns         []transcript.Turn
	now           time.Duration
	pace          float64 // words a second
}

// say adds a turn that a rule makes. Now and then it begins before the other
// one has ended.
func (t *talk) say(speaker, rule string) {
	text := t.expand(rule)
	gap := time.Duration(200+t.random.IntN(1400)) * time.Millisecond
	if t.random.IntN(9) == 0 && len(t.turns) > 0 {
		gap = -time.Duration(150+t.random.IntN(500)) * time.Millisecond
	}
	start := max(0, t.now+gap)
	length := time.Duration(float64(len(strings.Fields(text)))/t.pace*1000+300) * time.Millisecond
	end := start + length
	t.now = end
	t.turns = append(t.turns, transcript.Turn{Speaker: speaker, Start: &start, End: &end, Text: text})
}

// expand replaces every name in braces.
func (t *talk) expand(rule string) string {
	switch rule {
	case "agent":
		return strings.Fields(t.agent)[0]
	case "caller":
		return t.caller
	}
	lines, ok := rules[rule]
	if !ok {
		panic(fmt.Sprintf("demo: the grammar has no rule %q", rule))
	}
	var out strings.Builder
	rest := lines[t.random.IntN(len(lines))]
	for {
		before, after, found := strings.Cut(rest, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name, following, _ := strings.Cut(after, "}")
		out.WriteString(t.expand(name))
		rest = following
	}
}

// converse makes the transcript of a call about a topic.
func converse(r *rand.Rand, agent, caller, topic string) []transcript.Turn {
	t := &talk{random: r, agent: agent, caller: caller, pace: 2.2 + r.Float64()*0.9}
	t.say(transcript.Agent, "hello")
	t.say(transcript.Customer, "greeting")
	t.say(transcript.Customer, topic)
	if r.IntN(4) > 0 {
		t.say(transcript.Agent, "verify")
		t.say(transcript.Customer, "answer")
		t.say(transcript.Agent, "found")
	}
	for range 1 + r.IntN(3) {
		t.say(transcript.Agent, "wait")
		t.now += time.Duration(2+r.IntN(9)) * time.Second
		t.say(transcript.Agent, topic+" fix")
		t.say(transcript.Customer, "thanks")
		if r.IntN(3) == 0 {
			t.say(transcript.Customer, topic)
		}
	}
	if r.IntN(3) > 0 {
		t.say(transcript.Agent, "more")
		t.say(transcript.Customer, "no")
	}
	t.say(transcript.Agent, "bye")
	return t.turns
}
