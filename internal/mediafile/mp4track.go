package mediafile

import (
	"fmt"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
)

const (
	maxTracks = 64
	maxStsd   = 1 << 20 // bytes of a sample description
	maxSample = 16 << 20
	// maxSamples of a track are more than three days of pictures at 60 fps.
	maxSamples = 20_000_000
)

// mp4Track is one track of an MP4 file.
type mp4Track struct {
	id        uint32
	fileSize  int64
	handler   string // vide, soun, or what is not looked at
	timescale uint32 // per second
	entry     string // the sample entry's four characters
	avcC      []byte
	esds      []byte
	audio     *ingest.AudioCodec
	defaults  fragmentDefaults

	samples []sampleSource // in turn
	sample  sample         // the current one
	more    bool           // sample is valid
	count   int
	bytes   int64  // of count samples; never more than the file has, or few bytes cost much time
	trouble string // why it ended early
}

// sample is where one picture or audio frame is, and when, in units of the timescale.
type sample struct {
	at                  int64
	size                int
	decode, composition int64
}

// sampleSource gives samples in the order of decoding.
type sampleSource interface {
	next() (s sample, ok bool)
}

// advance goes to the next sample.
func (t *mp4Track) advance() {
	t.more = false
	for len(t.samples) > 0 {
		s, ok := t.samples[0].next()
		switch {
		case !ok:
			t.samples = t.samples[1:]
			continue
		case s.size > maxSample:
			t.trouble = fmt.Sprintf("The file is damaged: a picture or audio frame of %d bytes. It was judged up to there.", s.size)
			t.samples = nil
			return
		case t.count >= maxSamples || t.bytes+int64(s.size) > t.fileSize || int64(t.count) > t.fileSize:
			t.trouble = "The file is damaged: its index tells of more pictures or audio frames than it can hold. It was judged up to there."
			t.samples = nil
			return
		}
		t.count++
		t.bytes += int64(s.size)
		if s.size == 0 { // a picture that shows the last one again
			continue
		}
		t.sample, t.more = s, true
		return
	}
}

func (t *mp4Track) milliseconds(units int64) int64 {
	scale := int64(t.timescale)
	return units/scale*1000 + units%scale*1000/scale
}

