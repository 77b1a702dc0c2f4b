package whip

import (
	"encoding/binary"
	"time"

	"github.com/stagedoor/stagedoor/testdata"
)

// clipPicture is one picture of the demo clip.
type clipPicture struct {
	at    time.Duration
	nalus [][]byte // an IDR has its SPS and PPS before it
	idr   bool
}

// demoClip reads the pictures of the demo clip: 8 s of 720p30, an IDR each 2 s.
func demoClip() (pictures []clipPicture) {
	b := []byte(testdata.DemoFLV)[13:]
	var sets [][]byte
	for len(b) >= 15 {
		size := int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		at := time.Duration(uint32(b[4])<<16|uint32(b[5])<<8|uint32(b[6])) * time.Millisecond
		body, kind := b[11:11+size], b[0]
		b = b[11+size+4:]
		if kind != 9 {
			continue
		}
		switch body[1] {
		case 0: // AVCDecoderConfigurationRecord with one SPS and one PPS
			rec := body[5:]
			n := int(binary.BigEndian.Uint16(rec[6:]))
			sps := rec[8 : 8+n]
			rest := rec[8+n+1:]
			sets = [][]byte{sps, rest[2 : 2+int(binary.BigEndian.Uint16(rest))]}
		case 1:
			p := clipPicture{at: at, idr: body[0]>>4 == 1}
			if p.idr {
				p.nalus = append(p.nalus, sets...)
			}
			for data := body[5:]; len(data) > 4; {
				n := int(binary.BigEndian.Uint32(data))
				if t := data[4] & 0x1f; t != naluSPS && t != naluPPS && t != naluDelimiter {
					p.nalus = append(p.nalus, data[4:4+n])
				}
				data = data[4+n:]
			}
			pictures = append(pictures, p)
		}
	}
	return pictures
}

// rtpPayloads packs a picture as RFC 6184 says: its parameter sets in a STAP-A, what fits
// alone, and the rest in FU-A.
func rtpPayloads(nalus [][]byte, mtu int) (payloads [][]byte) {
	var aggregate []byte
	for _, n := range nalus {
		switch t := naluType(n); {
		case t == naluSPS || t == naluPPS:
			if aggregate == nil {
				aggregate = []byte{naluSTAPA | 0x60}
			}
			aggregate = binary.BigEndian.AppendUint16(aggregate, uint16(len(n)))
			aggregate = append(aggregate, n...)
			continue
		case aggregate != nil:
			payloads, aggregate = append(payloads, aggregate), nil
		}
		if len(n) <= mtu {
			payloads = append(payloads, n)
			continue
		}
		for rest := n[1:]; len(rest) > 0; {
			size := min(mtu-2, len(rest))
			header := n[0] & 0x1f
			if len(rest) == len(n)-1 {
				header |= 0x80
			}
			if size == len(rest) {
				header |= 0x40
			}
			payloads = append(payloads, append([]byte{n[0]&0xe0 | naluFUA, header}, rest[:size]...))
			rest = rest[size:]
		}
	}
	if aggregate != nil {
		payloads = append(payloads, aggregate)
	}
	return payloads
}
