package rtmp

import "encoding/binary"

// control handles protocol control messages (RTMP 5.4) and user control messages (6.2). None
// of them reaches go-rtmp. Those that are too short are left out.
func (g *guard) control(m message) error {
	if len(m.body) < 4 {
		g.dropped++
		return nil
	}
	value := binary.BigEndian.Uint32(m.body)
	switch m.kind {
	case typeSetChunkSize:
		if value == 0 || value > 1<<31-1 {
			return fault("The encoder announced a chunk size that is not allowed (RTMP 5.4.1): 1 to 2147483647.")
		}
		g.chunkSize = int(min(value, 0xffffff))
	case typeAbort:
		if c := g.chunks[value]; c != nil && c.open {
			g.abandon(c)
		}
	case typeWindowAckSize:
		g.ackWindow = uint64(min(max(value, minAckWindow), windowSize))
	case typeUserControl:
		return g.userControl(m.body)
	default: // acknowledgements and wishes for our bandwidth: we hardly send anything
	}
	return nil
}

// userControl answers a ping; the other events are a player's business.
func (g *guard) userControl(event []byte) error {
	const pingRequest, pingResponse = 6, 7
	if binary.BigEndian.Uint16(event) != pingRequest || len(event) < 6 {
		return nil
	}
	answer := append([]byte{0, pingResponse}, event[2:6]...)
	return g.out.send(chunkOwn, message{kind: typeUserControl, body: answer})
}

// acknowledge tells the peer how much has arrived (RTMP 5.4.3), twice in each window, so
// that it never has to stop. Nobody is acknowledged before publishing.
func (g *guard) acknowledge() error {
	received := g.wire.received
	if g.publishing == 0 || received-g.acked < g.ackWindow/2 {
		return nil
	}
	g.acked = received
	sequence := binary.BigEndian.AppendUint32(nil, uint32(received))
	return g.out.send(chunkOwn, message{kind: typeAck, body: sequence})
}
