package rtmp

// aggregate takes an aggregate message apart (RTMP 7.1.6): a row of FLV tags, each followed
// by its size.
type aggregate struct {
	rest    []byte
	started bool
	offset  uint32 // from a tag's time to the message's
	base    uint32
}

func (a *aggregate) start(m message) { *a = aggregate{rest: m.body, base: m.timestamp} }

// next gives the next audio, video or data message; what is damaged ends the row.
func (a *aggregate) next() (message, bool) {
	const header, trailer = 11, 4
	for len(a.rest) >= header {
		h := a.rest
		n := int(h[1])<<16 | int(h[2])<<8 | int(h[3])
		if n > len(a.rest)-header {
			break
		}
		timestamp := uint32(h[7])<<24 | uint32(h[4])<<16 | uint32(h[5])<<8 | uint32(h[6])
		if !a.started {
			a.started, a.offset = true, a.base-timestamp
		}
		body := h[header : header+n]
		a.rest = h[min(len(h), header+n+trailer):]
		if kind := h[0] & 0x1f; kind == typeAudio || kind == typeVideo || kind == typeData {
			return message{kind: kind, timestamp: timestamp + a.offset, body: body}, true
		}
	}
	a.rest = nil
	return message{}, false
}
