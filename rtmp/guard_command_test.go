package rtmp

import (
	"slices"
	"strings"
	"testing"
)

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
