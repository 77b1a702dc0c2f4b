package mediafile

import (
	"bytes"
	"io"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/internal/flv"
)

// maxStrayTags in a row are no FLV any more.
const maxStrayTags = 100

// playFLV plays an FLV file: its tags are RTMP's messages.
func (p *player) playFLV() error {
	r, err := flv.NewReader(io.NewSectionReader(p.file, 0, p.size))
	if err != nil {
		return err
	}
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
		body := bytes.Clone(tag.Data)
		switch tag.Type {
		case flv.Video:
			err = p.video(tag.Timestamp, body)
		case flv.Audio:
			err = p.audio(tag.Timestamp, body)
		}
		if err != nil {
			return err
		}
	}
	if stray == maxStrayTags {
		p.note("The file is damaged, or goes on with something else: %d tags in a row are neither audio nor video. It was judged up to there.", stray)
	}
	return p.ctx.Err()
}
