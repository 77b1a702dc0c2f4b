package webrtchttp

import (
	"net/http"
	"strings"
)

// Match is how a request's If-Match relates to the entity tag of the ICE session.
type Match int

// The outcomes of MatchETag.
const (
	NoCondition Match = iota // there is no If-Match
	AnyTag                   // If-Match: *, which RFC 9725, 4.3.3, uses for an ICE restart
	SameTag                  // the current tag is among those listed
	OtherTag                 // only other tags are listed: answer 412
)

// QuoteETag makes a strong entity tag (RFC 9110, 8.8.3) of an identifier.
func QuoteETag(id string) string { return `"` + id + `"` }

// MatchETag compares If-Match with the current tag, which QuoteETag made. A missing pair of
// quotes and a weak tag are forgiven: the tags differ only by session and restart.
func MatchETag(r *http.Request, current string) Match {
	header := strings.Join(r.Header.Values("If-Match"), ",")
	if strings.TrimSpace(header) == "" {
		return NoCondition
	}
	for tag := range strings.SplitSeq(header, ",") {
		switch bare := bareTag(tag); {
		case bare == "*":
			return AnyTag
		case bare == bareTag(current):
			return SameTag
		}
	}
	return OtherTag
}

func bareTag(tag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
}
