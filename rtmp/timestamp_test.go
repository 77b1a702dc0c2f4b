package rtmp

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// TestTimestamps: must-have 2, both forms of type 3 chunks behind an extended timestamp,
// and deltas of all types.
func TestTimestamps(t *testing.T) {
	const stamp = 17_000_000 // as after 4 h 43 min: beyond 0xffffff
	body := avcPicture(4, append(bytes.Clone(testP), bytes.Repeat([]byte{0xaa}, 300)...))
	head := func(format byte, field uint32) []byte {
		b := appendChunkHeader(nil, 6, message{kind: typeVideo, stream: 1, timestamp: field, body: body})
		extension := b[12:]
		return append(append([]byte{format<<6 | 6}, b[1:[...]int{12, 8, 4, 1}[format]]...), extension...)
	}
	// spread cuts the body into chunks of 128 bytes; extension is repeated on each type 3.
	spread := func(header, extension []byte) []byte {
		b := append(bytes.Clone(header), body[:128]...)
		for piece := range slices.Chunk(body[128:], 128) {
			b = append(append(append(b, 0xc6), extension...), piece...)
		}
		return b
	}
	ext := func(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
	const ms = time.Millisecond
	tests := []struct {
		name  string
		bytes []byte
		want  []time.Duration
	}{
		{"type 3 repeats the extension (specification)", slices.Concat(
			spread(head(0, stamp), ext(stamp)), spread(head(1, 40), nil)), []time.Duration{0, 40 * ms}},
		{"type 3 does not (old librtmp)", slices.Concat(
			spread(head(0, stamp), nil), spread(head(1, 40), nil)), []time.Duration{0, 40 * ms}},
		{"type 3 repeats it, on a new message", slices.Concat(
			head(0, stamp), body[:128], []byte{0xc6}, ext(stamp), body[128:256], []byte{0xc6}, ext(stamp), body[256:],
			spread(append([]byte{0xc6}, ext(stamp)...), ext(stamp))), []time.Duration{0, stamp * ms}},
		{"extended delta, repeated as such", slices.Concat(
			spread(head(0, 0), nil), spread(head(1, stamp), ext(stamp)), spread(head(2, 40), nil)), []time.Duration{0, stamp * ms, (stamp + 40) * ms}},
		{"extended delta, repeated as absolute time", slices.Concat(
			spread(head(0, 1000), nil), spread(head(1, stamp), ext(stamp+1000))), []time.Duration{0, stamp * ms}},
		{"extension at its smallest", slices.Concat(
			spread(head(0, 0xfffffe), nil), spread(head(0, 0xffffff), ext(0xffffff)), spread(head(0, 0x1000000), ext(0x1000000))), []time.Duration{0, ms, 2 * ms}},
		{"deltas", slices.Concat(
			spread(head(0, 1000), nil), spread(head(1, 40), nil), spread(head(2, 33), nil), spread([]byte{0xc6}, nil), spread([]byte{0xc6}, nil)),
			[]time.Duration{0, 40 * ms, 73 * ms, 106 * ms, 139 * ms}},
		{"type 3 right after type 0 (ffmpeg)", slices.Concat(
			spread(head(0, 23), nil), spread([]byte{0xc6}, nil)), []time.Duration{0, 23 * ms}},
		{"wrap of 32 bits", slices.Concat(
			spread(head(0, 0xfffffff0), ext(0xfffffff0)), spread(head(1, 40), nil), spread(head(0, 64), nil)), []time.Duration{0, 40 * ms, 80 * ms}},
		{"jump back", slices.Concat(
			spread(head(0, stamp), ext(stamp)), spread(head(0, 10), nil)), []time.Duration{0, (10 - stamp) * ms}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := serve(t, Options{}, nil)
			e := dial(t, g)
			e.start()
			sink := <-g.sinks
			e.write(test.bytes)
			for i, want := range test.want {
				if u := sink.unit(t); u.PTS != want || !bytes.Equal(u.NALUs[0], body[9:]) {
					t.Errorf("picture %d at %v, %d bytes; want %v, %d bytes", i, u.PTS, len(u.NALUs[0]), want, len(body)-9)
				}
			}
		})
	}
}

// TestShortTailWithoutExtension: with an encoder that leaves the extension out, a message
// whose last chunk is shorter than four bytes is complete without what comes next.
func TestShortTailWithoutExtension(t *testing.T) {
	const stamp = 17_000_000
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.start()
	sink := <-g.sinks
	for range 2 {
		body := avcPicture(4, append(bytes.Clone(testP), bytes.Repeat([]byte{0xaa}, 245)...)) // 258 = 128 + 128 + 2
		b := appendChunkHeader(nil, 6, message{kind: typeVideo, stream: 1, timestamp: stamp, body: body})
		b = slices.Concat(b, body[:128], []byte{0xc6}, body[128:256], []byte{0xc6}, body[256:])
		e.write(b)
		if u := sink.unit(t); !bytes.Equal(u.NALUs[0], body[9:]) {
			t.Errorf("%x", u.NALUs)
		}
	}
}
