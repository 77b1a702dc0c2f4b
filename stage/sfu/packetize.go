package sfu

// maxPayload is the largest RTP payload in bytes. With the RTP header, its extension, the
// retransmission's two bytes, SRTP's tag, UDP and IPv6 it stays below 1280 bytes, which is
// what every IPv6 path carries.
const maxPayload = 1184

// The NAL unit types (ITU-T H.264, table 7-1; RFC 6184, table 1) that matter here.
const (
	naluSlice     = 1
	naluIDR       = 5
	naluDelimiter = 9
	naluFiller    = 12
	naluSTAPA     = 24
	naluFUA       = 28
)

// packetize cuts a picture's NAL units into RTP payloads after RFC 6184, packetization-mode
// 1: small neighbours share a STAP-A (5.7.1), a large one is spread evenly over FU-As (5.8).
// It copies the bytes, since each payload must lie in one piece. Delimiters, filler,
// damaged units and types that mean something else in RTP are left out.
//
// It gives the payloads back to back, where each one ends, and what the picture holds.
func packetize(nalus [][]byte) (data []byte, ends []int, slice, idr bool) {
	size, count := 0, 0
	for _, n := range nalus {
		fragments := len(n)/(maxPayload-2) + 1
		size += len(n) + 3 + 2*fragments
		count += fragments
	}
	data, ends = make([]byte, 0, size), make([]int, 0, count)

	var group [][]byte // neighbours that may share a packet
	groupSize := 1
	flush := func() {
		if len(group) == 1 {
			data = append(data, group[0]...)
		} else if len(group) > 1 {
			data = appendSTAPA(data, group)
		}
		if len(group) > 0 {
			ends = append(ends, len(data))
		}
		group, groupSize = group[:0], 1
	}
	for _, n := range nalus {
		// A set forbidden_zero_bit (ITU-T H.264, 7.4.1) says that the unit is damaged.
		if len(n) == 0 || n[0]&0x80 != 0 {
			continue
		}
		switch t := n[0] & 0x1f; {
		case t == naluDelimiter || t == naluFiller || t == 0 || t >= naluSTAPA:
			continue
		case t == naluIDR:
			slice, idr = true, true
		case t >= naluSlice && t < naluIDR:
			slice = true
		}
		if groupSize+2+len(n) > maxPayload {
			flush()
		}
		if len(n) > maxPayload {
			data, ends = appendFUA(data, ends, n)
			continue
		}
		group = append(group, n)
		groupSize += 2 + len(n)
	}
	flush()
	return data, ends, slice, idr
}

func appendSTAPA(data []byte, nalus [][]byte) []byte {
	head := len(data)
	data = append(data, naluSTAPA)
	for _, n := range nalus {
		// NRI is the maximum of all (RFC 6184, 5.7); F is set in none.
		if nri := n[0] & 0x60; nri > data[head]&0x60 {
			data[head] = data[head]&^0x60 | nri
		}
		data = append(data, byte(len(n)>>8), byte(len(n)))
		data = append(data, n...)
	}
	return data
}

func appendFUA(data []byte, ends []int, n []byte) ([]byte, []int) {
	indicator, t, rest := n[0]&0x60|naluFUA, n[0]&0x1f, n[1:]
	fragments := (len(rest) + maxPayload - 3) / (maxPayload - 2)
	size := (len(rest) + fragments - 1) / fragments
	for start := 0; start < len(rest); start += size {
		end, header := min(start+size, len(rest)), t
		if start == 0 {
			header |= 0x80
		}
		if end == len(rest) {
			header |= 0x40
		}
		data = append(data, indicator, header)
		data = append(data, rest[start:end]...)
		ends = append(ends, len(data))
	}
	return data, ends
}
