package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/validate"
)

// checkResult is the outcome of a check.
type checkResult string

const (
	resultPass       checkResult = "pass"
	resultWarn       checkResult = "warn"   // accepted, with warnings
	resultReject     checkResult = "reject" // would be refused
	resultUnreadable checkResult = "unreadable"
)

// checkReport is what check prints. Its JSON is an interface: scripts read it.
type checkReport struct {
	Source    string             `json:"source"`
	Container string             `json:"container,omitempty"`
	JudgedAs  ingest.Protocol    `json:"judgedAs"`
	Result    checkResult        `json:"result"`
	Code      ingest.Code        `json:"code,omitempty"` // that the refusal would have
	Text      string             `json:"text,omitempty"` // that the broadcaster would be told
	Error     string             `json:"error,omitempty"`
	Notes     []string           `json:"notes,omitempty"`
	Rules     []validate.Finding `json:"rules,omitempty"`
}

// conclude fills in the result; failure says why the media could not be read.
func (r *checkReport) conclude(judge *validate.Validator, failure error) {
	if failure != nil {
		r.Result, r.Error = resultUnreadable, failure.Error()
		return
	}
	r.Result, r.Rules = resultPass, judge.Report()
	for _, f := range r.Rules {
		if f.Severity == validate.Warned {
			r.Result = resultWarn
		}
	}
	if refusal := judge.Refusal(); refusal != nil {
		r.Result, r.Code, r.Text = resultReject, refusal.Code, refusal.Detail
	}
}

func (r *checkReport) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return errors.Wrap(e.Encode(r), "print the report")
	}
	_, err := io.WriteString(w, r.text(isTerminal(w)))
	return errors.Wrap(err, "print the report")
}

// text lays the report out as a table; what is wrong takes three lines.
func (r *checkReport) text(colour bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", r.Source)
	if r.Container != "" {
		fmt.Fprintf(&b, " (%s)", r.Container)
	}
	fmt.Fprintf(&b, ", judged as %s\n", r.JudgedAs)
	ruleWidth, seenWidth := len("RULE"), len("SEEN")
	for _, f := range r.Rules {
		ruleWidth = max(ruleWidth, len(f.Rule))
		if f.Change == "" {
			seenWidth = max(seenWidth, len(f.Seen))
		}
	}
	if len(r.Rules) > 0 {
		fmt.Fprintf(&b, "\nRESULT  %-*s  %-*s  ALLOWED\n", ruleWidth, "RULE", seenWidth, "SEEN")
	}
	for _, f := range r.Rules {
		fmt.Fprintf(&b, "%s  %-*s  ", paint(fmt.Sprintf("%-6s", f.Severity), f.Severity, colour), ruleWidth, f.Rule)
		if f.Change == "" {
			fmt.Fprintf(&b, "%-*s  %s\n", seenWidth, f.Seen, f.Allowed)
			continue
		}
		indent := strings.Repeat(" ", len("RESULT  ")+ruleWidth+2)
		fmt.Fprintf(&b, "%s\n%sallowed:     %s\n%schange this: %s\n", f.Seen, indent, f.Allowed, indent, f.Change)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\nNote: %s", note)
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\n%s\n", r.verdict(colour))
	return b.String()
}

func (r *checkReport) verdict(colour bool) string {
	switch r.Result {
	case resultUnreadable:
		return paint("Cannot be judged: ", validate.Rejected, colour) + r.Error
	case resultReject:
		return paint("Would be refused", validate.Rejected, colour) + " with " + string(r.Code) + "."
	case resultWarn:
		return paint("Would be accepted", validate.Warned, colour) + ", with warnings."
	}
	return paint("Would be accepted", validate.Passed, colour) + "."
}

// paint colours a text as its severity.
func paint(text string, s validate.Severity, colour bool) string {
	if !colour {
		return text
	}
	code := map[validate.Severity]string{validate.Passed: "32", validate.Warned: "33", validate.Rejected: "31", validate.Off: "2"}[s]
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
