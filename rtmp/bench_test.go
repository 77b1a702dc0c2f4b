package rtmp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// second is one second of a stream as encoders send it: 30 pictures and 47 audio frames.
func second(bitrate, chunkSize int) (b []byte, messages int) {
	picture := avcPicture(4, append(bytes.Clone(testP), make([]byte, bitrate/8/30)...))
	sound := append([]byte{0xaf, 1}, make([]byte, 340)...)
	for i := range 47 {
		b = append(b, chunk0(4, message{kind: typeAudio, stream: 1, body: sound}, chunkSize)...)
		messages++
		if i < 30 {
			b = append(b, chunk0(6, message{kind: typeVideo, stream: 1, body: picture}, chunkSize)...)
			messages++
		}
	}
	return b, messages
}

// loop is a connection that gives the same bytes for ever, after a handshake.
type loop struct {
	net.Conn
	first, again, rest []byte
}

func (l *loop) Read(p []byte) (int, error) {
	if len(l.first) > 0 {
		n := copy(p, l.first)
		l.first = l.first[n:]
		return n, nil
	}
	if len(l.rest) == 0 {
		l.rest = l.again
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
func (l *loop) Write(p []byte) (int, error)      { return len(p), nil }
func (l *loop) SetReadDeadline(time.Time) error  { return nil }
func (l *loop) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkGuard measures guard alone: one operation is one message.
func BenchmarkGuard(b *testing.B) {
	for _, bitrate := range []int{2_500_000, 8_500_000} {
		for _, size := range []int{128, 4096, 65536} {
			b.Run(fmt.Sprintf("%dkbps/%d", bitrate/1000, size), func(b *testing.B) {
				stream, messages := second(bitrate, size)
				start := append(make([]byte, handshakeSize), setChunkSize(size)...)
				start[0] = 3
				g := newGuard(&loop{first: start, again: stream}, Options{}.withDefaults())
				if _, err := io.CopyN(io.Discard, g, handshakeSize+32); err != nil {
					b.Fatal(err)
				}
				g.publish(1)
				p := make([]byte, 64<<10)
				b.SetBytes(int64(len(stream) / messages))
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					for done := false; !done; {
						if _, err := g.Read(p); err != nil {
							b.Fatal(err)
						}
						done = len(g.head)+len(g.body) == 0
					}
				}
			})
		}
	}
}

func setChunkSize(size int) []byte {
	return chunk0(2, message{kind: typeSetChunkSize, body: binary.BigEndian.AppendUint32(nil, uint32(size))}, 0)
}

// BenchmarkSession measures all of it, from a loopback socket to the sink: one operation is
// one second of a stream.
func BenchmarkSession(b *testing.B) {
	for _, bitrate := range []int{2_500_000, 8_500_000} {
		for _, size := range []int{128, 4096} {
			b.Run(fmt.Sprintf("%dkbps/%d", bitrate/1000, size), func(b *testing.B) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					b.Fatal(err)
				}
				sink := &countingSink{done: make(chan struct{})}
				s := NewServer(letIn(sink), slog.New(slog.DiscardHandler), Options{})
				go func() { _ = s.Serve(l, ingest.RTMP) }()
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				go func() { _, _ = io.Copy(io.Discard, c) }()
				stream, _ := second(bitrate, size)
				start := append(make([]byte, handshakeSize), slices.Concat(
					chunk0(3, message{kind: typeCommand, body: command("connect", 1, func(w *amfWriter) { w.object("app", "app") })}, 128),
					chunk0(3, message{kind: typeCommand, body: command("createStream", 2, func(w *amfWriter) { w.null() })}, 128),
					chunk0(3, message{kind: typeCommand, stream: 1, body: command("publish", 3, func(w *amfWriter) { w.null(); w.text("KEY") })}, 128),
					setChunkSize(size),
					chunk0(4, message{kind: typeAudio, stream: 1, body: testAAC}, 0))...)
				start[0] = 3
				if _, err := c.Write(start); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(stream)))
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					if _, err := c.Write(stream); err != nil {
						b.Fatal(err)
					}
				}
				_ = c.(*net.TCPConn).CloseWrite()
				<-sink.done
				b.StopTimer()
				if sink.units != 30*b.N {
					b.Errorf("%d pictures of %d", sink.units, 30*b.N)
				}
				_ = c.Close()
				_ = s.Shutdown(b.Context())
			})
		}
	}
}

type countingSink struct {
	units int
	done  chan struct{}
}

func (s *countingSink) WriteVideo(*ingest.AccessUnit) error { s.units++; return nil }
func (s *countingSink) WriteAudio(*ingest.AudioFrame) error { return nil }
func (s *countingSink) Close(error) error                   { close(s.done); return nil }
