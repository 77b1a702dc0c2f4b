package rtmp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
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
			chunk0(2, message{kind: typeAbort, body: []byte{0, 0, 0, 6}}, 0)), 0},
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

// TestConnectFields: must-have 8. Odd types in connect are nobody's business.
func TestConnectFields(t *testing.T) {
	odd := func(name string, value ...byte) func(*amfWriter) {
		return func(w *amfWriter) {
			*w = append(*w, amfObject)
			w.name(name)
			*w = append(*w, value...)
			w.name("app")
			w.text("app")
			*w = append(*w, 0, 0, amfObjectEnd, amfNull)
		}
	}
	tests := map[string]func(*amfWriter){
		"fpad: 0":                     odd("fpad", amfNumber, 0, 0, 0, 0, 0, 0, 0, 0),
		"pageUrl: undefined":          odd("pageUrl", amfUndefined),
		"app: null first":             odd("app", amfNull),
		"capabilities: string":        odd("capabilities", amfString, 0, 1, 'x'),
		"objectEncoding: boolean":     odd("objectEncoding", amfBoolean, 1),
		"fourCcList: array":           odd("fourCcList", amfStrictArray, 0, 0, 0, 1, amfString, 0, 1, '*'),
		"fourCcInfoMap: nested":       odd("x", amfObject, 0, 1, 'a', amfECMAArray, 0, 0, 0, 0, 0, 0, amfObjectEnd, 0, 0, amfObjectEnd),
		"a date, XML, a long string":  odd("d", slices.Concat([]byte{amfDate}, make([]byte, 10), []byte{0, 1, 'e', amfXML, 0, 0, 0, 1, 'x', 0, 1, 'f', amfLongString, 0, 0, 0, 1, 'y'})...),
		"typed object":                odd("t", amfTypedObject, 0, 1, 'T', 0, 0, amfObjectEnd),
		"invalid UTF-8":               odd("flashVer", amfString, 0, 2, 0xff, 0xfe),
		"no object at all":            func(*amfWriter) {},
		"an ECMA array":               func(w *amfWriter) { *w = append(*w, amfECMAArray, 0, 0, 0, 9, 0, 0, amfObjectEnd) },
		"not even a transaction id":   nil,
		"AMF 3, that is AMF 0 inside": nil,
	}
	for name, build := range tests {
		t.Run(name, func(t *testing.T) {
			g := serve(t, Options{}, nil)
			e := dial(t, g)
			kind, body := byte(typeCommand), command("connect", 1, build)
			switch name {
			case "not even a transaction id":
				body = body[:10]
			case "AMF 3, that is AMF 0 inside":
				kind, body = typeCommandAMF3, append([]byte{0}, command("connect", 1, odd("x", amfNull))...)
			}
			e.write(chunk0(3, message{kind: kind, body: body}, 128))
			e.awaitCommand("_result")
			e.createStream()
			e.publish(testKey)
			if code, text := e.awaitStatus(); code != "NetStream.Publish.Start" {
				t.Error(code, text)
			}
			e.write(chunk0(3, message{kind: typeCommandAMF3, body: append([]byte{0}, command("deleteStream", 0, func(w *amfWriter) { w.null(); w.number(1) })...)}, 128))
			if reason := <-(<-g.sinks).closed; reason != nil {
				t.Error("closed:", reason)
			}
		})
	}
}

// TestUnpublish: must-have 8, and publishing again on the same connection.
func TestUnpublish(t *testing.T) {
	ends := map[string]func(*encoder){
		"by number":           func(e *encoder) { e.call(0, "deleteStream", 6, func(w *amfWriter) { w.null(); w.number(1) }) },
		"by name (GStreamer)": func(e *encoder) { e.call(0, "deleteStream", 6, func(w *amfWriter) { w.null(); w.text(testKey) }) },
		"0":                   func(e *encoder) { e.call(0, "deleteStream", 6, func(w *amfWriter) { w.null(); w.number(0) }) },
		"undefined": func(e *encoder) {
			e.call(0, "deleteStream", 6, func(w *amfWriter) { w.null(); *w = append(*w, amfUndefined) })
		},
		"without arguments": func(e *encoder) { e.call(0, "deleteStream", 6, nil) },
		"closeStream":       func(e *encoder) { e.call(1, "closeStream", 0, func(w *amfWriter) { w.null() }) },
		"FCUnpublish, then deleteStream": func(e *encoder) {
			e.call(0, "FCUnpublish", 5, func(w *amfWriter) { w.null(); w.text(testKey) })
			e.call(0, "deleteStream", 6, func(w *amfWriter) { w.null(); w.number(1) })
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			g := serve(t, Options{}, nil)
			e := dial(t, g)
			e.start()
			for range 3 {
				sink := <-g.sinks
				e.video(5000, testHeader)
				e.video(5000, avcPicture(4, testIDR))
				sink.unit(t)
				if u := sink.unit(t); u.PTS != 0 {
					t.Error("a new publication begins at", u.PTS)
				}
				end(e)
				if reason := <-sink.closed; reason != nil {
					t.Error("closed:", reason)
				}
				e.video(5040, avcPicture(4, testP)) // late, into the void
				e.createStream()
				e.publish(testKey)
				if code, text := e.awaitStatus(); code != "NetStream.Publish.Start" {
					t.Fatal(code, text)
				}
			}
			last := <-g.sinks
			_ = e.Close()
			<-last.closed
			if n := strings.Count(g.log.String(), "the encoder ended the stream"); n != 3 {
				t.Errorf("%d good ends in the log:\n%s", n, g.log)
			}
		})
	}
}

