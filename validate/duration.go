package validate

import "time"

// The rule "duration": 24 h of media time.

func (w words) durationOf(session time.Duration) *Finding {
	if session >= w.limits.Duration {
		return w.tooLong(session)
	}
	return nil
}
