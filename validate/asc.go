package validate

import "strconv"

// asc holds what the rules need of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
type asc struct {
	objectType    int // 2 is AAC-LC
	sampleRate    int // Hz
	channelConfig int
	shortFrames   bool // frameLengthFlag: 960 samples
	coreCoder     bool // dependsOnCoreCoder
	sbr, ps       bool // signalled explicitly or backward-compatibly
}

const (
	aotMain = 1
	aotLC   = 2
	aotSSR  = 3
	aotLTP  = 4
	aotSBR  = 5
	aotPS   = 29
)

var sampleRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// parseASC reads an AudioSpecificConfig; padding behind it is allowed.
func parseASC(b []byte) (a asc, ok bool) {
	r := readRaw(b)
	a.objectType = readObjectType(&r)
	a.sampleRate, ok = readSampleRate(&r)
	if !ok {
		return a, false
	}
	a.channelConfig = int(r.bits(4))
	if a.objectType == aotSBR || a.objectType == aotPS {
		a.sbr, a.ps = true, a.objectType == aotPS
		if a.sampleRate, ok = readSampleRate(&r); !ok { // of the extension: what is heard
			return a, false
		}
		a.objectType = readObjectType(&r)
	}
	if a.objectType < aotMain || a.objectType > aotLTP {
		return a, !r.bad
	}
	a.shortFrames = r.flag()
	a.coreCoder = r.flag()
	if a.coreCoder {
		r.bits(14)
	}
	extension := r.flag()
	if r.bad || extension {
		return a, false // extensionFlag is 0 for these object types (4.4.1)
	}
	if !a.sbr && a.channelConfig != 0 { // else a program_config_element follows, and is refused
		readExtension(&r, &a)
	}
	return a, true
}

func readObjectType(r *bitReader) int {
	t := int(r.bits(5))
	if t == 31 {
		t = 32 + int(r.bits(6))
	}
	return t
}

func readSampleRate(r *bitReader) (hz int, ok bool) {
	i := int(r.bits(4))
	switch {
	case i == 15:
		hz = int(r.bits(24))
	case i < len(sampleRates):
		hz = sampleRates[i]
	default:
		return 0, false
	}
	return hz, !r.bad
}

// readExtension looks for the backward-compatible signalling of SBR and PS (1.6.6.2). As
// decoders do, it looks behind padding too.
func readExtension(r *bitReader, a *asc) {
	const syncSBR, syncPS = 0x2b7, 0x548
	for r.remaining() > 15 {
		at := *r
		if at.bits(11) != syncSBR {
			r.bit()
			continue
		}
		if readObjectType(&at) == aotSBR && at.flag() && !at.bad {
			a.sbr = true
			readSampleRate(&at)
			if at.remaining() > 11 && at.bits(11) == syncPS {
				a.ps = at.flag()
			}
		}
		return
	}
}

// name gives the format's name, for example "HE-AAC v2".
func (a *asc) name() string {
	switch {
	case a.ps:
		return "HE-AAC v2"
	case a.sbr:
		return "HE-AAC"
	}
	switch a.objectType {
	case aotMain:
		return "AAC Main"
	case aotLC:
		return "AAC-LC"
	case aotSSR:
		return "AAC SSR"
	case aotLTP:
		return "AAC LTP"
	case 23:
		return "AAC-LD"
	case 39:
		return "AAC-ELD"
	case 42:
		return "xHE-AAC"
	}
	return "MPEG-4 audio object type " + strconv.Itoa(a.objectType)
}

// channels gives the number of channels, 0 if a program_config_element says it.
func (a *asc) channels() int {
	if a.channelConfig == 7 {
		return 8
	}
	if a.channelConfig > 7 {
		return 0
	}
	return a.channelConfig
}
