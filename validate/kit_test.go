package validate

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// Headers as encoders sent them; the command that made each stands in testdata/matrix.txt
// under the name in the comment.
var (
	sps360p      = unhex("6742c01eda0280bfe5c044000003000400000300f03c58ba80") // preset-veryfast
	ppsBaseline  = unhex("68ce0fc8")                                           // preset-veryfast
	idrSlice     = unhex("65888415f1088ab830239178085690000800d6a19c19e004")   // preset-veryfast, cut
	pSlice       = unhex("419a2047f0cc39ed334f461000110a5bc200908c00393531")   // preset-veryfast, cut
	spsHigh10    = unhex("676e000da6cb202833f3e022000003000200000300781e285490")
	spsMainB     = unhex("674d400dec80a0cfcf8088000003000800000301e078a14cb0") // main-b-3-pyramid
	spsMain      = unhex("674d400dd901419f9f0110000003001000000303c0f142a480") // weighted-prediction
	ppsWeighted  = unhex("68cbc3cb20")                                         // weighted-prediction, with CABAC off
	spsInterlace = unhex("674d4015d901431f260220000003002000000781e2c5c9")     // fake-interlaced
	aacLC48      = &ingest.AudioCodec{Name: ingest.AAC, SampleRate: 48000, Channels: 2, Config: unhex("119056e500")}
	opusStereo   = &ingest.AudioCodec{Name: ingest.Opus, SampleRate: 48000, Channels: 2}
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// bitWriter makes headers that no encoder here makes.
type bitWriter struct {
	b    []byte
	left int
}

func (w *bitWriter) u(n int, v uint32) *bitWriter {
	for i := n - 1; i >= 0; i-- {
		if w.left == 0 {
			w.b, w.left = append(w.b, 0), 8
		}
		w.left--
		w.b[len(w.b)-1] |= byte(v>>i&1) << w.left
	}
	return w
}

func (w *bitWriter) ue(v uint32) *bitWriter {
	n := 0
	for (v+1)>>(n+1) != 0 {
		n++
	}
	return w.u(n, 0).u(n+1, v+1)
}

// nalu gives the bits behind a NAL unit header, with a stop bit and emulation prevention.
func (w *bitWriter) nalu(header ...byte) []byte {
	w.u(1, 1)
	out, zeros := header, 0
	for _, b := range w.b {
		if zeros >= 2 && b <= 3 {
			out, zeros = append(out, 3), 0
		}
		out = append(out, b)
		if zeros++; b != 0 {
			zeros = 0
		}
	}
	return out
}

// makeSPS gives a Constrained Baseline SPS of a size in pixels.
func makeSPS(width, height int) []byte {
	mbsX, mbsY := (width+15)/16, (height+15)/16
	w := new(bitWriter).ue(0).ue(0).ue(2).ue(1).u(1, 0)
	w.ue(uint32(mbsX-1)).ue(uint32(mbsY-1)).u(1, 1).u(1, 1)
	w.u(1, 1).ue(0).ue(uint32(mbsX*16-width) / 2).ue(0).ue(uint32(mbsY*16-height) / 2)
	return w.u(1, 0).nalu(0x67, 66, 0xc0, 31)
}

// makePPS gives a PPS with these tools.
func makePPS(p pps) []byte {
	bit := func(b bool) uint32 {
		if b {
			return 1
		}
		return 0
	}
	w := new(bitWriter).ue(p.id).ue(p.spsID).u(1, bit(p.cabac)).u(1, 0).ue(p.sliceGroups - 1)
	w.ue(0).ue(0).u(1, bit(p.weighted)).u(2, 0).ue(0).ue(0).ue(0).u(2, 0).u(1, bit(p.redundantPictures))
	return w.nalu(0x68)
}

// makeSlice gives a slice of frame_num (4 bits, as makeSPS says), padded to size bytes.
func makeSlice(header byte, firstMB uint32, kind sliceType, frameNum uint32, size int) []byte {
	n := new(bitWriter).ue(firstMB).ue(uint32(kind)).ue(0).u(4, frameNum%16).nalu(header)
	for len(n) < size {
		n = append(n, 0xaa)
	}
	return n
}

// recorder is the next sink: it remembers what came, and may fail.
type recorder struct {
	video  []*ingest.AccessUnit
	audio  []*ingest.AudioFrame
	order  string // H and h: headers of video and audio; V and a: media
	fail   error
	closed []error
}

func (r *recorder) WriteVideo(au *ingest.AccessUnit) error {
	r.video = append(r.video, au)
	if hasSlice(au) {
		r.order += "V"
	} else {
		r.order += "H"
	}
	return r.fail
}

func (r *recorder) WriteAudio(f *ingest.AudioFrame) error {
	r.audio = append(r.audio, f)
	if len(f.Data) > 0 {
		r.order += "a"
	} else {
		r.order += "h"
	}
	return r.fail
}

func (r *recorder) Close(reason error) error {
	r.closed = append(r.closed, reason)
	return r.fail
}

func videoHeader(sps, pps []byte) *ingest.AccessUnit {
	return &ingest.AccessUnit{NALUs: [][]byte{sps, pps}}
}

// encoder makes media by the clock, as a publisher in good order unless told otherwise.
type encoder struct {
	fps        float64
	idrEvery   int // pictures; 0 is never after the first
	pictureLen int // bytes
	frameLen   int
	codec      *ingest.AudioCodec
	noVideo    bool
	noAudio    bool
	sps        []byte

	n        int
	frameNum uint32
	videoAt  time.Duration
	audioAt  time.Duration
}

func newEncoder() *encoder {
	return &encoder{fps: 30, idrEvery: 60, pictureLen: 2000, frameLen: 340, codec: aacLC48, sps: makeSPS(640, 360)}
}

// headers sends the sequence headers.
func (e *encoder) headers(to ingest.Sink) error {
	if !e.noVideo {
		if err := to.WriteVideo(videoHeader(e.sps, ppsBaseline)); err != nil {
			return err
		}
	}
	if e.noAudio {
		return nil
	}
	return to.WriteAudio(&ingest.AudioFrame{Codec: e.codec})
}

// run sends media until the time is reached, in the order of its timestamps, and stops at
// the first error.
func (e *encoder) run(to ingest.Sink, until time.Duration) error {
	for e.videoAt < until || e.audioAt < until {
		var err error
		if e.videoAt <= e.audioAt {
			if !e.noVideo {
				err = to.WriteVideo(e.picture())
			}
			e.videoAt += time.Duration(float64(time.Second) / e.fps)
		} else {
			if !e.noAudio {
				err = to.WriteAudio(&ingest.AudioFrame{PTS: e.audioAt, Codec: e.codec, Data: make([]byte, e.frameLen)})
			}
			e.audioAt += 1024 * time.Second / 48000
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) picture() *ingest.AccessUnit {
	au := &ingest.AccessUnit{PTS: e.videoAt}
	if e.n == 0 || e.idrEvery > 0 && e.n%e.idrEvery == 0 {
		e.frameNum = 0
		au.NALUs = [][]byte{e.sps, ppsBaseline, makeSlice(0x65, 0, sliceI, 0, e.pictureLen)}
	} else {
		e.frameNum++
		au.NALUs = [][]byte{makeSlice(0x41, 0, sliceP, e.frameNum, e.pictureLen)}
	}
	e.n++
	return au
}

// judged sends the headers and media up to a time through the rules of a gateway.
func (e *encoder) judged(o Options, until time.Duration) (*Validator, error) {
	if o.Protocol == "" {
		o.Protocol = ingest.RTMP
	}
	if o.Rules.Limits == (Limits{}) {
		o.Rules.Limits = DefaultRules().Limits
	}
	v := New(nil, o)
	if err := e.headers(v); err != nil {
		return v, err
	}
	return v, e.run(v, until)
}

// codeOf gives the code of a rejection, "" for nil.
func codeOf(err error) ingest.Code {
	var r *ingest.Rejection
	if errors.As(err, &r) {
		return r.Code
	}
	if err != nil {
		return ingest.Code(err.Error())
	}
	return ""
}

// wantRejection checks the code and a part of the text.
func wantRejection(t *testing.T, err error, code ingest.Code, text string) {
	t.Helper()
	if codeOf(err) != code || err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want %q with %q", err, code, text)
	}
}

// warnings gathers what is told.
type warnings []Finding

func (w *warnings) add(f Finding) { *w = append(*w, f) }

func (w warnings) String() (s string) {
	for _, f := range w {
		s += string(f.Rule) + ": " + f.Detail() + "\n"
	}
	return s
}
