package ingest

import "time"

// Health is what is known of one publisher's media, refreshed about once per second of
// media. Rates are averages over the last second or so; zero means not known yet.
type Health struct {
	At             time.Duration // PTS up to which the figures count
	VideoBitrate   int           // bits per second
	AudioBitrate   int           // bits per second, as sent by the publisher
	FrameRate      float64       // pictures per second
	IDRInterval    time.Duration // between the last two IDR pictures
	Width, Height  int           // pixels, after cropping
	Profile        string        // for example "Constrained Baseline"
	AudioFormat    string        // for example "AAC-LC 48 kHz stereo"
	TimestampJumps int           // since the start
	LostFrames     int           // pictures or audio frames that were damaged or missing, since the start
	Warning        string        // the last warning, empty if none
	WarningAt      time.Duration // its PTS
}
