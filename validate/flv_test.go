package validate

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// playFLV writes an FLV file's media to a sink, as the RTMP door does.
func playFLV(b []byte, to ingest.Sink) error {
	if len(b) < 13 || string(b[:3]) != "FLV" {
		return errors.New("no FLV file")
	}
	p := flvPlayer{to: to}
	for b = b[13:]; len(b) >= 11; {
		size := int(binary.BigEndian.Uint32(b) & 0xffffff)
		ms := int64(b[7])<<24 | int64(b[4])<<16 | int64(b[5])<<8 | int64(b[6])
		if len(b) < 11+size+4 {
			return errors.New("cut FLV file")
		}
		tag := b[11 : 11+size]
		var err error
		switch b[0] & 0x1f {
		case 8:
			err = p.audio(ms, tag)
		case 9:
			err = p.video(ms, tag)
		}
		if err != nil {
			return err
		}
		b = b[11+size+4:]
	}
	return nil
}

type flvPlayer struct {
	to         ingest.Sink
	header     [][]byte
	lengthSize int
	codec      *ingest.AudioCodec
}

func (p *flvPlayer) video(ms int64, b []byte) error {
	if len(b) < 5 || b[0]&0xf != 7 {
		return errors.New("no H.264")
	}
	cts := int64(int32(uint32(b[2])<<24|uint32(b[3])<<16|uint32(b[4])<<8) >> 8)
	au := &ingest.AccessUnit{PTS: time.Duration(ms+cts) * time.Millisecond}
	body := b[5:]
	switch b[1] {
	case 0: // AVCDecoderConfigurationRecord
		p.lengthSize = int(body[4]&3) + 1
		p.header = nil
		body = body[5:]
		for range 2 {
			count := int(body[0] & 0x1f)
			body = body[1:]
			for range count {
				n := int(binary.BigEndian.Uint16(body))
				p.header = append(p.header, body[2:2+n])
				body = body[2+n:]
			}
		}
		au.NALUs = p.header
		return p.to.WriteVideo(au)
	case 1:
		if b[0]>>4 == 1 {
			au.NALUs = append(au.NALUs, p.header...)
		}
		for len(body) > p.lengthSize {
			n := 0
			for _, c := range body[:p.lengthSize] {
				n = n<<8 | int(c)
			}
			au.NALUs = append(au.NALUs, body[p.lengthSize:p.lengthSize+n])
			body = body[p.lengthSize+n:]
		}
		return p.to.WriteVideo(au)
	}
	return nil
}

func (p *flvPlayer) audio(ms int64, b []byte) error {
	f := &ingest.AudioFrame{PTS: time.Duration(ms) * time.Millisecond}
	switch b[0] >> 4 {
	case 2:
		if p.codec == nil {
			p.codec = &ingest.AudioCodec{Name: ingest.MP3}
		}
		f.Codec, f.Data = p.codec, b[1:]
	case 10:
		if b[1] == 0 {
			p.codec = &ingest.AudioCodec{Name: ingest.AAC, Config: b[2:]}
			if a, ok := parseASC(b[2:]); ok {
				p.codec.SampleRate, p.codec.Channels = a.sampleRate, a.channels()
			}
			f.Codec = p.codec
			return p.to.WriteAudio(f)
		}
		f.Codec, f.Data = p.codec, b[2:]
	}
	return p.to.WriteAudio(f)
}
