package mediafile

import (
	"io"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/flv"
	"github.com/stagedoor/stagedoor/rtmp"
	"github.com/stagedoor/stagedoor/validate"
)

// maxStrayTags in a row are no FLV any more.
const maxStrayTags = 100

// playFLV plays an FLV file: its tags are RTMP's messages.
func (p *player) playFLV() error {
	r, err := flv.NewReader(io.NewSectionReader(p.file, 0, p.size))
	if err != nil {
		return err
	}
	unpacker := rtmp.NewUnpacker(p)
	unpack := map[byte]func(uint32, []byte) error{flv.Video: unpacker.Video, flv.Audio: unpacker.Audio}
	stray := 0
	for p.ctx.Err() == nil && stray < maxStrayTags {
		tag, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				return errors.Wrap(err, "read the file")
			}
			p.note("The file ends in the middle of a tag: it was cut off. It was judged up to there.")
			break
		}
		if tag.Type != flv.Video && tag.Type != flv.Audio && tag.Type != flv.Script {
			stray++
			continue
		}
		stray = 0
		write := unpack[tag.Type]
		if write == nil {
			continue
		}
		if err := write(tag.Timestamp, append([]byte(nil), tag.Data...)); err != nil {
			var refused *ingest.Rejection
			if !errors.As(err, &refused) {
				return err
			}
			p.refuse(validate.FindingOf(refused))
			delete(unpack, tag.Type)
		}
	}
	if stray == maxStrayTags {
		p.note("The file is damaged, or goes on with something else: %d tags in a row are neither audio nor video. It was judged up to there.", stray)
	}
	if n := unpacker.Damaged(); n > 0 {
		p.note("%d audio or video tags are damaged and were left out.", n)
	}
	return p.ctx.Err()
}