// TestAnnouncements: must-haves 9 and 10, and what go-rtmp says by itself.
func TestAnnouncements(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.call(0, "connect", 1, func(w *amfWriter) { w.object("app", "app") })
	want := []message{
		{kind: typeSetChunkSize, body: []byte{0, 1, 0, 0}},
		{kind: typeWindowAckSize, body: []byte{0, 0x26, 0x25, 0xa0}},
		{kind: typePeerBandwidth, body: []byte{0, 0x26, 0x25, 0xa0, 2}}, // 2: dynamic
	}
	for i, w := range want {
		if m := <-e.received; m.kind != w.kind || !bytes.Equal(m.body, w.body) {
			t.Errorf("message %d: type %d, %x; want type %d, %x", i, m.kind, m.body, w.kind, w.body)
		}
	}
}

// TestAcknowledgements: a peer that stops without them gets them, for the bytes that it
// sent, and none for every few bytes if it asks for that.
func TestAcknowledgements(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.start()
	e.send(2, message{kind: typeWindowAckSize, body: []byte{0, 0, 0, 1}})
	sent := 0
	picture := chunk0(6, message{kind: typeVideo, stream: 1, body: avcPicture(4, bytes.Repeat(testP, 250))}, 128)
	for range 200 {
		e.write(picture)
		sent += len(picture)
	}
	e.call(0, "deleteStream", 0, nil)
	<-(<-g.sinks).closed
	_ = e.Conn.(*net.TCPConn).CloseWrite()
	acks, last := 0, uint32(0)
	for m := range e.received {
		if m.kind == typeAck {
			acks++
			last = binary.BigEndian.Uint32(m.body)
		}
	}
	if most := sent/(minAckWindow/2) + 1; acks < most-2 || acks > most || last > uint32(sent+handshakeSize+2000) || last < uint32(sent-minAckWindow) {
		t.Errorf("%d acknowledgements up to %d for %d bytes", acks, last, sent)
	}
}

// TestPing: a peer that asks whether we live is answered.
func TestPing(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.connect()
	e.send(2, message{kind: typeUserControl, body: []byte{0, 6, 1, 2, 3, 4}})
	m := e.await("a pong", func(m message) bool { return m.kind == typeUserControl && m.body[1] == 7 })
	if !bytes.Equal(m.body, []byte{0, 7, 1, 2, 3, 4}) {
		t.Errorf("%x", m.body)
	}
}

// TestReleaseStreamIsAnswered: must-have 12.
func TestReleaseStreamIsAnswered(t *testing.T) {
	g := serve(t, Options{}, nil)
	e := dial(t, g)
	e.connect()
	e.call(0, "releaseStream", 2, func(w *amfWriter) { w.null(); w.text(testKey) })
	if n, _ := e.awaitCommand("_result").number(); n != 2 {
		t.Error("transaction", n)
	}
	e.call(0, "FCPublish", 3, func(w *amfWriter) { w.null(); w.text(testKey) })
	if n, _ := e.awaitCommand("_result").number(); n != 3 {
		t.Error("transaction", n)
	}
	if n, _ := e.awaitCommand("onFCPublish").number(); n != 3 {
		t.Error("transaction", n)
	}
}

