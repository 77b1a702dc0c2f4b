// Package flv reads FLV files (Adobe Flash Video File Format Specification 10.1, annex E).
package flv

import (
	"bufio"
	"io"

	"github.com/pkg/errors"
)

// The tag types that matter here; each is also the RTMP message type of the same content.
const (
	Audio  = 8
	Video  = 9
	Script = 18
)

// Tag is one FLV tag.
type Tag struct {
	Type      byte
	Timestamp uint32 // milliseconds
	Data      []byte // the reader's until the next call of Next
}

// Reader reads tags one after the other.
type Reader struct {
	r   *bufio.Reader
	buf []byte
}

// NewReader checks the file header. The error says what is wrong with it.
func NewReader(r io.Reader) (*Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	var header [13]byte // with the first PreviousTagSize
	if _, err := io.ReadFull(b, header[:]); err != nil {
		return nil, errors.Wrap(err, "read the FLV header")
	}
	if string(header[:3]) != "FLV" {
		return nil, errors.New("this is no FLV file: it does not begin with \"FLV\"")
	}
	size := int64(header[5])<<24 | int64(header[6])<<16 | int64(header[7])<<8 | int64(header[8])
	if size < 9 || size > 1<<16 {
		return nil, errors.Errorf("the FLV header says that it has %d bytes; 9 are usual", size)
	}
	if _, err := b.Discard(int(size - 9)); err != nil {
		return nil, errors.Wrap(err, "read the FLV header")
	}
	return &Reader{r: b}, nil
}

// Next gives the next tag. It gives io.EOF at the end of the file and io.ErrUnexpectedEOF
// where the file ends inside a tag.
func (r *Reader) Next() (Tag, error) {
	var header [11]byte
	if _, err := io.ReadFull(r.r, header[:]); err != nil {
		return Tag{}, err
	}
	size := int(header[1])<<16 | int(header[2])<<8 | int(header[3])
	tag := Tag{
		Type:      header[0] & 0x1f,
		Timestamp: uint32(header[4])<<16 | uint32(header[5])<<8 | uint32(header[6]) | uint32(header[7])<<24,
	}
	if cap(r.buf) < size+4 {
		r.buf = make([]byte, size+4)
	}
	// PreviousTagSize follows the data; a last tag may lack it.
	n, err := io.ReadFull(r.r, r.buf[:size+4])
	if n < size {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Tag{}, err
	}
	tag.Data = r.buf[:size]
	return tag, nil
}
