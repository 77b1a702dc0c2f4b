package mediafile

import (
	"io"
	"slices"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
)

// playMP4 plays an MP4 or QuickTime file (ISO/IEC 14496-12), fragmented or not: its first
// video and its first audio track, in the order of decoding time.
func (p *player) playMP4() error {
	tracks, err := p.readMovie()
	if err != nil {
		return err
	}
	var playing []*mp4Track
	for _, handler := range []string{"vide", "soun"} {
		i := slices.IndexFunc(tracks, func(t *mp4Track) bool { return t.handler == handler })
		if i < 0 {
			continue
		}
		t := tracks[i]
		if err := t.announce(p); err != nil {
			return err
		}
		if t.playable() {
			playing = append(playing, t)
		}
		more := 0
		for _, other := range tracks[i+1:] {
			if other.handler == handler {
				more++
			}
		}
		p.noteMore(more, map[string]string{"vide": "video", "soun": "audio"}[handler])
	}
	return p.merge(playing)
}

// merge plays the samples of tracks in the order of their decoding times.
func (p *player) merge(tracks []*mp4Track) error {
	for _, t := range tracks {
		t.advance()
	}
	for p.ctx.Err() == nil {
		var next *mp4Track
		for _, t := range tracks {
			if t.more && (next == nil || t.milliseconds(t.sample.decode) < next.milliseconds(next.sample.decode)) {
				next = t
			}
		}
		if next == nil {
			break
		}
		if err := p.playSample(next); err != nil {
			return err
		}
		next.advance()
	}
	for _, t := range tracks {
		if t.trouble != "" {
			p.note("%s", t.trouble)
		}
	}
	return p.ctx.Err()
}

func (p *player) playSample(t *mp4Track) error {
	s := &t.sample
	if s.at < 0 || s.at > p.size-int64(s.size) {
		t.trouble = "The file is cut off: media that its index tells of is not there. It was judged up to there."
		t.samples = nil
		return nil
	}
	body := make([]byte, s.size)
	if _, err := p.file.ReadAt(body, s.at); err != nil && err != io.EOF {
		return errors.Wrap(err, "read the file")
	}
	ms := t.milliseconds(s.decode)
	switch {
	case t.handler == "vide":
		return p.avcPicture(uint32(ms), t.milliseconds(s.decode+s.composition)-ms, body)
	case t.audio.Name == ingest.Opus:
		return p.opusPacket(time.Duration(ms)*time.Millisecond, t.audio, body)
	default:
		return p.aacFrame(uint32(ms), body)
	}
}
