package mediafile

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// elementary is one stream that is played.
type elementary struct {
	pid   int
	video bool
	codec *ingest.AudioCodec
	pes   []byte // the PES packet so far

	rest   []byte // the beginning of an ADTS frame whose end is in the next PES packet
	config []byte // the last AudioSpecificConfig
}

// tsTime unrolls the 33-bit timestamps of 90 kHz, which all streams share.
type tsTime struct {
	started bool
	last    int64
	total   int64
}

func (t *tsTime) at(stamp int64) (ticks int64) {
	const wrap = 1 << 33
	if !t.started {
		t.started, t.last = true, stamp
	}
	step := (stamp - t.last) & (wrap - 1)
	if step >= wrap/2 {
		step -= wrap
	}
	t.last = stamp
	t.total += step
	return t.total
}

// flush plays the PES packet that is complete now (ISO/IEC 13818-1, 2.4.3.6).
func (ts *tsReader) flush(e *elementary) error {
	if e == nil || len(e.pes) == 0 {
		return nil
	}
	b := e.pes
	e.pes = e.pes[:0]
	if len(b) < 9 || !bytes.HasPrefix(b, []byte{0, 0, 1}) || len(b) < 9+int(b[8]) {
		return nil
	}
	stamps, header := b[7]>>6, b[9:9+int(b[8])]
	body := b[9+len(header):]
	decode := ts.time.total
	var composition int64
	if stamps >= 2 && len(header) >= 5 {
		present := timestamp(header)
		decode = ts.time.at(present)
		if stamps == 3 && len(header) >= 10 {
			shown := decode
			decode = ts.time.at(timestamp(header[5:]))
			composition = shown - decode
		}
	}
	switch {
	case e.video:
		return ts.pictures(decode, composition, body)
	case e.codec.Name == ingest.Opus:
		return ts.opusPackets(decode, e, body)
	default:
		return ts.adtsFrames(decode, e, body)
	}
}

func timestamp(b []byte) int64 {
	return int64(b[0]&0x0e)<<29 | int64(b[1])<<22 | int64(b[2]&0xfe)<<14 | int64(b[3])<<7 | int64(b[4])>>1
}

func ms(ticks int64) uint32 { return uint32(ticks / 90) }

// pictures plays the NAL units of a byte stream (ITU-T H.264, annex B); an access unit
// delimiter begins another picture.
func (ts *tsReader) pictures(decode, composition int64, b []byte) error {
	const delimiter = 9
	var picture []byte
	play := func() error {
		if len(picture) == 0 {
			return nil
		}
		whole := picture
		picture = nil
		return ts.p.avcPicture(ms(decode), composition/90, whole)
	}
	for len(b) > 0 {
		var nalu []byte
		nalu, b = nextNALU(b)
		if len(nalu) == 0 {
			continue
		}
		if nalu[0]&0x1f == delimiter {
			if err := play(); err != nil {
				return err
			}
			continue
		}
		picture = binary.BigEndian.AppendUint32(picture, uint32(len(nalu)))
		picture = append(picture, nalu...)
	}
	return play()
}

// nextNALU cuts the first NAL unit off a byte stream.
func nextNALU(b []byte) (nalu, rest []byte) {
	code := []byte{0, 0, 1}
	from := bytes.Index(b, code)
	if from < 0 {
		return nil, nil
	}
	b = b[from+3:]
	to := bytes.Index(b, code)
	if to < 0 {
		to = len(b)
	}
	return bytes.TrimRight(b[:to], "\x00"), b[to:]
}

// adtsFrames plays AAC frames with their headers (ISO/IEC 13818-7, 6.2).
func (ts *tsReader) adtsFrames(decode int64, e *elementary, b []byte) error {
	const header, checksum = 7, 2
	b = append(e.rest, b...)
	e.rest = nil
	for n := int64(0); len(b) >= header; {
		if b[0] != 0xff || b[1]&0xf6 != 0xf0 {
			b = b[1:]
			continue
		}
		size := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
		from := header
		if b[1]&1 == 0 {
			from += checksum
		}
		if size < from {
			b = b[1:]
			continue
		}
		if size > len(b) {
			break
		}
		object, rate, channels := b[2]>>6+1, b[2]>>2&15, b[2]&1<<2|b[3]>>6
		config := []byte{object<<3 | rate>>1, rate<<7 | channels<<3}
		if !bytes.Equal(config, e.config) {
			e.config = config
			if err := ts.p.aacHeader(config); err != nil {
				return err
			}
		}
		if err := ts.p.aacFrame(ms(decode+n*adtsTicks(rate)), b[from:size]); err != nil {
			return err
		}
		n++
		b = b[size:]
	}
	e.rest = bytes.Clone(b)
	return nil
}

// adtsTicks is how long a frame lasts.
func adtsTicks(rateIndex byte) int64 {
	rates := [...]int64{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
	if int(rateIndex) >= len(rates) {
		return 0
	}
	return 1024 * 90000 / rates[rateIndex]
}

// opusPackets plays Opus access units, each behind a control header (ETSI TS 101 154 and
// the Opus in MPEG-TS draft, 4).
func (ts *tsReader) opusPackets(decode int64, e *elementary, b []byte) error {
	const packetLength = 20 * time.Millisecond
	at := time.Duration(decode) * time.Second / 90000
	for len(b) >= 3 && b[0] == 0x7f && b[1]&0xe0 == 0xe0 {
		start, end := b[1]&0x10 != 0, b[1]&0x08 != 0
		extended := b[1]&0x04 != 0
		b = b[2:]
		size := 0
		for len(b) > 0 {
			c := b[0]
			b = b[1:]
			size += int(c)
			if c != 0xff {
				break
			}
		}
		skip := 0
		if start {
			skip += 2
		}
		if end {
			skip += 2
		}
		if extended && len(b) > skip {
			skip += 1 + int(b[skip])
		}
		if skip+size > len(b) || size == 0 {
			return nil
		}
		if err := ts.p.opusPacket(at, e.codec, bytes.Clone(b[skip:skip+size])); err != nil {
			return err
		}
		at += packetLength
		b = b[skip+size:]
	}
	return nil
}
