// Package mediafile plays local files to a judge, as if their encoder published them: one
// container a file. It is for "stagedoor check", and stands with cmd above the doors.
//
// A file may be no media, cut off, huge or hostile. It is read as it is played: at no time
// are more than its tables and one picture in memory.
package mediafile

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/rtmp"
	"github.com/stagedoor/stagedoor/validate"
)

// Judge takes a file's media; validate.Validator is one. It is told of tracks that cannot
// be played to it by Note.
type Judge interface {
	ingest.Sink
	Note(validate.Finding)
}

// Info is what there is to say of a file beside its media.
type Info struct {
	Container string   // for example "FLV"
	Notes     []string // what is wrong with the file, where it could be played in spite of it
}

// Play writes a file's audio and video to a judge, in the order of the file or of time, and
// does not close it. The error says why the file cannot be read as media; what could be
// read before has been played.
func Play(ctx context.Context, file io.ReaderAt, size int64, to Judge) (info Info, err error) {
	p := &player{ctx: ctx, file: file, size: size, to: to}
	p.unpacker = rtmp.NewUnpacker(p)
	// A file that brings a mistake of ours to light is reported like any other damage.
	defer func() {
		if v := recover(); v != nil {
			info, err = p.info, errors.Errorf("it is damaged in a way that stagedoor cannot read (%v)", v)
		}
	}()
	err = p.play()
	return p.info, err
}

// play finds out what the file is, and plays it.
func (p *player) play() error {
	head := make([]byte, 1024)
	n, err := p.file.ReadAt(head, 0)
	if n == 0 && err != nil && err != io.EOF {
		return errors.Wrap(err, "it cannot be read")
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("FLV")):
		p.info.Container = "FLV"
		err = p.playFLV()
	case isMP4(head):
		p.info.Container = "MP4"
		err = p.playMP4()
	case packetSize(head) > 0:
		p.info.Container = "MPEG-TS"
		err = p.playTS(packetSize(head))
	case n == 0:
		err = errors.New("it is empty")
	default:
		err = unknown(head)
	}
	if n := p.unpacker.Damaged(); n > 0 {
		p.note("%d pictures or audio frames are damaged and were left out.", n)
	}
	if err == nil && !p.found {
		err = errors.New("it holds neither audio nor video")
	}
	return err
}

// unknown names a format that cannot be read, as far as it is known.
func unknown(head []byte) error {
	for _, known := range []struct {
		at         int
		mark, name string
	}{
		{0, "\x1a\x45\xdf\xa3", "Matroska (MKV, WebM)"},
		{0, "OggS", "Ogg"},
		{8, "AVI ", "AVI"},
		{8, "WAVE", "WAV"},
		{0, "ID3", "MP3"},
		{0, "\x00\x00\x00\x01", "H.264 or H.265 without a container"},
		{0, "\x00\x00\x01\xba", "an MPEG program stream"},
	} {
		if len(head) > known.at && bytes.HasPrefix(head[known.at:], []byte(known.mark)) {
			return errors.Errorf("it is %s; FLV, MP4 and MPEG-TS can be read. ffmpeg: -i FILE -c copy FILE.mp4", known.name)
		}
	}
	return errors.New("it is no media file that can be read; FLV, MP4 and MPEG-TS are")
}

// player plays one file. It is a sink before the judge that notices whether there is
// anything.
type player struct {
	ctx   context.Context
	file  io.ReaderAt
	size  int64
	to    Judge
	info  Info
	found bool // media, or a track that cannot be played

	unpacker         *rtmp.Unpacker
	noVideo, noAudio bool // refused: no more is played
	boxes            int  // of an MP4 file, looked at so far
}

func (p *player) WriteVideo(unit *ingest.AccessUnit) error {
	p.found = true
	return p.to.WriteVideo(unit)
}

func (p *player) WriteAudio(frame *ingest.AudioFrame) error {
	p.found = true
	return p.to.WriteAudio(frame)
}

// Close is never called: the judge is the caller's.
func (p *player) Close(error) error { return nil }

func (p *player) note(format string, args ...any) {
	p.info.Notes = append(p.info.Notes, fmt.Sprintf(format, args...))
}

// noteMore tells of tracks of a kind that were not judged.
func (p *player) noteMore(tracks int, kind string) {
	if tracks > 0 {
		p.note("The file has more %s tracks (%d); the first one was judged.", kind, tracks)
	}
}
