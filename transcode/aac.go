package transcode

import (
	"io"

	aac "github.com/tphakala/go-aac/pcm"

	"github.com/pkg/errors"
)

// decoder decodes the access units of one AAC stream. It is an interface so that another
// library can take go-aac's place.
type decoder interface {
	// decode gives the 1024 samples of each channel of one raw_data_block, interleaved and
	// valid until the next call. An error concerns this access unit only: the next call
	// starts afresh, and its first half is then damaged, as AAC overlaps its blocks.
	decode(au []byte) ([]int16, error)
}

// format is what a decoder puts out.
type format struct {
	rate     int // Hz
	channels int
}

// maxUnitBytes is what go-aac's length prefix can say. A legal access unit has at most 1536
// bytes (ISO/IEC 14496-3, 4.5.3.2: 6144 bits a channel).
const maxUnitBytes = 65535

// aacDecoder drives go-aac, which reads a stream of length-prefixed access units and after
// any error, io.EOF included, gives that error for ever. It is therefore fed through a reader
// that holds one access unit, asked for exactly one access unit's samples, so that it never
// comes to see the end, and reset after an error.
type aacDecoder struct {
	config []byte
	dec    *aac.Decoder // nil: to be built anew
	feed   unitReader
	raw    []byte
	pcm    []int16
}

// newDecoder opens a decoder for an AudioSpecificConfig and refuses all that is not AAC-LC in
// mono or stereo with 1024 samples a frame.
func newDecoder(config []byte) (decoder, format, error) {
	d := &aacDecoder{config: config}
	f, err := d.open()
	if err != nil {
		return nil, format{}, err
	}
	d.raw = make([]byte, 2*unitSamples*f.channels)
	d.pcm = make([]int16, unitSamples*f.channels)
	return d, f, nil
}

func (d *aacDecoder) open() (f format, err error) {
	defer d.survive(&err)
	d.dec, err = aac.NewDecoder(&d.feed, aac.WithRawStream(d.config))
	if err != nil {
		return format{}, errors.Wrap(err, "open AAC decoder")
	}
	info := d.dec.Info()
	return format{rate: info.SampleRate, channels: info.Channels}, nil
}

func (d *aacDecoder) decode(au []byte) (pcm []int16, err error) {
	defer d.survive(&err)
	if len(au) > maxUnitBytes {
		return nil, errors.Errorf("access unit of %d bytes", len(au))
	}
	if d.dec == nil {
		if _, err := d.open(); err != nil {
			return nil, err
		}
	}
	d.feed.load(au)
	if _, err := io.ReadFull(d.dec, d.raw); err != nil {
		if d.dec.Reset(&d.feed, aac.WithRawStream(d.config)) != nil {
			d.dec = nil
		}
		return nil, errors.Wrap(err, "decode AAC")
	}
	for i := range d.pcm {
		d.pcm[i] = int16(uint16(d.raw[2*i]) | uint16(d.raw[2*i+1])<<8)
	}
	return d.pcm, nil
}

// survive turns a panic of the decoder into an error. None is known (3.4 million hostile
// access units), but the bytes are a stranger's, and every other stream is in this process.
func (d *aacDecoder) survive(err *error) {
	if p := recover(); p != nil {
		d.dec = nil
		*err = errors.Errorf("AAC decoder panicked: %v", p)
	}
}

// unitReader reads as one access unit with a 2-byte big-endian length before it.
type unitReader struct {
	buf  []byte
	rest []byte
}

func (r *unitReader) load(au []byte) {
	r.buf = append(r.buf[:0], byte(len(au)>>8), byte(len(au)))
	r.buf = append(r.buf, au...)
	r.rest = r.buf
}

func (r *unitReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
