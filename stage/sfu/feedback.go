package sfu

import "encoding/binary"

// The RTCP packet types and feedback formats that a viewer sends (RFC 3550, 12.1; RFC 4585,
// 6.1; RFC 5104, 4.3; draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1).
const (
	rtcpReceiverReport  = 201
	rtcpTransport       = 205
	rtcpPayloadSpecific = 206

	formatNACK        = 1
	formatTransportCC = 15
	formatPLI         = 1
	formatFIR         = 4
)

// listener hears what a viewer reports.
type listener interface {
	lost(seq uint16)              // a packet is missing
	broken()                      // the picture cannot be decoded
	receiverReport(fraction byte) // fraction lost since the last report, of 256
	arrivals(received, lost int)  // of the packets of all tracks
}

// readFeedback reads a compound RTCP packet that is addressed to the track with the given
// SSRC. It allocates nothing; malformed bytes end it silently, as RTCP is full of unknown
// things.
func readFeedback(b []byte, ssrc uint32, l listener) {
	for len(b) >= 4 {
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if size > len(b) || b[0]>>6 != 2 {
			return
		}
		format, kind, body := b[0]&0x1f, b[1], b[4:size]
		b = b[size:]
		switch kind {
		case rtcpReceiverReport:
			readReceiverReport(body, ssrc, l)
		case rtcpTransport:
			if len(body) < 8 {
				return
			}
			switch format {
			case formatNACK:
				readNACK(body, ssrc, l)
			case formatTransportCC:
				readTransportCC(body[8:], l)
			}
		case rtcpPayloadSpecific:
			if format == formatPLI || format == formatFIR {
				l.broken()
			}
		}
	}
}

func readReceiverReport(body []byte, ssrc uint32, l listener) {
	for block := body[min(4, len(body)):]; len(block) >= 24; block = block[24:] {
		if binary.BigEndian.Uint32(block) == ssrc {
			l.receiverReport(block[4])
		}
	}
}

func readNACK(body []byte, ssrc uint32, l listener) {
	if binary.BigEndian.Uint32(body[4:]) != ssrc {
		return
	}
	for pair := body[8:]; len(pair) >= 4; pair = pair[4:] {
		seq, more := binary.BigEndian.Uint16(pair), binary.BigEndian.Uint16(pair[2:])
		l.lost(seq)
		for i := range uint16(16) {
			if more&(1<<i) != 0 {
				l.lost(seq + i + 1)
			}
		}
	}
}

// readTransportCC counts arrivals. Base sequence number, status count, reference time and
// feedback count take 8 bytes; then come chunks of packet statuses, 0 meaning not received.
func readTransportCC(b []byte, l listener) {
	if len(b) < 8 {
		return
	}
	left, received, lost := int(binary.BigEndian.Uint16(b[2:])), 0, 0
	count := func(status uint16, n int) {
		n = min(n, left)
		left -= n
		if status == 0 {
			lost += n
		} else {
			received += n
		}
	}
	for b = b[8:]; left > 0 && len(b) >= 2; b = b[2:] {
		chunk := binary.BigEndian.Uint16(b)
		switch {
		case chunk>>15 == 0: // run length
			count(chunk>>13&3, int(chunk&0x1fff))
		case chunk>>14&1 == 0: // 14 statuses of one bit
			for i := range 14 {
				count(chunk>>(13-i)&1, 1)
			}
		default: // 7 statuses of two bits
			for i := range 7 {
				count(chunk>>(12-2*i)&3, 1)
			}
		}
	}
	l.arrivals(received, lost)
}
