package transcode

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pkg/errors"
	"github.com/tphakala/go-opus/opus"

	"github.com/stagedoor/stagedoor/ingest"
)

// FuzzDecoder gives the decoder a stranger's AudioSpecificConfig and access unit: it may
// refuse either, and goes on with a good one after a bad one.
func FuzzDecoder(f *testing.F) {
	c := loadClip(f, "mono44100")
	f.Add(c.codec.Config, c.units[5])
	f.Add([]byte{0x11, 0x90, 0x56, 0xe5, 0x00}, c.units[6][:40])
	f.Add([]byte{0x2b, 0x92, 0x08, 0x00}, []byte{0x21})
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, config, au []byte) {
		_ = describe(config)
		d, format, err := newDecoder(config)
		if err != nil {
			return
		}
		for range 2 {
			pcm, err := d.decode(au)
			if err == nil && len(pcm) != unitSamples*format.channels {
				t.Fatalf("%d samples of %d channels", len(pcm), format.channels)
			}
		}
		good, _, err := newDecoder(c.codec.Config)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = good.decode(au)
		if _, err := good.decode(c.units[5]); err != nil {
			t.Fatalf("a good access unit after a bad one: %v", err)
		}
	})
}

// bounds fails where a packet is not one of 20 ms, or where a frame becomes more packets than
// the longest gap holds.
type bounds struct {
	t     *testing.T
	count int
}

func (b *bounds) WriteVideo(*ingest.AccessUnit) error { return nil }
func (b *bounds) Close(error) error                   { return nil }
func (b *bounds) WriteAudio(f *ingest.AudioFrame) error {
	if len(f.Data) == 0 {
		return nil
	}
	if n, err := opus.PacketDuration(f.Data); n != packetSamples || err != nil || len(f.Data) > maxPacketBytes {
		b.t.Errorf("packet of %d bytes and %d samples, %v", len(f.Data), n, err)
	}
	if f.PTS < 0 {
		b.t.Errorf("packet at %v", f.PTS)
	}
	if b.count++; b.count > int((maxGap+100*time.Millisecond)/packetTime) {
		b.t.Errorf("%d packets from one frame", b.count)
	}
	return nil
}

// FuzzWriteAudio reads its bytes as a publisher's doings: each is a kind, a length, and so
// many bytes.
func FuzzWriteAudio(f *testing.F) {
	c := loadClip(f, "mono44100")
	f.Add([]byte{0, 2, 0x12, 0x08, 1, 1, 3, 2, 1, 5, 3, 4, 0, 0, 1, 0, 2, 2, 7, 9})
	f.Add([]byte{0, 2, 0x11, 0x90, 2, 1, 5, 1, 2, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0x80, 2, 1, 6})
	f.Add([]byte{0, 2, 0x12, 0x08, 2, 1, 1, 0, 2, 0x11, 0x90, 2, 1, 2, 0, 2, 0x12, 0x10, 2, 1, 3})
	f.Fuzz(func(t *testing.T, doings []byte) {
		b := &bounds{t: t}
		s := New(b, Options{Channels: 1 + len(doings)%2, Complexity: 1})
		codec := c.codec
		pts := time.Second
		for len(doings) > 1 {
			kind, n := doings[0]%4, min(int(doings[1]), len(doings)-2)
			arg := doings[2 : 2+n]
			doings = doings[2+n:]
			frame := &ingest.AudioFrame{Codec: codec}
			switch {
			case kind == 0: // another configuration
				codec = &ingest.AudioCodec{Name: ingest.AAC, Config: arg}
				frame.Codec = codec
			case kind == 1: // made-up bytes
				frame.Data = arg
			case kind == 2 && n > 0: // a real access unit with bytes changed
				frame.Data = append([]byte(nil), c.units[int(arg[0])%len(c.units)]...)
				for i, v := range arg[1:] {
					frame.Data[i*7%len(frame.Data)] ^= v
				}
			case n >= 4: // another time, in milliseconds as RTMP has them
				pts = time.Duration(int32(binary.BigEndian.Uint32(arg))) * time.Millisecond
				continue
			}
			frame.PTS = pts
			pts += 23 * time.Millisecond
			b.count = 0
			if err := s.WriteAudio(frame); err != nil {
				var r *ingest.Rejection
				if !errors.As(err, &r) {
					t.Fatalf("not a rejection: %v", err)
				}
				break
			}
		}
		_ = s.Close(nil)
	})
}
