package rtmp

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
)

// The markers of AMF 0, section 2.1.
const (
	amfNumber      = 0x00
	amfBoolean     = 0x01
	amfString      = 0x02
	amfObject      = 0x03
	amfNull        = 0x05
	amfUndefined   = 0x06
	amfReference   = 0x07
	amfECMAArray   = 0x08
	amfObjectEnd   = 0x09
	amfStrictArray = 0x0a
	amfDate        = 0x0b
	amfLongString  = 0x0c
	amfUnsupported = 0x0d
	amfXML         = 0x0f
	amfTypedObject = 0x10
)

var errAMF = errors.New("AMF value is cut off, too deep, too long or of an unknown kind")

// amfReader walks over AMF 0 values without building them: it allocates nothing, whatever
// counts and depths the bytes claim. Once it failed it stays failed.
type amfReader struct {
	rest   []byte
	values int
	err    error
}

func (r *amfReader) take(n int) []byte {
	if r.err != nil || n > len(r.rest) {
		r.err = errAMF
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *amfReader) short() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *amfReader) long() int {
	if b := r.take(4); b != nil {
		return int(binary.BigEndian.Uint32(b))
	}
	return 0
}

// marker reads the next value's kind. The end of the message counts as failure.
func (r *amfReader) marker() byte {
	b := r.take(1)
	r.values++
	if b == nil || r.values > maxAMFValues {
		r.err = errAMF
		return amfUnsupported
	}
	return b[0]
}

// number reads a value and gives it if it is a number; any other value is skipped.
func (r *amfReader) number() (float64, bool) {
	kind := r.marker()
	if kind != amfNumber {
		r.skipBody(kind, 0)
		return 0, false
	}
	b := r.take(8)
	if b == nil {
		return 0, false
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), true
}

// text reads a value and gives its bytes if it is a string; any other value is skipped.
func (r *amfReader) text(depth int) ([]byte, bool) {
	switch kind := r.marker(); kind {
	case amfString:
		b := r.take(r.short())
		return b, r.err == nil
	case amfLongString:
		b := r.take(r.long())
		return b, r.err == nil
	default:
		r.skipBody(kind, depth)
		return nil, false
	}
}

// object reads a value; if it is an object, each is called for every property and must
// read the property's value, with depth 1. Any other value is skipped.
func (r *amfReader) object(each func(name []byte)) {
	switch kind := r.marker(); kind {
	case amfObject:
		r.properties(each)
	case amfECMAArray:
		r.take(4) // a hint that encoders get wrong
		r.properties(each)
	case amfTypedObject:
		r.take(r.short())
		r.properties(each)
	default:
		r.skipBody(kind, 0)
	}
}

func (r *amfReader) properties(each func(name []byte)) {
	for r.err == nil {
		name := r.take(r.short())
		if len(name) == 0 && r.err == nil && len(r.rest) > 0 && r.rest[0] == amfObjectEnd {
			r.take(1)
			return
		}
		if r.err == nil {
			each(name)
		}
	}
}

// skip passes over one value.
func (r *amfReader) skip(depth int) { r.skipBody(r.marker(), depth) }

func (r *amfReader) skipBody(kind byte, depth int) {
	if depth > maxAMFDepth {
		r.err = errAMF
		return
	}
	inner := func([]byte) { r.skip(depth + 1) }
	switch kind {
	case amfNumber:
		r.take(8)
	case amfBoolean:
		r.take(1)
	case amfString:
		r.take(r.short())
	case amfLongString, amfXML:
		r.take(r.long())
	case amfNull, amfUndefined, amfUnsupported:
	case amfReference:
		r.take(2)
	case amfDate:
		r.take(10)
	case amfObject:
		r.properties(inner)
	case amfECMAArray:
		r.take(4)
		r.properties(inner)
	case amfTypedObject:
		r.take(r.short())
		r.properties(inner)
	case amfStrictArray:
		n := r.long()
		if n > maxAMFArray || n > len(r.rest) {
			r.err = errAMF
			return
		}
		for range n {
			r.skip(depth + 1)
		}
	default:
		r.err = errAMF
	}
}

// amfWriter builds AMF 0 values.
type amfWriter []byte

func (w *amfWriter) number(v float64) {
	*w = binary.BigEndian.AppendUint64(append(*w, amfNumber), math.Float64bits(v))
}

func (w *amfWriter) null() { *w = append(*w, amfNull) }

func (w *amfWriter) text(s string) {
	*w = append(*w, amfString)
	w.name(s)
}

// name writes a string without a marker. Invalid UTF-8 is replaced, as go-rtmp refuses it;
// what is longer than a short string can be is cut.
func (w *amfWriter) name(s string) {
	s = strings.ToValidUTF8(s, "?")
	s = s[:min(len(s), math.MaxUint16)]
	*w = binary.BigEndian.AppendUint16(*w, uint16(len(s)))
	*w = append(*w, s...)
}

// object writes an object of strings; pairs are names and values in turn.
func (w *amfWriter) object(pairs ...string) {
	*w = append(*w, amfObject)
	for pair := range slices.Chunk(pairs, 2) {
		w.name(pair[0])
		w.text(pair[1])
	}
	*w = append(*w, 0, 0, amfObjectEnd)
}
