package rtmp

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

// FuzzGuard sends bytes through guard and go-rtmp to a sink. A first byte that is odd puts
// the commands of a publisher before the rest.
//
// The seeds under testdata/fuzz are what ffmpeg 5.1 and GStreamer 1.22 (rtmp2sink) sent
// after the handshake, cut to a few kilobytes.
func FuzzGuard(f *testing.F) {
	var published []byte
	published = append(published, chunk0(3, message{kind: typeCommand, body: command("connect", 1, func(w *amfWriter) { w.object("app", "app") })}, 128)...)
	published = append(published, chunk0(3, message{kind: typeCommand, body: command("createStream", 2, func(w *amfWriter) { w.null() })}, 128)...)
	published = append(published, chunk0(3, message{kind: typeCommand, stream: 1, body: command("publish", 3, func(w *amfWriter) { w.null(); w.text("KEY") })}, 128)...)
	f.Add(append([]byte{1}, chunk0(6, message{kind: typeVideo, stream: 1, timestamp: 0x1000000, body: testHeader}, 16)...))
	f.Add(append([]byte{0}, published...))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		near, far := net.Pipe()
		pipes := pipeListener{conns: make(chan net.Conn, 1)}
		pipes.conns <- far
		var sinks []*strictSink
		s := NewServer(func(context.Context, ingest.Request) (ingest.Sink, error) {
			sinks = append(sinks, &strictSink{t: t})
			return sinks[len(sinks)-1], nil
		}, slog.New(slog.DiscardHandler), Options{})
		served := make(chan error, 1)
		go func() { served <- s.Serve(pipes, ingest.RTMP) }()
		read := make(chan struct{})
		go func() { defer close(read); _, _ = io.Copy(io.Discard, near) }()
		_, _ = near.Write(append([]byte{3}, make([]byte, handshakeSize-1)...))
		if b[0]&1 == 1 {
			_, _ = near.Write(published)
		}
		_, _ = near.Write(b[1:])
		_ = near.Close()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
		<-read
		for _, sink := range sinks {
			if !sink.closed {
				t.Error("a sink was left open")
			}
		}
	})
}

// strictSink checks what every sink may rely on.
type strictSink struct {
	t      *testing.T
	closed bool
}

func (s *strictSink) WriteVideo(u *ingest.AccessUnit) error {
	checkUnit(s.t, u)
	return s.open()
}

func (s *strictSink) WriteAudio(f *ingest.AudioFrame) error {
	if f.Codec == nil {
		s.t.Error("an audio frame without a codec")
	}
	return s.open()
}

func (s *strictSink) Close(error) error {
	err := s.open()
	s.closed = true
	return err
}

func (s *strictSink) open() error {
	if s.closed {
		s.t.Error("a sink was used after Close")
	}
	return nil
}

func checkUnit(t *testing.T, u *ingest.AccessUnit) {
	if len(u.NALUs) == 0 {
		t.Error("an access unit without NAL units")
	}
	for _, n := range u.NALUs {
		if len(n) == 0 {
			t.Fatal("an empty NAL unit")
		}
		kind := n[0] & 0x1f
		if kind == naluAUD || kind == 0 || kind > naluLast || n[0]&0x80 != 0 && kind != naluSPS && kind != naluPPS {
			t.Errorf("a NAL unit that begins with %#x", n[0])
		}
	}
}

// FuzzVideo reads one message as three: alone, and before and after a picture.
func FuzzVideo(f *testing.F) {
	f.Add(testHeader)
	f.Add(avcPicture(4, testAUD, testSEI, testSPS, testPPS, testIDR))
	f.Add(enhanced(1, "avc1", append([]byte{0, 0, 7}, avcPicture(4, testIDR)[5:]...)...))
	f.Add([]byte{0x97, 255, 0, 1, 2, 3, 0x03})
	f.Fuzz(func(t *testing.T, b []byte) {
		v := newVideoReader()
		for _, body := range [][]byte{b, avcPicture(4, testIDR), b} {
			before := bytes.Clone(body)
			unit, err := v.read(0, body)
			if unit != nil && err != nil {
				t.Error("both a unit and an error")
			}
			if unit != nil {
				checkUnit(t, unit)
			}
			if !bytes.Equal(before, body) {
				t.Error("the message was changed")
			}
		}
		if size := v.avc.size; size > maxParameterSets {
			t.Error("parameter sets of", size, "bytes")
		}
	})
}

// FuzzAudio reads a message twice.
func FuzzAudio(f *testing.F) {
	f.Add(testAAC)
	f.Add([]byte{0xaf, 1, 0x21, 0x10})
	f.Add([]byte("\x90mp4a\x11\x90\x56\xe5\x00"))
	f.Add([]byte("\x97\x00\x01\x01Opus\x21"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := &audioReader{clock: &clock{}}
		for range 2 {
			frames, err := a.read(0, b)
			if err != nil && len(frames) > 0 {
				t.Error("both frames and an error")
			}
			for _, frame := range frames {
				if frame.Codec == nil || frame.Codec.Channels < 0 || frame.Codec.SampleRate < 0 {
					t.Errorf("%+v", frame.Codec)
				}
			}
		}
	})
}
