package rtmp

import (
	"errors"
	"strings"

	"github.com/stagedoor/stagedoor/ingest"
)

// fault is trouble with the connection or the protocol rather than with the stream's format.
// The broadcaster is told its text. The sink gets it as it is, not as a Rejection: nobody
// shall be refused at the next attempt because the network failed at the last one.
type fault string

func (f fault) Error() string { return string(f) }

// worded gives what the broadcaster is told.
func worded(reason error) *ingest.Rejection {
	var f fault
	if errors.As(reason, &f) {
		return &ingest.Rejection{Code: ingest.InvalidInput, Detail: string(f)}
	}
	return ingest.AsRejection(reason)
}

// statusCode chooses the onStatus code for a rejection. Encoders show the description for
// these two codes only: OBS has no words for any other.
func statusCode(code ingest.Code) string {
	if code == ingest.ReuseOfStreamKey {
		return "NetStream.Publish.BadName"
	}
	return "NetStream.Publish.Denied"
}

// refusal builds the body of an onStatus command (RTMP 7.2.2) that says why.
func refusal(r *ingest.Rejection) []byte {
	detail := r.Detail
	if len(detail) > maxStatusText {
		detail = strings.ToValidUTF8(detail[:maxStatusText], "")
	}
	var w amfWriter
	w.text("onStatus")
	w.number(0)
	w.null()
	w.object("level", "error", "code", statusCode(r.Code), "description", detail)
	return w
}
