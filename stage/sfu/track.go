package sfu

import (
	"sync"

	"github.com/pion/webrtc/v4"
)

// track is one kind of media on its way to one viewer, as pion wants it (webrtc.TrackLocal).
// It only hands over the writer: send.go does the rest.
type track struct {
	kind     kind
	streamID string
	offered  *offeredTrack

	mu      sync.Mutex
	writer  webrtc.TrackLocalWriter
	ssrc    uint32
	rtxSSRC uint32
}

// Bind takes the writer when the answer is set.
func (t *track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writer, t.ssrc, t.rtxSSRC = c.WriteStream(), uint32(c.SSRC()), uint32(c.SSRCRetransmission())
	for _, codec := range c.CodecParameters() {
		if codec.PayloadType == webrtc.PayloadType(t.offered.payloadType) {
			return codec, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind forgets nothing: the writer fails from now on by itself.
func (t *track) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID names the track within its stream.
func (t *track) ID() string { return t.Kind().String() }

// RID is empty, as there is no simulcast.
func (t *track) RID() string { return "" }

// StreamID is the same for both kinds, which is what makes a browser lip-sync them.
func (t *track) StreamID() string { return t.streamID }

// Kind is the track's kind.
func (t *track) Kind() webrtc.RTPCodecType {
	if t.kind == video {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}
