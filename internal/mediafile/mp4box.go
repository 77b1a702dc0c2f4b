package mediafile

import (
	"encoding/binary"
	"io"
	"slices"

	"github.com/pkg/errors"
)

// maxBoxes is how many boxes a file may have, as far as they are looked at.
const maxBoxes = 1 << 22

// box is one box of an MP4 file: its payload begins at at and ends at end.
type box struct {
	kind           string
	start, at, end int64
}

// isMP4 says whether a file begins with a box that MP4 and QuickTime files begin with.
func isMP4(head []byte) bool {
	first := []string{"ftyp", "moov", "mdat", "free", "skip", "wide", "moof", "styp", "sidx", "pnot", "uuid"}
	return len(head) >= 8 && slices.Contains(first, string(head[4:8]))
}

// nextBox reads a box's header. ok is false at the end; a box that is longer than what
// holds it is cut to that.
func (p *player) nextBox(at, end int64) (b box, ok bool, err error) {
	if at > end-8 {
		return b, false, nil
	}
	if p.boxes++; p.boxes > maxBoxes {
		return b, false, errors.Errorf("it has more than %d boxes", maxBoxes)
	}
	var head [16]byte
	n, err := p.file.ReadAt(head[:min(16, end-at)], at)
	if n < 8 {
		if err == io.EOF {
			err = nil
		}
		return b, false, errors.Wrap(err, "read the file")
	}
	b = box{kind: string(head[4:8]), start: at, at: at + 8}
	size := int64(binary.BigEndian.Uint32(head[:]))
	switch {
	case size == 0: // to the end
		size = end - at
	case size == 1 && n == 16:
		size = int64(binary.BigEndian.Uint64(head[8:]))
		b.at += 8
	}
	if size < b.at-at {
		return b, false, errors.Errorf("it is damaged: a box of %d bytes at byte %d", size, at)
	}
	b.end = end
	if size < end-at {
		b.end = at + size
	}
	return b, true, nil
}

// children calls each with the boxes from at to end.
func (p *player) children(at, end int64, each func(box) error) error {
	for p.ctx.Err() == nil {
		b, ok, err := p.nextBox(at, end)
		if err != nil || !ok {
			return err
		}
		if err := each(b); err != nil {
			return err
		}
		at = b.end
	}
	return p.ctx.Err()
}

// payload reads a small box, at most so many bytes of it.
func (p *player) payload(b box, most int64) ([]byte, error) {
	data := make([]byte, min(b.end-b.at, most))
	n, err := p.file.ReadAt(data, b.at)
	if err == io.EOF {
		err = nil
	}
	return data[:n], errors.Wrap(err, "read the file")
}

// fields reads big-endian numbers out of a payload; past its end they are 0, and bad is set.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) bytes(n int) []byte {
	if n > len(f.b) {
		f.bad, f.b = true, nil
		return make([]byte, min(n, 16))
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) u8() int      { return int(f.bytes(1)[0]) }
func (f *fields) u16() int     { return int(binary.BigEndian.Uint16(f.bytes(2))) }
func (f *fields) u32() uint32  { return binary.BigEndian.Uint32(f.bytes(4)) }
func (f *fields) u64() uint64  { return binary.BigEndian.Uint64(f.bytes(8)) }
func (f *fields) skip(n int)   { f.bytes(n) }
func (f *fields) version() int { return int(f.u32() >> 24) }

// table reads the entries of a box one after the other, a few kilobytes at a time: tables
// of a long file are large, and those of a hostile one have any length.
type table struct {
	file    io.ReaderAt
	at, end int64
	width   int
	left    uint32
	buf     []byte
}

// newTable reads count entries of so many bytes each from at on; what does not fit into
// the box is left out.
func (p *player) newTable(at, end int64, width int, count uint32) *table {
	if fit := max(end-at, 0) / int64(width); int64(count) > fit {
		count = uint32(fit)
	}
	return &table{file: p.file, at: at, end: at + int64(count)*int64(width), width: width, left: count}
}

// next gives the next entry, valid until the one after it.
func (t *table) next() (entry []byte, ok bool) {
	if t == nil || t.left == 0 {
		return nil, false
	}
	if len(t.buf) == 0 {
		const entries = 512
		t.buf = make([]byte, min(int64(entries*t.width), t.end-t.at))
		if n, _ := t.file.ReadAt(t.buf, t.at); n < len(t.buf) {
			t.left = 0
			return nil, false
		}
		t.at += int64(len(t.buf))
	}
	entry, t.buf = t.buf[:t.width], t.buf[t.width:]
	t.left--
	return entry, true
}
