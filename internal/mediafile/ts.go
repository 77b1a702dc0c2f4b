package mediafile

import (
	"bufio"
	"io"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
)

const (
	tsPacket = 188
	syncByte = 0x47
	// maxPES bounds a picture or a stretch of audio.
	maxPES = 8 << 20
	// maxNoise without a packet in it is no MPEG-TS any more.
	maxNoise = 1 << 20
)

// packetSize gives the size of a file's MPEG-TS packets, 0 if it has none: 188 bytes, 192
// on Blu-ray and AVCHD (with a time stamp before each), or 204 (with a checksum behind).
func packetSize(head []byte) int {
	for _, size := range []int{tsPacket, 192, 204} {
		at := 0
		if size == 192 {
			at = 4
		}
		if len(head) < at+tsPacket {
			continue
		}
		ok := true
		for ; at < len(head); at += size {
			ok = ok && head[at] == syncByte
		}
		if ok {
			return size
		}
	}
	return 0
}

// tsReader reads an MPEG transport stream (ISO/IEC 13818-1): the first program's first
// video and first audio stream.
type tsReader struct {
	p            *player
	pat, pmt     section
	pmtPID       int
	video, audio *elementary // nil until the program map names one that can be played
	mapped       bool
	scrambled    bool
	time         tsTime
}

// playTS plays an MPEG-TS file with packets of that size.
func (p *player) playTS(size int) error {
	r := bufio.NewReaderSize(io.NewSectionReader(p.file, 0, p.size), 64<<10)
	ts := &tsReader{p: p, pmtPID: -1}
	before := 0
	if size == 192 {
		before = 4
	}
	noise := 0
	for p.ctx.Err() == nil && noise < maxNoise {
		b, err := r.Peek(size)
		if len(b) < before+tsPacket {
			if err != nil && err != io.EOF {
				return errors.Wrap(err, "read the file")
			}
			break
		}
		if b[before] != syncByte {
			noise++
			_, _ = r.Discard(1) // it was peeked at
			continue
		}
		noise = 0
		if err := ts.packet(b[before : before+tsPacket]); err != nil {
			return err
		}
		_, _ = r.Discard(len(b))
	}
	if noise == maxNoise {
		p.note("The file is damaged, or goes on with something else: there is no MPEG-TS packet in %d bytes. It was judged up to there.", noise)
	}
	if ts.scrambled {
		p.note("The file is scrambled; what is scrambled was left out.")
	}
	for _, e := range []*elementary{ts.video, ts.audio} {
		if err := ts.flush(e); err != nil {
			return err
		}
	}
	if err := p.ctx.Err(); err != nil {
		return err
	}
	if !ts.mapped {
		return errors.New("it has no program map: nothing says what is in it")
	}
	return nil
}

// packet takes one packet (ISO/IEC 13818-1, 2.4.3.2).
func (ts *tsReader) packet(b []byte) error {
	broken, begins := b[1]&0x80 != 0, b[1]&0x40 != 0
	pid := int(b[1]&0x1f)<<8 | int(b[2])
	scrambled, adapted, loaded := b[3]&0xc0 != 0, b[3]&0x20 != 0, b[3]&0x10 != 0
	if broken || !loaded {
		return nil
	}
	payload := b[4:]
	if adapted {
		skip := int(payload[0]) + 1
		if skip > len(payload) {
			return nil
		}
		payload = payload[skip:]
	}
	var e *elementary
	switch {
	case pid == 0 && !ts.mapped:
		if s := ts.pat.add(payload, begins); s != nil {
			ts.pmtPID = firstProgram(s)
		}
		return nil
	case pid == ts.pmtPID && !ts.mapped:
		if s := ts.pmt.add(payload, begins); s != nil {
			return ts.readMap(s)
		}
		return nil
	case ts.video != nil && pid == ts.video.pid:
		e = ts.video
	case ts.audio != nil && pid == ts.audio.pid:
		e = ts.audio
	default:
		return nil
	}
	if scrambled {
		ts.scrambled = true
		return nil
	}
	if begins {
		if err := ts.flush(e); err != nil {
			return err
		}
	}
	if begins || len(e.pes) > 0 {
		e.pes = append(e.pes, payload[:min(len(payload), maxPES-len(e.pes))]...)
	}
	return nil
}

// section puts a table's section together, whose packets it is given.
type section struct{ b []byte }

const maxSection = 1024

func (s *section) add(payload []byte, begins bool) []byte {
	switch {
	case begins && len(payload) > 0 && int(payload[0]) < len(payload):
		s.b = append(s.b[:0], payload[1+payload[0]:]...)
	case begins || len(s.b) == 0:
		s.b = s.b[:0]
		return nil
	default:
		s.b = append(s.b, payload...)
	}
	if len(s.b) < 3 {
		return nil
	}
	size := 3 + (int(s.b[1]&0x0f)<<8 | int(s.b[2]))
	if size > maxSection {
		s.b = s.b[:0]
		return nil
	}
	if len(s.b) < size {
		return nil
	}
	whole := s.b[:size]
	s.b = nil
	return whole
}

// firstProgram gives the PID of the first program's map (ISO/IEC 13818-1, 2.4.4.3), -1 if
// there is none.
func firstProgram(pat []byte) int {
	const header, checksum = 8, 4
	for at := header; at+4 <= len(pat)-checksum; at += 4 {
		if program := int(pat[at])<<8 | int(pat[at+1]); program != 0 {
			return int(pat[at+2]&0x1f)<<8 | int(pat[at+3])
		}
	}
	return -1
}

// readMap chooses the streams (ISO/IEC 13818-1, 2.4.4.8).
func (ts *tsReader) readMap(pmt []byte) error {
	const header, checksum = 12, 4
	if len(pmt) < header+checksum {
		return nil
	}
	ts.mapped = true
	moreVideo, moreAudio := 0, 0
	haveVideo, haveAudio := false, false
	end := len(pmt) - checksum
	for at := header + (int(pmt[10]&0x0f)<<8 | int(pmt[11])); at+5 <= end; {
		pid := int(pmt[at+1]&0x1f)<<8 | int(pmt[at+2])
		size := int(pmt[at+3]&0x0f)<<8 | int(pmt[at+4])
		kind := streamKind(pmt[at], pmt[at+5:min(at+5+size, end)])
		at += 5 + size
		switch {
		case kind.video != "" && haveVideo:
			moreVideo++
		case kind.audio != "" && haveAudio:
			moreAudio++
		case kind.video != "":
			haveVideo = true
			if kind.video != h264 {
				ts.p.otherVideo(kind.video)
				continue
			}
			ts.video = &elementary{pid: pid, video: true}
		case kind.audio != "":
			haveAudio = true
			codec := &ingest.AudioCodec{Name: kind.audio, Channels: kind.channels}
			if kind.audio == ingest.AAC || kind.audio == ingest.Opus {
				ts.audio = &elementary{pid: pid, codec: codec}
			}
			if kind.audio != ingest.AAC {
				if err := ts.p.otherAudio(codec); err != nil {
					return err
				}
			}
		}
	}
	ts.p.noteMore(moreVideo, "video")
	ts.p.noteMore(moreAudio, "audio")
	return nil
}
