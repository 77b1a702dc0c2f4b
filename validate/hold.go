package validate

import (
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// audioOnlyAfter is how long a WHIP publisher's audio waits for the video's header before
// the session counts as audio only. Media that is held is dropped, not kept: nothing is
// ever delayed.
const audioOnlyAfter = time.Second

// hold keeps a publisher off the stage until its headers have passed their rules, as the
// first write to the next sink is what puts it there.
//
// Over RTMP both headers must have passed. Over WHIP the first SPS and PPS let everything
// in; a publisher without video gets in with its audio alone after audioOnlyAfter.
// Video always begins with an IDR picture.
type hold struct {
	whip         bool
	video, audio bool // header passed
	idr          bool // video has begun
	open         bool
	videoHeader  *ingest.AccessUnit // to be written at the opening
	audioHeader  *ingest.AudioFrame
}

// passVideoHeader is told of SPS and PPS that passed.
func (h *hold) passVideoHeader(au *ingest.AccessUnit) {
	h.video = true
	if !h.open {
		h.videoHeader = onlyHeaders(au)
	}
}

// passAudioHeader is told of an audio format that passed.
func (h *hold) passAudioHeader(f *ingest.AudioFrame) {
	h.audio = true
	if !h.open {
		h.audioHeader = &ingest.AudioFrame{PTS: f.PTS, Codec: f.Codec}
	}
}

// ready says whether the publisher may go on stage at this media time.
func (h *hold) ready(now time.Duration) bool {
	if h.whip {
		return h.video || h.audio && now >= audioOnlyAfter
	}
	return h.video && h.audio
}

// enter opens the hold if it may be opened now, and then writes the headers on.
func (h *hold) enter(next ingest.Sink, now time.Duration) error {
	if h.open || !h.ready(now) {
		return nil
	}
	h.open = true
	video, audio := h.videoHeader, h.audioHeader
	h.videoHeader, h.audioHeader = nil, nil
	if video != nil {
		if err := next.WriteVideo(video); err != nil {
			return err
		}
	}
	if audio != nil {
		return next.WriteAudio(audio)
	}
	return nil
}

// showsPicture says whether a picture may be passed on.
func (h *hold) showsPicture(idr bool) bool {
	if !h.open || !h.video {
		return false
	}
	h.idr = h.idr || idr
	return h.idr
}

// onlyHeaders gives the unit's SPS and PPS.
func onlyHeaders(au *ingest.AccessUnit) *ingest.AccessUnit {
	header := &ingest.AccessUnit{PTS: au.PTS}
	for _, nalu := range au.NALUs {
		if len(nalu) > 0 && (nalu[0]&0x1f == naluSPS || nalu[0]&0x1f == naluPPS) {
			header.NALUs = append(header.NALUs, nalu)
		}
	}
	return header
}
