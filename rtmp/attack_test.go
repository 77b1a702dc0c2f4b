package rtmp

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"testing"
	"time"
)

// The attacks of must-have 1. Each must end its connection, or be left out, without the
// process allocating what the attack asks for.
func TestAttacks(t *testing.T) {
	bomb := func(n uint32) []byte {
		return command("x", 1, func(w *amfWriter) { *w = binary.BigEndian.AppendUint32(append(*w, amfStrictArray), n) })
	}
	nested := func(depth int) []byte {
		return command("x", 1, func(w *amfWriter) { *w = append(*w, bytes.Repeat([]byte{amfObject, 0, 1, 'a'}, depth)...) })
	}
	wellFormed := func(depth int) []byte {
		return slices.Concat(nested(depth), []byte{amfNull}, bytes.Repeat([]byte{0, 0, amfObjectEnd}, depth))
	}
	unfinished := func(n, length int, kind byte) []byte {
		var b []byte
		for i := range n {
			h := longID(64+i, message{kind: kind, body: make([]byte, length)})
			b = append(b, h[:13+128]...)
		}
		return b
	}
	tests := []struct {
		name    string
		publish bool
		bytes   []byte
	}{
		{"array bomb before connect", false, chunk0(3, message{kind: typeCommand, body: bomb(1<<31 - 1)}, 128)},
		{"array of 200 million", false, chunk0(3, message{kind: typeCommand, body: bomb(200_000_000)}, 128)},
		{"array bomb as AMF 3", false, chunk0(3, message{kind: typeCommandAMF3, body: append([]byte{0}, bomb(1<<31-1)...)}, 128)},
		{"array bomb in publish", true, chunk0(3, message{kind: typeCommand, body: bomb(1 << 30)}, 128)},
		{"array of more than 256", false, chunk0(3, message{kind: typeCommand, body: append(bomb(257), bytes.Repeat([]byte{amfNull}, 257)...)}, 128)},
		{"nested 60 KB", false, chunk0(3, message{kind: typeCommand, body: nested(15_000)}, 128)},
		{"nested 8 deep", false, chunk0(3, message{kind: typeCommand, body: wellFormed(8)}, 128)},
		{"nested 9,000 deep, in order", false, chunk0(3, message{kind: typeCommand, body: wellFormed(9_000)}, 128)},
		{"10 MB command follows", false, announce(3, typeCommand, 10<<20)},
		{"nested arrays", false, chunk0(3, message{kind: typeCommand, body: command("x", 1, func(w *amfWriter) {
			*w = append(*w, bytes.Repeat([]byte{amfStrictArray, 0, 0, 0, 200}, 12_000)...)
		})}, 128)},
		{"too many values", false, chunk0(3, message{kind: typeCommand, body: command("x", 1, func(w *amfWriter) {
			*w = append(*w, bytes.Repeat([]byte{amfNull}, 2049)...)
		})}, 128)},
		{"AMF 3 values inside", false, chunk0(3, message{kind: typeCommand, body: command("x", 1, func(w *amfWriter) { *w = append(*w, 0x11, 0x0a) })}, 128)},
		{"5 MB picture follows", true, announce(6, typeVideo, 5<<20)},
		{"5 MB aggregate follows", true, announce(6, typeAggregate, 5<<20)},
		{"2 KB control message", false, announce(2, typeSetChunkSize, 2<<10)},
		{"17 chunk streams", false, unfinished(17, 200, typeCommand)},
		{"17 chunk streams, publishing", true, unfinished(17, 200, typeVideo)},
		{"chunk size of 0", false, chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 0, 0, 0}}, 0)},
		{"negative chunk size", false, chunk0(2, message{kind: typeSetChunkSize, body: []byte{0x80, 0, 0, 1}}, 0)},
		{"type 2 first", false, []byte{0x89, 0, 0, 0}},
		{"type 3 first", false, []byte{0xc9, 0, 0, 0}},
		{"play", false, chunk0(3, message{kind: typeCommand, body: command("play", 1, func(w *amfWriter) { w.null(); w.text("x") })}, 128)},
		{"publish without a stream", false, chunk0(3, message{kind: typeCommand, body: command("publish", 1, func(w *amfWriter) { w.null(); w.text("x") })}, 128)},
		{"second publication", true, slices.Concat(
			chunk0(3, message{kind: typeCommand, body: command("createStream", 7, func(w *amfWriter) { w.null() })}, 128),
			chunk0(3, message{kind: typeCommand, stream: 2, body: command("publish", 8, func(w *amfWriter) { w.null(); w.text("x") })}, 128))},
		{"more than 8 MiB unfinished", true, func() []byte {
			b := chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 0x3f, 0xff, 0xff}}, 0)
			for i := range 3 {
				b = append(b, announce(byte(10+i), typeVideo, 4<<20)...)
				b = append(b, make([]byte, 4<<20-1)...)
			}
			return b
		}()},
		{"more than 256 KiB unfinished by a stranger", false, func() []byte {
			b := chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 0x3f, 0xff, 0xff}}, 0)
			// A chunk is never unfinished with a chunk size that large, so go back between.
			b = append(b, chunk0(2, message{kind: typeSetChunkSize, body: []byte{0, 0, 0xff, 0xff}}, 0)...)
			for i := range 5 {
				b = append(b, announce(byte(10+i), typeCommand, 64<<10)...)
				b = append(b, make([]byte, 0xffff)...)
			}
			return b
		}()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := serve(t, Options{PublishTimeout: time.Hour, IdleTimeout: time.Hour}, nil)
			e := dial(t, g)
			e.connect()
			if test.publish {
				e.createStream()
				e.publish(testKey)
				e.awaitStatus()
			}
			before := allocated()
			e.write(test.bytes)
			e.awaitClose()
			if grown := allocated() - before; grown > uint64(1<<20+4*len(test.bytes)) {
				t.Errorf("%d bytes were allocated for %d that were received", grown, len(test.bytes))
			}
			dial(t, g).start() // the others go on
		})
	}
}

// announce makes the header of a message, without any of it.
func announce(id, kind byte, length int) []byte {
	return []byte{id, 0, 0, 0, byte(length >> 16), byte(length >> 8), byte(length), kind, 1, 0, 0, 0}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestMediaOfStrangers: who does not publish can send audio and video for as long as the
// deadline lets him, and none of it is kept.
func TestMediaOfStrangers(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.connect()
	b := chunk0(6, message{kind: typeVideo, stream: 1, body: make([]byte, 4<<20)}, 128)
	before := allocated()
	e.write(b)
	e.createStream()
	if grown := allocated() - before; grown > 1<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
	e.publish(testKey)
	e.awaitStatus()
	<-g.sinks
}

// TestAMFScanDoesNotAllocate: whatever a command claims to hold.
func TestAMFScanDoesNotAllocate(t *testing.T) {
	for name, body := range map[string][]byte{
		"bomb":   {amfStrictArray, 0x7f, 0xff, 0xff, 0xff},
		"nested": bytes.Repeat([]byte{amfObject, 0, 1, 'a'}, 1000),
		"string": {amfLongString, 0xff, 0xff, 0xff, 0xff},
	} {
		r := amfReader{}
		if n := testing.AllocsPerRun(100, func() {
			r = amfReader{rest: body}
			r.skip(0)
		}); n > maxAMFDepth+1 || r.err == nil {
			t.Errorf("%s: %v allocations, error %v", name, n, r.err)
		}
	}
}
