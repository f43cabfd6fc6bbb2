package view

// iconPaths are drawn on a grid of 16 with a stroke of 1.5, in the colour of
// the text around them.
var iconPaths = map[string]string{
	"calls":     "M5.2 2.2 6.7 5.4 5.2 6.6a8 8 0 0 0 4.2 4.2l1.2-1.5 3.2 1.5c-.1 1.8-1.3 3-3 3A9.6 9.6 0 0 1 2.2 5.2c0-1.7 1.2-2.9 3-3Z",
	"metrics":   "M2.5 13.5h11M4.5 10.5v-3M8 10.5v-7M11.5 10.5v-5",
	"users":     "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM1.5 13.5c.3-2.6 2-4 4.5-4s4.2 1.4 4.5 4M10.5 2.8a2.5 2.5 0 0 1 0 4.6M12 9.8c1.5.5 2.3 1.8 2.5 3.7",
	"user":      "M8 7.5a2.750 2.750 0 1 0 0-5.5 2.750 2.750 0 0 0 0 5.5ZM2.8 14c.3-3 2.3-4.5 5.2-4.5s4.9 1.5 5.2 4.5",
	"devices":   "M2.5 3h11v7.5h-11ZM1 13h14M6.5 10.5 6 13M9.5 10.5l.5 2.5",
	"settings":  "M2 4.5h5.5M11.5 4.5H14M2 11.5h2.5M8.5 11.5H14M9.5 2.5v4M6.5 9.5v4",
	"team":      "M2.5 13.5v-11h7v11M9.5 6.5h4v7M1.5 13.5h13M5 5.5h2M5 8.5h2",
	"log":       "M3.5 1.5h9v13h-9ZM6 5h4M6 8h4M6 11h2.5",
	"shield":    "M8 1.5 13 3.3V8c0 3-2 5.2-5 6.5C5 13.2 3 11 3 8V3.3Z",
	"eye":       "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
	"headset":   "M2.5 10V8a5.5 5.5 0 0 1 11 0v2M2.5 9h2v4h-2ZM11.5 9h2v4h-2ZM13.5 13c-.6 1-1.8 1.5-4 1.5",
	"down":      "m4 6.5 4 4 4-4",
	"right":     "m6 3.5 4.5 4.5L6 12.5",
	"left":      "M10 3.5 5.5 8l4.5 4.5",
	"up":        "m4 9.5 4-4 4 4",
	"search":    "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.5 10.5l3.5 3.5",
	"close":     "m4 4 8 8M12 4l-8 8",
	"check":     "m3 8.5 3.5 3.5L13 4.5",
	"plus":      "M8 3v10M3 8h10",
	"more":      "M3.5 8h.01M8 8h.01M12.5 8h.01",
	"only":      "M2 3h12L9.5 8.5v4l-3 1.5V8.5Z",
	"exclude":   "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM3.8 3.8l8.4 8.4",
	"ban":       "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM3.8 3.8l8.4 8.4",
	"clock":     "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.5V8l2.5 1.5",
	"warning":   "M8 2 14.5 13.5h-13ZM8 6.5v3M8 11.7h.01",
	"error":     "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 5v3.5M8 11h.01",
	"done":      "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.3 8.2l2 2 3.5-4",
	"inbound":   "M12.5 3.5 4 12M4 5.5V12h6.5",
	"outbound":  "M3.5 12.5 12 4M5.5 4H12v6.5",
	"export":    "M8 2v8M4.8 7 8 10.2 11.2 7M2.5 11v3h11v-3",
	"trash":     "M2.5 4h11M6 4V2.5h4V4M4 4l.7 10h6.6L12 4M6.7 7v4.5M9.3 7v4.5",
	"edit":      "m3 10.5 7.5-7.5 2.5 2.5L5.5 13H3Z",
	"undo":      "M5.5 3 2.5 6l3 3M2.5 6H10a3.5 3.5 0 0 1 0 7H6.5",
	"link":      "M6.5 9.5a2.7 2.7 0 0 0 3.8 0l2.4-2.4a2.7 2.7 0 0 0-3.8-3.8l-.9.9M9.5 6.5a2.7 2.7 0 0 0-3.8 0L3.3 8.9a2.7 2.7 0 0 0 3.8 3.8l.9-.9",
	"move":      "M2 8h11M9.5 4.5 13 8l-3.5 3.5",
	"key":       "M5.5 12.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM7.7 7.3 13 2M11 4l2 2",
	"signout":   "M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3",
	"switch":    "M3 5.5h9.5M10 3l2.5 2.5L10 8M13 10.5H3.5M6 8 3.5 10.5 6 13",
	"copy":      "M5.5 5.5h8v8h-8ZM10.5 5.5v-3h-8v8h3",
	"dot":       "M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
	"open":      "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
	"terminal":  "M2 2.5h12v11H2ZM4.5 6l2 2-2 2M8.5 10.5h3",
	"calendar":  "M2.5 3.5h11v10h-11ZM2.5 6.5h11M5.5 2v3M10.5 2v3",
	"unlock":    "M3.5 7.5h9v6h-9ZM5.5 7.5V5A2.5 2.5 0 0 1 10.3 4",
	"moved":     "M2.5 3h11v7.5h-11ZM1 13h14M5.5 6.7h5M8.7 4.9l1.8 1.8-1.8 1.8",
	"withheld":  "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM3 13 13 3",
	"spark":     "M8 1.5 9.5 6.5 14.5 8 9.5 9.5 8 14.5 6.5 9.5 1.5 8 6.5 6.5Z",
	"keyboard":  "M1.5 4h13v8.5h-13ZM4 6.8h.01M6.7 6.8h.01M9.3 6.8h.01M12 6.8h.01M5 10h6",
	"recording": "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
}

// kindIcon is the icon of an actor's or object's kind.
func kindIcon(kind string) string {
	switch kind {
	case "call":
		return "calls"
	case "user":
		return "user"
	case "device":
		return "devices"
	case "metric", "score":
		return "metrics"
	case "team", "organization":
		return "team"
	case "session":
		return "signout"
	case "api_key":
		return "key"
	case "operator":
		return "terminal"
	case "system":
		return "settings"
	case "audit_log":
		return "log"
	}
	return "dot"
}

func roleIcon(role string) string {
	switch role {
	case "Admin":
		return "shield"
	case "Auditor":
		return "eye"
	}
	return "headset"
}

func (s UserState) label() (text, icon, class string) {
	switch s {
	case UserBlocked:
		return "Blocked", "ban", "pill bad"
	case UserInvited:
		return "Invited", "clock", "pill wait"
	}
	return "Active", "check", "pill good"
}

func (s DeviceState) label() (text, icon, class string) {
	switch s {
	case DeviceBlocked:
		return "Blocked", "ban", "pill bad"
	case DeviceUnassigned:
		return "Unassigned", "open", "pill"
	}
	return "Assigned", "check", "pill good"
}
