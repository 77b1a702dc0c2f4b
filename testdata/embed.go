// Package testdata holds the clips of the tests, made by generate.sh, and the one clip that
// is part of the program.
package testdata

import _ "embed"

// DemoFLV is the clip that "stagedoor demo" plays: an FLV file of 8 s, H.264 720p30
// (constrained baseline, an IDR each 2 s) and AAC-LC 48 kHz stereo. Each further round adds
// exactly 8000 ms to every timestamp; the joint is neither seen nor heard.
//
//go:embed demo.flv
var DemoFLV string
