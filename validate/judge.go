package validate

import (
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// repeatWarning is the media time after which the same warning is told again.
const repeatWarning = time.Minute

// warning is what is told once in that time.
type warning struct {
	rule     Rule
	severity Severity
}

// judgeParameterSets reads the SPS and PPS of a unit and asks the rules that look at them.
// All faults are told in one refusal.
func (v *Validator) judgeParameterSets(au *ingest.AccessUnit) error {
	var faults []*Finding
	found := false
	for _, nalu := range au.NALUs {
		if len(nalu) == 0 {
			continue
		}
		switch nalu[0] & 0x1f {
		case naluSPS:
			faults = v.readSPS(nalu, faults)
			found = true
		case naluPPS:
			faults = v.readPPS(nalu, faults)
			found = true
		}
	}
	if !found {
		return nil
	}
	if err := v.judge(faults); err != nil {
		return err
	}
	if v.sets.complete() {
		v.hold.passVideoHeader(au)
	}
	return nil
}

func (v *Validator) readSPS(nalu []byte, faults []*Finding) []*Finding {
	s, ok := parseSPS(nalu)
	v.sets.anySPS = true
	if !ok {
		return append(faults, v.words.damagedHeader("SPS"))
	}
	v.sets.sps[s.id] = s
	h := &v.health.health
	h.Width, h.Height, h.Profile = s.width, s.height, s.profileName()
	if f := v.words.profileOfSPS(&s); f != nil {
		if b := v.words.bframesOfSPS(&s); b != nil && v.modes[Profile] == ModeReject {
			faults = append(faults, b)
		}
		faults = append(faults, f)
	}
	if f := v.words.resolutionOfSPS(&s, v.hold.open); f != nil {
		faults = append(faults, f)
	}
	return faults
}

func (v *Validator) readPPS(nalu []byte, faults []*Finding) []*Finding {
	p, ok := parsePPS(nalu)
	v.sets.anyPPS = true
	if !ok {
		return append(faults, v.words.damagedHeader("PPS"))
	}
	v.sets.pps[p.id] = p
	// The tools of a profile that is refused anyway are no news.
	if s := &v.sets.sps[p.spsID]; s.profile == 0 || s.baseline() {
		if f := v.words.profileOfPPS(&p); f != nil {
			faults = append(faults, f)
		}
	}
	return faults
}

func (v *Validator) judgePicture(p *picture) error {
	if err := v.judgeOne(v.words.bframesOfPicture(p)); err != nil {
		return err
	}
	if err := v.judgeOne(v.words.profileOfPicture(p)); err != nil {
		return err
	}
	if err := v.judgeOne(v.frameRate.check(v.words, p.time)); err != nil {
		return err
	}
	return v.judgeOne(v.keyframes.check(v.words, p))
}

func (v *Validator) judgeOne(f *Finding) error {
	if f == nil || !v.weigh(f) {
		return nil
	}
	return v.refuse(rejection(f, nil))
}

func (v *Validator) judge(faults []*Finding) error {
	var fatal []*Finding
	for _, f := range faults {
		if v.weigh(f) {
			fatal = append(fatal, f)
		}
	}
	if len(fatal) == 0 {
		return nil
	}
	return v.refuse(rejection(fatal[0], fatal[1:]))
}

// refuse ends the session or, where all faults are collected, keeps the first refusal.
func (v *Validator) refuse(r *ingest.Rejection) error {
	if !v.o.Collect {
		return r
	}
	if v.refusal == nil {
		v.refusal = r
	}
	return nil
}

// weigh notes a finding for the report and says whether it refuses the publisher. One that
// does not end the session is told.
func (v *Validator) weigh(f *Finding) (fatal bool) {
	if v.modes[f.Rule] == ModeOff {
		return false
	}
	f.warnIf(v.modes[f.Rule] == ModeWarn)
	v.report.note(f)
	fatal = f.Severity == Rejected
	if fatal && !v.o.Collect {
		return true
	}
	w := warning{f.Rule, f.Severity}
	if at, told := v.told[w]; told && v.clock.now-at < repeatWarning {
		return fatal
	}
	v.told[w] = v.clock.now
	v.health.warn(f, v.clock.now)
	if v.o.Warn != nil {
		v.o.Warn(*f)
	}
	return fatal
}
