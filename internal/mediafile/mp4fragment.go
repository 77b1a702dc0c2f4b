package mediafile

import (
	"math/bits"
)

// maxRuns is how many runs of samples of one track a fragment may have.
const maxRuns = 4096

// fragmentDefaults are what trex and tfhd say of samples that say nothing of themselves.
type fragmentDefaults struct{ duration, size uint32 }

// readTrackExtends reads the defaults of all tracks (ISO/IEC 14496-12, 8.8.3).
func (p *player) readTrackExtends(mvex box, to map[uint32]fragmentDefaults) error {
	return p.children(mvex.at, mvex.end, func(b box) error {
		if b.kind != "trex" || len(to) >= maxTracks {
			return nil
		}
		data, err := p.payload(b, 24)
		f := fields{b: data}
		f.skip(4)
		id := f.u32()
		f.skip(4)
		to[id] = fragmentDefaults{duration: f.u32(), size: f.u32()}
		return err
	})
}

// fragmentSamples gives the samples of one track in a file's moof boxes, one after the
// other. Tracks look for their own fragments, so that it makes no difference how a file
// interleaves them.
type fragmentSamples struct {
	p       *player
	track   *mp4Track
	looked  int64 // up to where the file was searched
	runs    []trackRun
	decode  int64
	at      int64 // where the next sample is
	started bool  // the current run
}

// trackRun is a trun box (ISO/IEC 14496-12, 8.8.8).
type trackRun struct {
	flags    uint32
	left     uint32
	at       int64 // of its first sample, -1 if it follows the run before
	entries  *table
	defaults fragmentDefaults
	decode   int64 // of its first sample, -1 if it goes on
}

const (
	runOffset      = 0x1
	runFirstFlags  = 0x4
	runDuration    = 0x100
	runSize        = 0x200
	runFlags       = 0x400
	runComposition = 0x800
)

func (s *fragmentSamples) next() (sample, bool) {
	for len(s.runs) == 0 || s.runs[0].left == 0 {
		s.started = false
		if len(s.runs) > 0 {
			s.runs = s.runs[1:]
			continue
		}
		if !s.nextFragment() {
			return sample{}, false
		}
	}
	r := &s.runs[0]
	if !s.started {
		s.started = true
		if r.at >= 0 {
			s.at = r.at
		}
		if r.decode >= 0 {
			s.decode = r.decode
		}
	}
	return s.read(r)
}

// read takes one sample of a run.
func (s *fragmentSamples) read(r *trackRun) (sample, bool) {
	r.left--
	duration, size := r.defaults.duration, r.defaults.size
	var composition int32
	if r.entries != nil {
		entry, ok := r.entries.next()
		if !ok {
			r.left = 0
			return s.next()
		}
		f := fields{b: entry}
		if r.flags&runDuration != 0 {
			duration = f.u32()
		}
		if r.flags&runSize != 0 {
			size = f.u32()
		}
		if r.flags&runFlags != 0 {
			f.skip(4)
		}
		if r.flags&runComposition != 0 {
			composition = int32(f.u32())
		}
	}
	out := sample{at: s.at, size: int(size), decode: s.decode, composition: int64(composition)}
	s.at += int64(size)
	s.decode += int64(duration)
	return out, true
}

// nextFragment looks for the next moof box. Damage ends the search: what comes after it
// cannot be found.
func (s *fragmentSamples) nextFragment() bool {
	for s.p.ctx.Err() == nil {
		b, ok, err := s.p.nextBox(s.looked, s.p.size)
		if err != nil {
			s.track.trouble = "The file is damaged: " + err.Error() + ". It was judged up to there."
		}
		if err != nil || !ok {
			return false
		}
		s.looked = b.end
		if b.kind != "moof" {
			continue
		}
		err = s.p.children(b.at, b.end, func(traf box) error {
			if traf.kind == "traf" {
				return s.readFragment(b, traf)
			}
			return nil
		})
		if err != nil {
			s.track.trouble = "The file is damaged: " + err.Error() + ". It was judged up to there."
			return false
		}
		if len(s.runs) > 0 {
			return true
		}
	}
	return false
}

// readFragment reads a traf box, if it is this track's.
func (s *fragmentSamples) readFragment(moof, traf box) error {
	defaults, base, decode, mine := s.track.defaults, moof.start, int64(-1), false
	return s.p.children(traf.at, traf.end, func(b box) error {
		if b.kind != "tfhd" && b.kind != "tfdt" && b.kind != "trun" {
			return nil
		}
		data, err := s.p.payload(b, 40)
		if err != nil {
			return err
		}
		f := fields{b: data}
		head := f.u32()
		flags := head & 0xffffff
		switch {
		case b.kind == "tfhd":
			mine = f.u32() == s.track.id
			if flags&0x1 != 0 {
				base = int64(f.u64())
			}
			if flags&0x2 != 0 {
				f.skip(4)
			}
			if flags&0x8 != 0 {
				defaults.duration = f.u32()
			}
			if flags&0x10 != 0 {
				defaults.size = f.u32()
			}
		case !mine:
		case b.kind == "tfdt" && head>>24 == 1:
			decode = int64(f.u64() & (1<<62 - 1))
		case b.kind == "tfdt":
			decode = int64(f.u32())
		case len(s.runs) < maxRuns:
			s.addRun(b, flags, f, trackRun{defaults: defaults, at: base, decode: decode})
			decode = -1
		}
		return nil
	})
}

func (s *fragmentSamples) addRun(b box, flags uint32, f fields, r trackRun) {
	r.flags, r.left = flags, f.u32()
	header := 8
	if flags&runOffset != 0 {
		r.at += int64(int32(f.u32()))
		header += 4
	} else if len(s.runs) > 0 {
		r.at = -1
	}
	if flags&runFirstFlags != 0 {
		header += 4
	}
	if width := 4 * bits.OnesCount32(flags&(runDuration|runSize|runFlags|runComposition)); width > 0 {
		r.entries = s.p.newTable(b.at+int64(header), b.end, width, r.left)
	}
	s.runs = append(s.runs, r)
}
