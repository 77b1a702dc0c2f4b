package validate

import (
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// Options say how one publisher is judged. Callbacks run on the publisher's goroutine and
// must not block; each may be nil.
type Options struct {
	// Protocol decides what is expected: RTMP and RTMPS alike, or WHIP.
	Protocol ingest.Protocol
	Rules    Rules
	// Collect makes nothing fatal: every fault is told to Warn with the severity that it
	// would have had, and Report tells them all. For judging a file or an encoder.
	Collect bool
	// Warn is told of findings that do not end the session, at most once a minute of media
	// for each rule.
	Warn func(Finding)
	// Health is told about once per second of media.
	Health func(ingest.Health)
	// RequestKeyframe asks a WHIP publisher for an IDR picture; nil over RTMP. The keyframes
	// rule calls it when one is due. A WHIP publisher that cannot be asked is not refused
	// for want of IDR pictures.
	RequestKeyframe func()
}

// Validator judges one publisher's media and passes it on. It is an ingest.Sink, used by
// one goroutine like any other.
type Validator struct {
	next  ingest.Sink
	o     Options
	words words
	modes map[Rule]Mode

	clock  clock
	hold   hold
	sets   *parameterSets
	health healthMeter
	report report
	told   map[warning]time.Duration

	bitrate      bitrateRule
	frameRate    frameRateRule
	keyframes    keyframesRule
	audioBitrate audioBitrateRule
	pictures     int
	codec        *ingest.AudioCodec // the last one that was judged
	unreadable   [2]bool            // tracks that Note told of
	refusal      *ingest.Rejection  // the first one, where faults are collected
	closed       bool
}

// New gives a sink that judges what is written to it and passes it on to next, unchanged
// and without delay. It writes nothing to next before the publisher's headers have passed,
// so next may take its first write as the entry on stage. A fault whose rule rejects is
// returned as an *ingest.Rejection; errors of next are returned as they are. A nil next
// takes everything, for judging alone.
func New(next ingest.Sink, o Options) *Validator {
	if next == nil {
		next = discard{}
	}
	v := &Validator{
		next: next, o: o,
		words:        words{limits: o.Rules.Limits, whip: o.Protocol == ingest.WHIP},
		modes:        make(map[Rule]Mode),
		told:         make(map[warning]time.Duration),
		hold:         hold{whip: o.Protocol == ingest.WHIP},
		sets:         new(parameterSets),
		bitrate:      newBitrateRule(),
		frameRate:    newFrameRateRule(),
		keyframes:    keyframesRule{request: o.RequestKeyframe, whip: o.Protocol == ingest.WHIP},
		audioBitrate: newAudioBitrateRule(),
	}
	for _, r := range AllRules() {
		v.modes[r] = o.Rules.mode(r)
	}
	return v
}

// WriteVideo judges one picture or sequence header.
func (v *Validator) WriteVideo(au *ingest.AccessUnit) error {
	if err := v.judgeParameterSets(au); err != nil {
		return err
	}
	held := !v.hold.open
	v.health.dropped += au.Lost
	if hasSlice(au) {
		return v.writePicture(au)
	}
	if err := v.hold.enter(v.next, v.clock.now); err != nil || held {
		return err // the hold has written the header itself, or keeps it
	}
	return v.next.WriteVideo(au)
}

func (v *Validator) writePicture(au *ingest.AccessUnit) error {
	v.clock.tick(videoTrack, au.PTS)
	p := readPicture(au, v.sets)
	v.pictures++
	p.number, p.time = v.pictures, v.clock.picture
	v.health.picture(&p, v.sets.active(p.ppsID))
	if err := v.judgePicture(&p); err != nil {
		return err
	}
	if err := v.afterUnit(p.bytes); err != nil {
		return err
	}
	if !v.hold.showsPicture(p.idr) {
		return nil
	}
	return v.next.WriteVideo(au)
}

// WriteAudio judges one frame or sequence header.
func (v *Validator) WriteAudio(f *ingest.AudioFrame) error {
	if f.Codec != v.codec {
		v.codec = f.Codec
		v.health.health.AudioFormat = audioFormat(f.Codec)
		// Whoever reads files announces formats whose frames it cannot read.
		v.unreadable[audioTrack] = v.o.Collect && f.Codec.Name != ingest.AAC && f.Codec.Name != ingest.Opus
		if err := v.judgeOne(v.words.audioCodecOf(f.Codec)); err != nil {
			return err
		}
		v.hold.passAudioHeader(f)
	}
	held := !v.hold.open
	if len(f.Data) == 0 {
		if err := v.hold.enter(v.next, v.clock.now); err != nil || held {
			return err
		}
		return v.next.WriteAudio(f)
	}
	t := v.clock.tick(audioTrack, f.PTS)
	v.health.audio(t, f)
	if err := v.judgeOne(v.audioBitrate.check(v.words, t, len(f.Data))); err != nil {
		return err
	}
	if err := v.afterUnit(len(f.Data)); err != nil || !v.hold.open {
		return err
	}
	return v.next.WriteAudio(f)
}

// afterUnit judges what both kinds of media have in common, opens the hold if it is time,
// and tells the publisher's health.
func (v *Validator) afterUnit(bytes int) error {
	if err := v.judgeOne(v.bitrate.check(v.words, v.clock.now, bytes)); err != nil {
		return err
	}
	if v.unreadable == [2]bool{} {
		if err := v.judgeOne(v.words.tracksOf(&v.clock, &v.hold)); err != nil {
			return err
		}
	}
	if err := v.judgeOne(v.words.durationOf(v.clock.now)); err != nil {
		return err
	}
	if h, ok := v.health.refresh(&v.clock, v.keyframes.interval); ok && v.o.Health != nil {
		v.o.Health(h)
	}
	return v.hold.enter(v.next, v.clock.now)
}

// Close passes the end of the session on, once.
func (v *Validator) Close(reason error) error {
	if v.closed {
		return nil
	}
	v.closed = true
	return v.next.Close(reason)
}
