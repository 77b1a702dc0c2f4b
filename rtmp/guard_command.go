package rtmp

import (
	"math"
	"strings"
)

// commands is the state of the command messages of one connection.
type commands struct {
	connected bool
	streams   [maxStreams + 1]bool // the message streams that go-rtmp has open; 0 is its own
	encoder   string               // what the encoder calls itself, for the log
	last      string               // the last command's name, for the log
}

// command handles a command message (RTMP 7.2). The few that mean something are written
// anew for go-rtmp, with every argument of the type that it insists on; the rest is left out.
// Damaged or oversized AMF ends the connection before anything is built from it.
func (g *guard) command(m message) error {
	scan := amfReader{rest: m.body}
	for len(scan.rest) > 0 && scan.err == nil {
		scan.skip(0)
	}
	if scan.err != nil {
		return fault("The encoder sent a damaged or oversized command: its RTMP is broken.")
	}
	r := &amfReader{rest: m.body}
	name, _ := r.text(0)
	transaction, _ := r.number()
	if math.IsNaN(transaction) || math.Abs(transaction) > math.MaxInt32 {
		transaction = 0
	}
	g.last = printable(string(name))
	switch string(name) {
	case "connect":
		g.connect(r, transaction)
	case "releaseStream":
		return g.answer("_result", transaction, "")
	case "FCPublish":
		return g.fcPublish(r, transaction)
	case "createStream":
		g.createStream(transaction)
	case "publish":
		return g.publishCommand(r, m.stream)
	case "deleteStream":
		g.deleteStream(r)
	case "closeStream":
		g.remove(m.stream)
	case "play", "play2":
		return fault("This is the door for publishers; streams are watched in a browser, at the gateway's web page.")
	case "FCUnpublish": // deleteStream or the end follows
	default:
		g.dropped++
	}
	return nil
}

// connect keeps what the stream key may hide in, and the encoder's name. Everything else
// is left out: go-rtmp ends connections whose fields have unexpected types.
func (g *guard) connect(r *amfReader, transaction float64) {
	if g.connected {
		g.dropped++
		return
	}
	fields := map[string]string{}
	r.object(func(name []byte) {
		value, ok := r.text(1)
		switch key := string(name); {
		case !ok:
		case key == "app", key == "tcUrl", key == "type", key == "flashVer":
			fields[key] = string(value)
		}
	})
	g.connected = true
	g.encoder = printable(fields["flashVer"])
	var w amfWriter
	w.text("connect")
	w.number(transaction)
	w.object("app", fields["app"], "tcUrl", fields["tcUrl"], "type", fields["type"], "flashVer", fields["flashVer"])
	g.hand(chunkCommand, message{kind: typeCommand, body: w})
}

// createStream lets go-rtmp make a message stream. go-rtmp takes the lowest free number.
func (g *guard) createStream(transaction float64) {
	if !g.connected {
		g.dropped++
		return
	}
	for id := 1; id < len(g.streams); id++ {
		if !g.streams[id] {
			g.streams[id] = true
			break
		}
	}
	var w amfWriter
	w.text("createStream")
	w.number(transaction)
	w.null()
	g.hand(chunkCommand, message{kind: typeCommand, body: w})
}

// publishCommand passes publish on, on a message stream that exists.
func (g *guard) publishCommand(r *amfReader, stream uint32) error {
	r.skip(0) // the command object, null
	name, _ := r.text(0)
	switch {
	case g.publishing != 0 && stream == g.publishing:
		g.dropped++ // said twice
		return nil
	case g.publishing != 0:
		return fault("A second stream was published on one connection; one is allowed. Open a connection for each stream.")
	}
	if stream = g.existing(stream); stream == 0 {
		return fault("The encoder sent publish without createStream: its RTMP is broken.")
	}
	var w amfWriter
	w.text("publish")
	w.number(0)
	w.null()
	w.text(string(name))
	w.text("live")
	g.hand(chunkCommand, message{kind: typeCommand, stream: stream, body: w})
	return nil
}

// deleteStream ends a message stream. GStreamer sends the stream's name where the number
// belongs, and others send 0, which would delete go-rtmp's own: both mean the publisher.
func (g *guard) deleteStream(r *amfReader) {
	r.skip(0) // the command object, null
	id, ok := r.number()
	if !ok || id < 1 || id >= float64(len(g.streams)) {
		id = float64(g.publishing)
	}
	g.remove(uint32(id))
}

// remove lets go-rtmp delete a message stream, if it has it.
func (g *guard) remove(stream uint32) {
	if stream == 0 || stream >= uint32(len(g.streams)) || !g.streams[stream] {
		g.dropped++
		return
	}
	g.streams[stream] = false
	var w amfWriter
	w.text("deleteStream")
	w.number(0)
	w.null()
	w.number(float64(stream))
	g.hand(chunkCommand, message{kind: typeCommand, body: w})
}

// existing gives the message stream that is meant: the named one, or the only one.
func (g *guard) existing(stream uint32) uint32 {
	if stream > 0 && stream < uint32(len(g.streams)) && g.streams[stream] {
		return stream
	}
	only := uint32(0)
	for id, open := range g.streams {
		if open && only != 0 {
			return 0
		}
		if open {
			only = uint32(id)
		}
	}
	return only
}

// fcPublish answers a command of Flash Media Live Encoder's for which some hardware waits,
// in the two ways in which servers do.
func (g *guard) fcPublish(r *amfReader, transaction float64) error {
	r.skip(0) // the command object, null
	name, _ := r.text(0)
	if err := g.answer("_result", transaction, ""); err != nil {
		return err
	}
	return g.answer("onFCPublish", transaction, string(name))
}

// answer sends the reply to a command that go-rtmp leaves unanswered.
func (g *guard) answer(name string, transaction float64, stream string) error {
	if !g.connected {
		g.dropped++
		return nil
	}
	var w amfWriter
	w.text(name)
	w.number(transaction)
	w.null()
	if stream != "" {
		w.object("level", "status", "code", "NetStream.Publish.Start", "description", stream)
	}
	return g.out.send(chunkOwn, message{kind: typeCommand, body: w})
}

// data looks into the metadata for the encoder's name; go-rtmp needs no data messages.
// Damaged ones are left out.
func (g *guard) data(m message) {
	g.dropped++
	r := &amfReader{rest: m.body}
	name, _ := r.text(0)
	if string(name) == "@setDataFrame" {
		name, _ = r.text(0)
	}
	if string(name) != "onMetaData" {
		return
	}
	g.dropped--
	r.object(func(name []byte) {
		if value, ok := r.text(1); ok && string(name) == "encoder" {
			g.encoder = printable(string(value))
		}
	})
}

// printable makes a peer's text fit for a log line.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), 256)])
	return s[:min(len(s), 80)]
}
