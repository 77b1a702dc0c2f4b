package ingest

import (
	"errors"
	"fmt"
)

// Code says why a publisher was refused, spelled as the API's Event.errorCode.
type Code string

// The codes of the API's Event.errorCode, and two of our own.
const (
	InsufficientCapabilities Code = "INSUFFICIENT_CAPABILITIES"
	QuotaExceeded            Code = "QUOTA_EXCEEDED"
	PublisherNotFound        Code = "PUBLISHER_NOT_FOUND"
	BitrateExceeded          Code = "BITRATE_EXCEEDED"
	ResolutionExceeded       Code = "RESOLUTION_EXCEEDED"
	StreamDurationExceeded   Code = "STREAM_DURATION_EXCEEDED"
	InvalidAudioCodec        Code = "INVALID_AUDIO_CODEC"
	InvalidVideoCodec        Code = "INVALID_VIDEO_CODEC"
	InvalidProtocol          Code = "INVALID_PROTOCOL"
	InvalidStreamKey         Code = "INVALID_STREAM_KEY"
	ReuseOfStreamKey         Code = "REUSE_OF_STREAM_KEY"
	BFramePresent            Code = "B_FRAME_PRESENT"
	InvalidInput             Code = "INVALID_INPUT"
	InternalServerException  Code = "INTERNAL_SERVER_EXCEPTION"

	// InvalidToken is stagedoor's own: the token is missing, malformed, expired, revoked or
	// wrongly signed. It is HTTP's 401 and no event, as it cannot be said whose it is.
	InvalidToken Code = "INVALID_TOKEN"
	// Disconnected is stagedoor's own: somebody ended the session on purpose (the API's
	// DisconnectParticipant, a newer connection with the same key, a shutdown). It is told
	// to the broadcaster and is no error event.
	Disconnected Code = "DISCONNECTED"
)

// Rejection is the one value that tells a broadcaster why the stream was refused or ended.
// It travels from the rule that found the fault to the protocol that words it and to the
// event that records it.
type Rejection struct {
	Code Code
	// Detail is shown to the broadcaster as it stands: what was seen, what is allowed and
	// which setting to change. It holds no secret.
	Detail string
	// Told says that the broadcaster reads Detail as the answer to this very request, so that
	// the next attempt need not be answered with it again.
	Told bool
}

// Error gives the code and the detail.
func (r *Rejection) Error() string { return string(r.Code) + ": " + r.Detail }

// Rejectf makes a Rejection; the detail is formatted as by fmt.Sprintf.
func Rejectf(code Code, format string, args ...any) *Rejection {
	return &Rejection{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// AsRejection gives the Rejection in err's chain. Any other error becomes an
// INTERNAL_SERVER_EXCEPTION whose text holds nothing of err, which is for the log only.
// It gives nil for nil.
func AsRejection(err error) *Rejection {
	if err == nil {
		return nil
	}
	var r *Rejection
	if errors.As(err, &r) {
		return r
	}
	return &Rejection{
		Code:   InternalServerException,
		Detail: "The gateway failed on its side. Nothing is wrong with your settings: try again, and tell the operator if it happens again.",
	}
}
