package stage

import "strings"

// describeUserAgent gives what the API shows of a viewer's browser, as far as the header
// tells: name, version, and the operating system. Browsers freeze most of the header, so
// that finer parsing would tell no more.
func describeUserAgent(header string) (browser, version, system, systemVersion string) {
	const longest = 64
	for _, known := range []struct{ mark, name string }{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chromium/", "Chromium"},
		{"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"}, {"Version/", "Safari"},
	} {
		if _, rest, found := strings.Cut(header, known.mark); found {
			browser, version = known.name, leadingVersion(rest, longest)
			break
		}
	}
	for _, known := range []struct{ mark, name string }{
		{"Windows NT ", "Windows"}, {"Android ", "Android"}, {"iPhone OS ", "iOS"}, {"CPU OS ", "iOS"}, {"Mac OS X ", "macOS"},
	} {
		if _, rest, found := strings.Cut(header, known.mark); found {
			return browser, version, known.name, leadingVersion(strings.ReplaceAll(rest, "_", "."), longest)
		}
	}
	if strings.Contains(header, "Linux") {
		system = "Linux"
	}
	return browser, version, system, ""
}

func leadingVersion(s string, longest int) string {
	end := 0
	for end < len(s) && end < longest && (s[end] == '.' || s[end] >= '0' && s[end] <= '9') {
		end++
	}
	return s[:end]
}