// readMovie finds the tracks.
func (p *player) readMovie() ([]*mp4Track, error) {
	var tracks []*mp4Track
	defaults := map[uint32]fragmentDefaults{}
	found := false
	err := p.children(0, p.size, func(top box) error {
		if top.kind != "moov" || found {
			return nil
		}
		found = true
		return p.children(top.at, top.end, func(b box) error {
			switch b.kind {
			case "trak":
				if len(tracks) == maxTracks {
					return errors.Errorf("it has more than %d tracks", maxTracks)
				}
				t, err := p.readTrack(b)
				tracks = append(tracks, t)
				return err
			case "mvex":
				return p.readTrackExtends(b, defaults)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errors.New("it has no index (moov box): the recording was not finished, or the file is cut off")
	}
	for _, t := range tracks {
		t.defaults = defaults[t.id]
		t.samples = append(t.samples, &fragmentSamples{p: p, track: t})
	}
	return tracks, nil
}

// readTrack reads a trak box with all that is below it.
func (p *player) readTrack(trak box) (*mp4Track, error) {
	t := &mp4Track{timescale: 1, fileSize: p.size}
	var walk func(b box) error
	walk = func(b box) error {
		switch b.kind {
		case "mdia", "minf":
			return p.children(b.at, b.end, walk)
		case "stbl":
			s, err := p.readSampleTable(b)
			if s != nil {
				t.samples = append(t.samples, s)
			}
			if err != nil {
				return err
			}
			return p.children(b.at, b.end, walk)
		case "stsd":
			return p.readDescription(b, t)
		case "tkhd", "mdhd", "hdlr":
			data, err := p.payload(b, 64)
			t.readHeader(b.kind, fields{b: data})
			return err
		}
		return nil
	}
	return t, p.children(trak.at, trak.end, walk)
}

// readHeader reads what is needed of tkhd, mdhd (ISO/IEC 14496-12, 8.3.2 and 8.4.2) and hdlr.
func (t *mp4Track) readHeader(kind string, f fields) {
	if kind == "hdlr" {
		f.skip(8)
		if t.handler == "" { // QuickTime has a second one, of where the data is
			t.handler = string(f.bytes(4))
		}
		return
	}
	times := 8 // creation and modification
	if f.version() == 1 {
		times = 16
	}
	f.skip(times)
	n := f.u32()
	switch {
	case f.bad:
	case kind == "tkhd":
		t.id = n
	case n > 0:
		t.timescale = n
	}
}

// readDescription reads the first sample entry (ISO/IEC 14496-12, 8.5.2; QuickTime's sound
// descriptions of version 1 and 2 are longer).
func (p *player) readDescription(stsd box, t *mp4Track) error {
	entry, ok, err := p.nextBox(stsd.at+8, min(stsd.end, stsd.at+maxStsd))
	if err != nil || !ok {
		return err
	}
	t.entry = entry.kind
	head, err := p.payload(entry, 78)
	if err != nil {
		return err
	}
	at := entry.at + 78
	if t.handler == "soun" {
		f := fields{b: head}
		f.skip(8)
		version := f.u16()
		f.skip(6)
		channels := f.u16()
		f.skip(6)
		rate := int(f.u32() >> 16)
		t.audio = &ingest.AudioCodec{Name: audioEntryName(t.entry), SampleRate: rate, Channels: channels}
		at = entry.at + 28
		switch version {
		case 1:
			at += 16
		case 2:
			at += 36
		}
	}
	var walk func(b box) error
	walk = func(b box) (err error) {
		switch b.kind {
		case "avcC":
			t.avcC, err = p.payload(b, maxStsd)
		case "esds":
			t.esds, err = p.payload(b, maxStsd)
		case "wave":
			return p.children(b.at, b.end, walk)
		}
		return err
	}
	return p.children(at, entry.end, walk)
}

// playable says whether the track's samples can be judged.
func (t *mp4Track) playable() bool {
	if t.handler == "vide" {
		return t.entry == "avc1" || t.entry == "avc3"
	}
	return t.audio != nil && (t.audio.Name == ingest.AAC || t.audio.Name == ingest.Opus)
}

// announce plays the track's header.
func (t *mp4Track) announce(p *player) error {
	switch {
	case t.handler == "vide" && !t.playable():
		p.otherVideo(videoEntryName(t.entry))
		return nil
	case t.handler == "vide" && t.avcC == nil:
		return nil // in band, or damaged, which the pictures will show
	case t.handler == "vide":
		return p.avcHeader(t.avcC)
	case t.audio == nil:
		return errors.New("its audio track has no description")
	}
	if t.audio.Name != ingest.AAC {
		return p.otherAudio(t.audio)
	}
	object, config := readESDS(t.esds)
	if name := objectName(object); name != ingest.AAC {
		t.audio = &ingest.AudioCodec{Name: name, SampleRate: t.audio.SampleRate, Channels: t.audio.Channels}
		return p.otherAudio(t.audio)
	}
	return p.aacHeader(config)
}

// readESDS finds the objectTypeIndication and the decoder's configuration in an ES_Descriptor
// (ISO/IEC 14496-1, 7.2.6.5).
func readESDS(b []byte) (object int, config []byte) {
	f := fields{b: b}
	f.skip(4)
	for !f.bad && len(f.b) > 0 {
		tag := f.u8()
		size := 0
		for range 4 {
			c := f.u8()
			size = size<<7 | c&0x7f
			if c&0x80 == 0 {
				break
			}
		}
		switch tag {
		case 3: // ES_Descriptor
			f.skip(2)
			flags := f.u8()
			if flags&0x80 != 0 {
				f.skip(2)
			}
			if flags&0x40 != 0 {
				f.skip(f.u8())
			}
			if flags&0x20 != 0 {
				f.skip(2)
			}
		case 4: // DecoderConfigDescriptor
			object = f.u8()
			f.skip(12)
		case 5: // DecoderSpecificInfo
			return object, f.b[:min(size, len(f.b))]
		default:
			f.skip(size)
		}
	}
	return object, nil
}
