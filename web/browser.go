package web

import "strings"

// browsers and systems by what stands in a User-Agent: many claim to be
// others as well, so that the most particular comes first.
var (
	browsers = [][2]string{
		{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"Vivaldi/", "Vivaldi"}, {"SamsungBrowser/", "Samsung Internet"},
		{"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}
	systems = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"Linux", "Linux"},
	}
)

// browser names what a User-Agent says in two words: "Chrome on Linux".
func browser(agent string) string {
	b, s := named(browsers, agent), named(systems, agent)
	switch {
	case b == "" && s == "":
		if agent == "" {
			return "Unknown browser"
		}
		return clipped(agent, 40)
	case b == "":
		return "Browser on " + s
	case s == "":
		return b
	}
	return b + " on " + s
}

func named(list [][2]string, agent string) string {
	for _, e := range list {
		if strings.Contains(agent, e[0]) {
			return e[1]
		}
	}
	return ""
}