// TestMetadata: the encoder's name is logged, however it is sent, and made harmless.
func TestMetadata(t *testing.T) {
	for name, build := range map[string]func(*amfWriter){
		"set":  func(w *amfWriter) { w.text("@setDataFrame"); w.text("onMetaData") },
		"bare": func(w *amfWriter) { w.text("onMetaData") },
	} {
		t.Run(name, func(t *testing.T) {
			g := serve(t, Options{}, nil)
			e := dial(t, g)
			e.start()
			var w amfWriter
			build(&w)
			w.object("width", "640", "encoder", "OBS\n\x1b[31m 29ö")
			e.send(4, message{kind: typeData, stream: 1, body: w})
			e.call(0, "deleteStream", 0, nil)
			<-(<-g.sinks).closed
			shutdown(t, g)
			if log := g.log.String(); !strings.Contains(log, `encoder="OBS[31m 29"`) || !strings.Contains(log, "left_out=0") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

// TestLockstep: a Read gives bytes of one message only, which session relies on.
func TestLockstep(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	go func() {
		_, _ = near.Write(append([]byte{3}, make([]byte, handshakeSize-1)...))
		_, _ = near.Write(slices.Concat(
			chunk0(6, message{kind: typeVideo, body: []byte("one")}, 0), chunk0(6, message{kind: typeVideo, body: []byte("second")}, 0)))
	}()
	g := newGuard(far, Options{}.withDefaults())
	g.options.IdleTimeout = time.Minute
	if _, err := io.ReadFull(g, make([]byte, handshakeSize)); err != nil {
		t.Fatal(err)
	}
	if n, err := g.Read(make([]byte, 1000)); n != 32 || err != nil { // the preamble
		t.Fatal(n, err)
	}
	g.publish(1)
	for _, want := range []int{3, 6} {
		if n, err := g.Read(make([]byte, 1000)); n != 12 || err != nil || g.bodySize != want {
			t.Fatal(n, err, g.bodySize)
		}
		if n, err := g.Read(make([]byte, 1000)); n != want || err != nil {
			t.Fatal(n, err)
		}
	}
}

// The attacks of must-have 1. Each must end its connection, or be left out, without the
// process allocating what the attack asks for.
func TestAttacks(t *testing.T) {
	bomb := func(n uint32) []byte {
		return command("x", 1, func(w *amfWriter) { *w = binary.BigEndian.AppendUint32(append(*w, amfStrictArray), n) })
	}
	nested := func(depth int) []byte {
		return command("x", 1, func(w *amfWriter) { *w = append(*w, bytes.Repeat([]byte{amfObject, 0, 1, 'a'}, depth)...) })
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
		{"nested 7", false, chunk0(3, message{kind: typeCommand, body: nested(8)}, 128)},
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
			g := serve(t, Options{}, nil)
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

// TestStrangers: what speaks another protocol is named in the log.
func TestStrangers(t *testing.T) {
	for first, want := range map[byte]string{0x16: "TLS was spoken", 6: "RTMPE", 'G': "no RTMP handshake"} {
		g := serve(t, Options{}, nil)
		e := connectTo(t, g)
		e.write([]byte{first})
		if _, err := e.Read(make([]byte, 1)); err == nil {
			t.Errorf("%#x was answered", first)
		}
		shutdown(t, g)
		if !strings.Contains(g.log.String(), want) {
			t.Errorf("%#x:\n%s", first, g.log)
		}
	}
}

// TestRefusals: must-have 4, and what is told while a stream runs.
func TestRefusals(t *testing.T) {
	tests := []struct {
		name      string
		rejection *ingest.Rejection
		want      string
	}{
		{"unknown key", ingest.Rejectf(ingest.InvalidStreamKey, "unknown key"), "NetStream.Publish.Denied"},
		{"key in use", ingest.Rejectf(ingest.ReuseOfStreamKey, "already live"), "NetStream.Publish.BadName"},
		{"quota", ingest.Rejectf(ingest.QuotaExceeded, "too many"), "NetStream.Publish.Denied"},
		{"long text", ingest.Rejectf(ingest.InvalidInput, "%s", strings.Repeat("ö", 2000)), "NetStream.Publish.Denied"},
	}
	for _, test := range tests {
		wantText := test.rejection.Detail[:min(len(test.rejection.Detail), maxStatusText)]
		t.Run("at the door, "+test.name, func(t *testing.T) {
			g := serve(t, Options{}, refuseAll(test.rejection))
			e := dial(t, g)
			e.connect()
			e.createStream()
			e.publish(testKey)
			if code, text := e.awaitStatus(); code != test.want || text != wantText {
				t.Errorf("%s: %s", code, text)
			}
			for m := range e.received {
				t.Errorf("more was said: %q", m.body)
			}
			shutdown(t, g)
			if log := g.log.String(); strings.Count(log, "rtmp session ended") != 1 || !strings.Contains(log, "code="+string(test.rejection.Code)) {
				t.Errorf("log:\n%s", log)
			}
		})
		t.Run("on stage, "+test.name, func(t *testing.T) {
			sink := &recorder{units: make(chan *ingest.AccessUnit, 9), closed: make(chan error, 2), videoErr: test.rejection}
			g := serve(t, Options{}, letIn(sink))
			e := dial(t, g)
			e.start()
			// The encoder goes on sending at full speed, and still reads the reason.
			e.write(slices.Repeat(chunk0(6, message{kind: typeVideo, stream: 1, body: testHeader}, 128), 1000))
			if code, text := e.awaitStatus(); code != test.want || text != wantText {
				t.Errorf("%s: %s", code, text)
			}
			e.awaitClose()
			_ = e.Close()
			if reason := <-sink.closed; reason != error(test.rejection) {
				t.Error("closed:", reason)
			}
			shutdown(t, g)
			if len(sink.units) != 1 || len(sink.closed) != 0 {
				t.Errorf("after the error %d more writes, %d more closes", len(sink.units)-1, len(sink.closed))
			}
		})
	}
}
