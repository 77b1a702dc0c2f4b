package rtmp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// TestQuirks: must-haves 2 and 8. After each of these legal or common oddities, within a
// published stream, the next picture still arrives.
func TestQuirks(t *testing.T) {
	picture := avcPicture(4, testP)
	large := avcPicture(4, append(bytes.Clone(testP), bytes.Repeat([]byte{0xaa}, 1000)...))
	tests := []struct {
		name   string
		bytes  []byte
		before int // pictures that the oddity itself carries
	}{
		{"zero-length audio", chunk0(4, message{kind: typeAudio, stream: 1}, 0), 0},
		{"zero-length video", chunk0(6, message{kind: typeVideo, stream: 1}, 0), 0},
		{"zero-length command", chunk0(3, message{kind: typeCommand}, 0), 0},
		{"zero-length data", chunk0(3, message{kind: typeData, stream: 1}, 0), 0},
		{"zero-length chunk size", chunk0(2, message{kind: typeSetChunkSize}, 0), 0},
		{"abort", slices.Concat(
			chunk0(6, message{kind: typeVideo, stream: 1, body: large}, 0)[:12+128],
			chunk0(2, message{kind: typeAbort, body: []byte{0, 0, 0, 6}}, 0),
			// The next message has the same header: only the abort tells it from a continuation.
			append([]byte{0xc6}, chunk0(6, message{kind: typeVideo, stream: 1, body: large}, 128)[12:]...)), 1},
		{"abort of nothing", chunk0(2, message{kind: typeAbort, body: []byte{0, 0, 0, 9}}, 0), 0},
		{"new header amid a message", chunk0(6, message{kind: typeVideo, stream: 1, body: large}, 0)[:12+128], 0},
		{"data of AMF 3", chunk0(3, message{kind: 15, stream: 1, body: []byte{0, amfString, 0, 1, 'x'}}, 0), 0},
		{"shared object", chunk0(3, message{kind: 19, stream: 1, body: []byte{1, 2, 3}}, 0), 0},
		{"shared object of AMF 3", chunk0(3, message{kind: 16, stream: 1, body: []byte{1, 2, 3}}, 0), 0},
		{"unknown type", chunk0(9, message{kind: 77, stream: 1, body: []byte{1, 2, 3}}, 0), 0},
		{"large message of unknown type", chunk0(9, message{kind: 0, stream: 1, body: make([]byte, 200_000)}, 128), 0},
		{"large metadata", chunk0(9, message{kind: typeData, stream: 1, body: make([]byte, 200_000)}, 128), 0},
		{"damaged metadata", chunk0(9, message{kind: typeData, stream: 1, body: append([]byte{amfString, 0, 10}, "onMetaData\x0a\x7f\xff\xff\xff"...)}, 0), 0},
		{"unknown command", chunk0(3, message{kind: typeCommand, body: command("_checkbw", 9, func(w *amfWriter) { w.null() })}, 0), 0},
		{"unknown user control", chunk0(2, message{kind: typeUserControl, body: []byte{0, 31, 0, 0, 0, 0}}, 0), 0},
		{"set buffer length", chunk0(2, message{kind: typeUserControl, body: []byte{0, 3, 0, 0, 0, 1, 0, 0, 0x0b, 0xb8}}, 0), 0},
		{"short user control", chunk0(2, message{kind: typeUserControl, body: []byte{0}}, 0), 0},
		{"ack window of 1", chunk0(2, message{kind: typeWindowAckSize, body: []byte{0, 0, 0, 1}}, 0), 0},
		{"ack window of 2^31", chunk0(2, message{kind: typeWindowAckSize, body: []byte{0x80, 0, 0, 0}}, 0), 0},
		{"peer bandwidth", chunk0(2, message{kind: typePeerBandwidth, body: []byte{0, 0, 0, 1, 0}}, 0), 0},
		{"chunk size of 1", append(chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 0, 0, 1}}, 0),
			chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 0, 0, 128}}, 1)...), 0},
		{"chunk size of 65536", slices.Concat(chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 1, 0, 0}}, 0),
			chunk0(6, message{kind: typeVideo, stream: 1, body: large}, 0),
			chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 0, 0, 128}}, 0)), 1},
		{"chunk size of 2^31-1", slices.Concat(chunk0(2, message{kind: typeSetChunkSize, body: []byte{0x7f, 0xff, 0xff, 0xff}}, 0),
			chunk0(6, message{kind: typeVideo, stream: 1, body: large}, 0),
			chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 0, 0, 128}}, 0)), 1},
		{"second connect", chunk0(3, message{kind: typeCommand, body: command("connect", 1, func(w *amfWriter) { w.object("app", "b") })}, 0), 0},
		{"second publish on the stream", chunk0(3, message{kind: typeCommand, stream: 1, body: command("publish", 1, func(w *amfWriter) { w.null(); w.text("b") })}, 0), 0},
		{"deleteStream of another", chunk0(3, message{kind: typeCommand, body: command("deleteStream", 0, func(w *amfWriter) { w.null(); w.number(7) })}, 0), 0},
		{"wrong message stream", chunk0(6, message{kind: typeVideo, stream: 0, body: picture}, 0), 1},
		{"nested 6 deep", chunk0(3, message{kind: typeCommand, body: command("x", 1, func(w *amfWriter) {
			*w = slices.Concat(*w, bytes.Repeat([]byte{amfObject, 0, 1, 'a'}, 6), []byte{amfNull}, bytes.Repeat([]byte{0, 0, amfObjectEnd}, 6))
		})}, 128), 0},
		{"_result to nothing", chunk0(3, message{kind: typeCommand, body: command("_result", 1, nil)}, 0), 0},
		{"aggregate", chunk0(6, message{kind: typeAggregate, stream: 1, timestamp: 500, body: slices.Concat(
			flvTag(typeVideo, 70_000, picture), flvTag(typeAudio, 70_000, nil), flvTag(typeData, 70_000, []byte{1}), flvTag(typeVideo, 70_040, picture))}, 128), 2},
		{"damaged aggregate", chunk0(6, message{kind: typeAggregate, stream: 1, body: append(flvTag(typeVideo, 0, picture), 9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1)}, 128), 1},
		{"empty aggregate", chunk0(6, message{kind: typeAggregate, stream: 1}, 128), 0},
	}
	for _, id := range []int{64, 65, 68, 319, 320, 321, 324, 575, 576, 16384, 65598, 65599} {
		tests = append(tests, struct {
			name   string
			bytes  []byte
			before int
		}{fmt.Sprintf("chunk stream %d", id), longID(id, message{kind: typeVideo, stream: 1, body: picture}), 1})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := serve(t, Options{}, nil)
			e := dial(t, g)
			e.start()
			sink := <-g.sinks
			e.write(test.bytes)
			for range test.before {
				sink.unit(t)
			}
			marker := avcPicture(4, append(bytes.Clone(testP), 0x77))
			e.video(90, marker)
			if u := sink.unit(t); !bytes.Equal(u.NALUs[0], marker[9:]) {
				t.Errorf("the next picture is %x", u.NALUs)
			}
		})
	}
}

