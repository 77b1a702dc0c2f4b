package rtmp

import (
	"encoding/binary"
	"io"
	"slices"
)

// chunkStream is what is remembered of one chunk stream (RTMP 5.3.1).
type chunkStream struct {
	timestamp uint32 // of the current message, absolute
	delta     uint32
	extended  bool   // the last header carried an extended timestamp
	field     uint32 // that header's timestamp field
	length    int
	kind      byte
	stream    uint32

	open    bool // within a message
	skipped bool // the message is read and not kept
	got     int  // bytes of the message so far
	buffer  []byte
}

// release gives a buffer back once its message has been handled, unless it is one that the
// next picture needs again. So who does not publish holds nothing.
func (c *chunkStream) release() {
	if media := c.kind == typeAudio || c.kind == typeVideo; !media || cap(c.buffer) > keptBuffer {
		c.buffer = nil
	}
}

// readChunk reads one chunk and says whether it completed a message. The message's bytes
// are good until the next call.
func (g *guard) readChunk() (m message, complete bool, err error) {
	format, c, err := g.readBasicHeader()
	if err != nil {
		return message{}, false, err
	}
	if format != 3 && c.open {
		g.abandon(c) // a new header amid a message: the message was broken off
	}
	if err := g.readMessageHeader(format, c); err != nil {
		return message{}, false, err
	}
	if !c.open {
		if err := g.begin(c); err != nil {
			return message{}, false, err
		}
	}
	if err := g.readPayload(c); err != nil {
		return message{}, false, err
	}
	if c.got < c.length {
		return message{}, false, nil
	}
	c.open = false
	if c.skipped {
		g.dropped++
		return message{}, false, nil
	}
	g.held -= c.length
	g.spent = c
	return message{kind: c.kind, stream: c.stream, timestamp: c.timestamp, body: c.buffer}, true, nil
}

// readBasicHeader reads the chunk's format and chunk stream id (RTMP 5.3.1.1).
func (g *guard) readBasicHeader() (format byte, c *chunkStream, err error) {
	first, err := g.r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	format = first >> 6
	id := uint32(first & 0x3f)
	if id < 2 {
		b, err := g.r.Peek(int(id) + 1)
		if err != nil {
			return 0, nil, err
		}
		if id == 0 {
			id = uint32(b[0]) + 64
		} else {
			id = uint32(b[1])<<8 + uint32(b[0]) + 64
		}
		_, _ = g.r.Discard(len(b)) // these bytes were just peeked at
	}
	c, known := g.chunks[id]
	if known {
		return format, c, nil
	}
	if format > 1 {
		return 0, nil, fault("A chunk without a size came first on its chunk stream: the encoder's RTMP is broken.")
	}
	if len(g.chunks) >= maxChunkStreams {
		return 0, nil, fault("The encoder uses more chunk streams than the 16 that are allowed.")
	}
	c = &chunkStream{}
	g.chunks[id] = c
	return format, c, nil
}

// readMessageHeader reads what a chunk of this format says of its message (RTMP 5.3.1.2 and
// 5.3.1.3). Where a message begins it sets the message's time.
func (g *guard) readMessageHeader(format byte, c *chunkStream) error {
	if format == 3 {
		return g.readType3Header(c)
	}
	size := [...]int{11, 7, 3}[format]
	h, err := g.r.Peek(size)
	if err != nil {
		return err
	}
	c.field = uint32(h[0])<<16 | uint32(h[1])<<8 | uint32(h[2])
	if format <= 1 {
		c.length = int(h[3])<<16 | int(h[4])<<8 | int(h[5])
		c.kind = h[6]
	}
	if format == 0 {
		c.stream = binary.LittleEndian.Uint32(h[7:])
		c.timestamp = 0
	}
	_, _ = g.r.Discard(size) // just peeked at
	c.extended = c.field == 0xffffff
	if c.extended {
		b, err := g.r.Peek(4)
		if err != nil {
			return err
		}
		c.field = binary.BigEndian.Uint32(b)
		_, _ = g.r.Discard(4)
	}
	// After a type 0 chunk the delta is its timestamp: RTMP 5.3.1.2.4, and ffmpeg relies on it.
	c.delta = c.field
	c.timestamp += c.field
	return nil
}

