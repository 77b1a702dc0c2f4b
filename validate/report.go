package validate

import (
	"fmt"
	"math"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// report keeps each rule's worst finding, the first of its kind.
type report struct{ worst map[Rule]Finding }

func (r *report) note(f *Finding) {
	if r.worst == nil {
		r.worst = make(map[Rule]Finding)
	}
	old, known := r.worst[f.Rule]
	if !known || old.Severity == Warned && f.Severity == Rejected {
		r.worst[f.Rule] = *f
	}
}

// Note takes a finding of whoever reads the media for this sink, about a track that never
// gets here: another video codec (UnsupportedVideo), or one that cannot be unpacked. That
// track does not count as missing. It is for where all faults are collected.
func (v *Validator) Note(f Finding) {
	switch f.Rule {
	case VideoCodec:
		v.unreadable[videoTrack] = true
	case AudioCodec:
		v.unreadable[audioTrack] = true
	}
	_ = v.judgeOne(&f)
}

// Refusal gives what the publisher would have been told first, where all faults are
// collected; nil if nothing. Ask after Report.
func (v *Validator) Refusal() *ingest.Rejection { return v.refusal }

// Report gives one finding for every rule, in the order of AllRules: the worst that was
// found, or what was seen and passed, or that the rule is off. Ask at the end of the media.
func (v *Validator) Report() []Finding {
	v.noteMissingTrack()
	var all []Finding
	for _, r := range AllRules() {
		f, found := v.report.worst[r]
		switch {
		case v.modes[r] == ModeOff:
			f = Finding{Rule: r, Severity: Off, Seen: v.seen(r), Allowed: v.words.allowed(r)}
		case !found:
			f = Finding{Rule: r, Severity: Passed, Seen: v.seen(r), Allowed: v.words.allowed(r)}
		}
		all = append(all, f)
	}
	return all
}

// noteMissingTrack tells of a track that a short file has not either.
func (v *Validator) noteMissingTrack() {
	if v.words.whip || !v.o.Collect {
		return
	}
	for _, k := range [...]track{videoTrack, audioTrack} {
		if !v.clock.tracks[k].seen && !v.unreadable[k] {
			_ = v.judgeOne(v.words.noTrack(k, v.clock.now))
		}
	}
}

// seen tells what a rule that passed has looked at.
func (v *Validator) seen(r Rule) string {
	h := &v.health.health
	video, audio := v.clock.tracks[videoTrack].seen, v.codec != nil
	switch {
	case v.unreadable[videoTrack] && !video && (r == Profile || r == BFrames || r == Resolution || r == FrameRate || r == Keyframes),
		v.unreadable[audioTrack] && r == AudioBitrate:
		return "not judged"
	case !video && (r == VideoCodec || r == Profile || r == BFrames || r == Resolution || r == FrameRate || r == Keyframes):
		return "no video"
	case !audio && (r == AudioCodec || r == AudioBitrate):
		return "no audio"
	}
	switch r {
	case VideoCodec:
		return "H.264"
	case Profile:
		return h.Profile
	case BFrames:
		return fmt.Sprintf("0 in %d pictures", v.pictures)
	case Resolution:
		return sizeText(h.Width, h.Height)
	case Bitrate:
		return rateText(v.bitrate.highest(v.clock.now)) + " at most over 10 s"
	case FrameRate:
		return v.frameRateSeen()
	case Keyframes:
		if v.keyframes.longest == 0 {
			return "no second keyframe in " + secondsText(v.clock.now)
		}
		return "at most " + secondsText(v.keyframes.longest) + " apart"
	case AudioCodec:
		return h.AudioFormat
	case AudioBitrate:
		return rateText(v.audioBitrate.highest(v.clock.now)) + " at most over 10 s"
	case Tracks:
		return v.tracksSeen()
	case Duration:
		return v.clock.now.Round(time.Second).String()
	}
	return ""
}

func (v *Validator) frameRateSeen() string {
	r := &v.frameRate
	switch {
	case r.lowest == 0 && v.clock.picture > 0:
		return fpsText(float64(v.pictures-1) / v.clock.picture.Seconds())
	case r.lowest == 0:
		return "one picture"
	case r.fastest-r.lowest < 1:
		return fpsText(toHalf(r.fastest))
	}
	return fpsText(toHalf(r.lowest)) + " to " + fpsText(toHalf(r.fastest))
}

// toHalf rounds to what a window of 5 s can tell.
func toHalf(fps float64) float64 { return math.Round(fps*2) / 2 }

func (v *Validator) tracksSeen() string {
	video := v.clock.tracks[videoTrack].seen || v.unreadable[videoTrack]
	audio := v.clock.tracks[audioTrack].seen || v.unreadable[audioTrack]
	switch {
	case !video:
		return "audio only"
	case !audio:
		return "video only"
	}
	return "audio and video"
}

// discard stands in for a next sink where media is only judged.
type discard struct{}

func (discard) WriteVideo(*ingest.AccessUnit) error { return nil }
func (discard) WriteAudio(*ingest.AudioFrame) error { return nil }
func (discard) Close(error) error                   { return nil }