// longID makes a message on a chunk stream whose id takes two or three bytes.
func longID(id int, m message) []byte {
	b := chunk0(0, m, 0)
	if id < 320 {
		return append([]byte{0, byte(id - 64)}, b[1:]...)
	}
	return append([]byte{1, byte((id - 64) % 256), byte((id - 64) / 256)}, b[1:]...)
}

func flvTag(kind byte, timestamp uint32, body []byte) []byte {
	n := len(body)
	b := []byte{kind, byte(n >> 16), byte(n >> 8), byte(n), byte(timestamp >> 16), byte(timestamp >> 8), byte(timestamp), byte(timestamp >> 24), 0, 0, 0}
	return binary.BigEndian.AppendUint32(append(b, body...), uint32(n+11))
}

// TestChunkStreamsDoNotMix: messages on ids that differ in their higher bits only are
// assembled side by side.
func TestChunkStreamsDoNotMix(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.start()
	sink := <-g.sinks
	ids := []int{64, 64 + 256, 64 + 512, 64 + 65*256}
	var heads, tails [][]byte
	for i, id := range ids {
		b := longID(id, message{kind: typeVideo, stream: 1, body: avcPicture(4, append(bytes.Clone(testP), bytes.Repeat([]byte{byte(i)}, 150)...))})
		head := 2 + 11 + 128
		continuation := []byte{0xc0, byte(id - 64)}
		if id >= 320 {
			head++
			continuation = []byte{0xc1, byte((id - 64) % 256), byte((id - 64) / 256)}
		}
		heads, tails = append(heads, b[:head]), append(tails, append(continuation, b[head:]...))
	}
	e.write(slices.Concat(slices.Concat(heads...), slices.Concat(tails...)))
	for i := range ids {
		if u := sink.unit(t); len(u.NALUs[0]) != 154 || u.NALUs[0][100] != byte(i) {
			t.Errorf("picture %d: %x", i, u.NALUs)
		}
	}
}