// readType3Header handles a chunk that repeats the last header. After an extended timestamp
// the field should be there again (RTMP 5.3.1.3); encoders built on older librtmp leave it
// out. So it is taken only if it is what it would have to be.
func (g *guard) readType3Header(c *chunkStream) error {
	rest := c.length
	if c.open {
		rest -= c.got
	}
	// Looking four bytes ahead where fewer belong to this message would wait for the next
	// one, so that is done only for encoders that may have sent the field.
	if c.extended && (rest >= 4 || !g.plainType3) {
		b, err := g.r.Peek(4)
		if err != nil {
			return err
		}
		if v := binary.BigEndian.Uint32(b); v == c.field || v == c.timestamp {
			_, _ = g.r.Discard(4)
		} else {
			g.plainType3 = true
		}
	}
	if !c.open {
		c.timestamp += c.delta
	}
	return nil
}

// begin decides what becomes of a message before any of it is kept.
func (g *guard) begin(c *chunkStream) error {
	c.open, c.got, c.skipped, c.buffer = true, 0, false, c.buffer[:0]
	limit := 0
	switch c.kind {
	case typeSetChunkSize, typeAbort, typeAck, typeUserControl, typeWindowAckSize, typePeerBandwidth:
		limit = maxControl
	case typeCommand, typeCommandAMF3:
		limit = maxCommand
	case typeData, typeDataAMF3:
		limit = maxCommand
		c.skipped = c.length > limit // a thumbnail in the metadata is no reason to end a stream
	case typeAudio, typeVideo, typeAggregate:
		limit = maxMedia
		c.skipped = g.publishing == 0 // left over from before an unpublish, or an attack
	default:
		c.skipped = true
	}
	if !c.skipped && c.length > limit {
		return fault("The encoder sent one message that is larger than allowed (4 MiB for audio and video, 64 KiB for commands).")
	}
	return nil
}

// readPayload reads this chunk's share of the message. Memory grows with what has arrived,
// not with what was announced.
func (g *guard) readPayload(c *chunkStream) error {
	n := min(g.chunkSize, c.length-c.got)
	if c.skipped {
		skipped, err := g.r.Discard(n)
		c.got += skipped
		return err
	}
	limit := maxUnfinished
	if g.publishing == 0 {
		limit = maxUnfinishedStranger
	}
	if g.held+n > limit {
		return fault("The encoder leaves too many messages unfinished: its RTMP is broken.")
	}
	for n > 0 {
		step := min(n, 64<<10)
		c.buffer = slices.Grow(c.buffer, step)
		got, err := io.ReadFull(g.r, c.buffer[c.got:c.got+step])
		c.got += got
		c.buffer = c.buffer[:c.got]
		g.held += got
		if err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// abandon forgets the unfinished message of a chunk stream.
func (g *guard) abandon(c *chunkStream) {
	if !c.skipped {
		g.held -= c.got
	}
	c.open = false
	c.release()
	g.dropped++
}

// appendChunkHeader writes a type 0 header for a message that is sent as one chunk.
func appendChunkHeader(b []byte, chunk byte, m message) []byte {
	short := min(m.timestamp, 0xffffff)
	n := len(m.body)
	b = append(b, chunk, byte(short>>16), byte(short>>8), byte(short), byte(n>>16), byte(n>>8), byte(n), m.kind)
	b = binary.LittleEndian.AppendUint32(b, m.stream)
	if short == 0xffffff {
		b = binary.BigEndian.AppendUint32(b, m.timestamp)
	}
	return b
}

func appendChunk(b []byte, chunk byte, m message) []byte {
	return append(appendChunkHeader(b, chunk, m), m.body...)
}
