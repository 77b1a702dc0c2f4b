package api

import "time"

// timestamp is a time as AWS's clients read it: RFC 3339 (the JavaScript SDK refuses
// numbers). The zero time is the empty string, to be left out.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
