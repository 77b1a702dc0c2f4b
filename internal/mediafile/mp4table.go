package mediafile

import "encoding/binary"

// tableSamples gives the samples that an stbl box tells of (ISO/IEC 14496-12, 8.6 and 8.7).
type tableSamples struct {
	sizes        *table // nil where all have fixedSize
	fixedSize    uint32
	left         uint32 // samples of fixedSize
	durations    *table // stts
	compositions *table // ctts
	chunks       *table // stco, co64
	groups       *table // stsc

	duration, composition run
	group                 [3]uint32 // next stsc entry, 0 if there is none
	perChunk              uint32
	chunk, inChunk        uint32 // number of the chunk, and its samples still to come
	at, decode            int64
}

// run is a value that holds for so many samples.
type run struct{ count, value uint32 }

// of gives the value for the next sample.
func (r *run) of(t *table) uint32 {
	for r.count == 0 {
		entry, ok := t.next()
		if !ok {
			return r.value // the last one holds on
		}
		r.count, r.value = binary.BigEndian.Uint32(entry), binary.BigEndian.Uint32(entry[4:])
	}
	r.count--
	return r.value
}

// readSampleTable gives nil where the box has no samples.
func (p *player) readSampleTable(stbl box) (*tableSamples, error) {
	s := &tableSamples{}
	err := p.children(stbl.at, stbl.end, func(b box) error {
		widths := map[string]int{"stts": 8, "ctts": 8, "stsc": 12, "stco": 4, "co64": 8}
		width := widths[b.kind]
		if width == 0 && b.kind != "stsz" {
			return nil
		}
		data, err := p.payload(b, 12)
		if err != nil {
			return err
		}
		f := fields{b: data}
		f.skip(4)
		if b.kind == "stsz" {
			s.fixedSize = f.u32()
			count := f.u32()
			if s.fixedSize > 0 {
				s.left = count
				return nil
			}
			s.sizes = p.newTable(b.at+12, b.end, 4, count)
			return nil
		}
		t := p.newTable(b.at+8, b.end, width, f.u32())
		switch b.kind {
		case "stts":
			s.durations = t
		case "ctts":
			s.compositions = t
		case "stsc":
			s.groups = t
		default:
			s.chunks = t
		}
		return nil
	})
	if s.left == 0 && (s.sizes == nil || s.sizes.left == 0) {
		return nil, err
	}
	s.nextGroup()
	return s, err
}

func (s *tableSamples) nextGroup() {
	s.group = [3]uint32{}
	if entry, ok := s.groups.next(); ok {
		s.group = [3]uint32{binary.BigEndian.Uint32(entry), binary.BigEndian.Uint32(entry[4:])}
	}
}

func (s *tableSamples) next() (sample, bool) {
	size, ok := s.size()
	if !ok || !s.findChunk() {
		return sample{}, false
	}
	out := sample{at: s.at, size: int(size), decode: s.decode, composition: int64(int32(s.composition.of(s.compositions)))}
	s.at += int64(size)
	s.inChunk--
	s.decode += int64(s.duration.of(s.durations))
	return out, true
}

func (s *tableSamples) size() (uint32, bool) {
	if s.fixedSize > 0 {
		if s.left == 0 {
			return 0, false
		}
		s.left--
		return s.fixedSize, true
	}
	entry, ok := s.sizes.next()
	if !ok {
		return 0, false
	}
	return binary.BigEndian.Uint32(entry), true
}

// findChunk goes to the next chunk that has samples when this one has no more.
func (s *tableSamples) findChunk() bool {
	for s.inChunk == 0 {
		entry, ok := s.chunks.next()
		if !ok {
			return false
		}
		s.at = int64(binary.BigEndian.Uint32(entry))
		if len(entry) == 8 {
			s.at = int64(binary.BigEndian.Uint64(entry))
		}
		s.chunk++
		for s.group[0] != 0 && s.group[0] <= s.chunk {
			s.perChunk = s.group[1]
			s.nextGroup()
		}
		s.inChunk = s.perChunk
	}
	return true
}
