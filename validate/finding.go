package validate

import (
	"strings"

	"github.com/stagedoor/stagedoor/ingest"
)

// Severity says how a rule judged what it saw.
type Severity string

// The severities. Passed and Off stand in reports only.
const (
	Passed   Severity = "pass"
	Warned   Severity = "warn"
	Rejected Severity = "reject"
	Off      Severity = "off"
)

// maxDetail keeps a text on the one line that RTMP programs show.
const maxDetail = 300

// Finding is what one rule has to say, in the three parts that a broadcaster needs.
type Finding struct {
	Rule     Rule        `json:"rule"`
	Severity Severity    `json:"result"`
	Code     ingest.Code `json:"code,omitempty"`
	Seen     string      `json:"seen"`
	Allowed  string      `json:"allowed"`
	Change   string      `json:"change,omitempty"`
}

// Detail gives the parts as one line: what was seen, what is allowed, which setting to
// change.
func (f *Finding) Detail() string {
	return f.Seen + "; " + f.Allowed + ". " + f.Change
}

// warnIf makes the finding a warning on that condition.
func (f *Finding) warnIf(condition bool) *Finding {
	if condition {
		f.Severity, f.Code = Warned, ""
	}
	return f
}

// rejection gives the refusal for the first finding; the others that break a rule at the
// same moment are named too, as far as there is room, so that a broadcaster can correct
// them all at once.
func rejection(first *Finding, others []*Finding) *ingest.Rejection {
	detail := first.Detail()
	for _, f := range others {
		also := ". Also: " + f.Seen + "; " + f.Allowed
		if len(detail)+len(also) <= maxDetail {
			detail += also
		}
	}
	return &ingest.Rejection{Code: first.Code, Detail: detail}
}

// FindingOf gives the finding in the refusal of a door that could not even unpack the
// media; it takes the text's three parts apart (Detail).
func FindingOf(r *ingest.Rejection) Finding {
	f := Finding{Rule: Tracks, Severity: Rejected, Code: r.Code}
	switch r.Code {
	case ingest.InvalidVideoCodec:
		f.Rule = VideoCodec
	case ingest.InvalidAudioCodec:
		f.Rule = AudioCodec
	}
	var rest string
	f.Seen, rest, _ = strings.Cut(r.Detail, "; ")
	f.Allowed, f.Change, _ = strings.Cut(rest, ". ")
	return f
}
