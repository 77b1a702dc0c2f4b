package validate

import (
	"fmt"
	"time"
)

// Rule names one media rule, as configuration, reports and logs spell it.
type Rule string

// The rules, in the order in which a report lists them.
const (
	VideoCodec   Rule = "video-codec"
	Profile      Rule = "profile"
	BFrames      Rule = "b-frames"
	Resolution   Rule = "resolution"
	Bitrate      Rule = "bitrate"
	FrameRate    Rule = "frame-rate"
	Keyframes    Rule = "keyframes"
	AudioCodec   Rule = "audio-codec"
	AudioBitrate Rule = "audio-bitrate"
	Tracks       Rule = "tracks"
	Duration     Rule = "duration"
)

// AllRules gives every rule, in the order in which a report lists them.
func AllRules() []Rule {
	return []Rule{
		VideoCodec, Profile, BFrames, Resolution, Bitrate, FrameRate, Keyframes,
		AudioCodec, AudioBitrate, Tracks, Duration,
	}
}

// ParseRule gives the rule of that name. The error lists the names that are allowed.
func ParseRule(name string) (Rule, error) {
	for _, r := range AllRules() {
		if string(r) == name {
			return r, nil
		}
	}
	return "", fmt.Errorf("no media rule %q: the rules are %v", name, AllRules())
}

// Mode says what happens when a rule is broken.
type Mode string

// The modes: end the session, tell and go on, do not look.
const (
	ModeReject Mode = "reject"
	ModeWarn   Mode = "warn"
	ModeOff    Mode = "off"
)

// ParseMode gives the mode of that name. The error lists the names that are allowed.
func ParseMode(name string) (Mode, error) {
	switch m := Mode(name); m {
	case ModeReject, ModeWarn, ModeOff:
		return m, nil
	}
	return "", fmt.Errorf("no mode %q: the modes are reject, warn and off", name)
}

// Rules are the rules of one gateway.
type Rules struct {
	// Modes says what each rule does; a rule that is not in it rejects.
	Modes  map[Rule]Mode
	Limits Limits
}

// Limits are the figures that the rules compare with.
type Limits struct {
	MinShortSide, MaxShortSide int           // pixels, after cropping
	MaxLongSide                int           // pixels, after cropping
	Bitrate                    int           // bits per second, audio and video together
	AudioBitrate               int           // bits per second
	MinFrameRate, MaxFrameRate int           // pictures per second
	MinIDRInterval             time.Duration // shorter is warned of
	MaxIDRInterval             time.Duration // longer is warned of
	NoIDR                      time.Duration // longer is refused
	MissingTrack               time.Duration // how long a track may take to appear
	Duration                   time.Duration // of a session
}

// DefaultRules gives Amazon IVS's media specifications and quotas, all of them rejecting.
func DefaultRules() Rules {
	modes := make(map[Rule]Mode)
	for _, r := range AllRules() {
		modes[r] = ModeReject
	}
	return Rules{Modes: modes, Limits: Limits{
		MinShortSide: 160, MaxShortSide: 720, MaxLongSide: 1280,
		Bitrate: 8_500_000, AudioBitrate: 160_000,
		MinFrameRate: 10, MaxFrameRate: 60,
		MinIDRInterval: time.Second, MaxIDRInterval: 2 * time.Second, NoIDR: 10 * time.Second,
		MissingTrack: 5 * time.Second,
		Duration:     24 * time.Hour,
	}}
}

func (r Rules) mode(rule Rule) Mode {
	if m, ok := r.Modes[rule]; ok {
		return m
	}
	return ModeReject
}
