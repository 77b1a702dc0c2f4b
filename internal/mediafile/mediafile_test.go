package mediafile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/rtmp"
	"github.com/stagedoor/stagedoor/validate"
)

func newJudge(protocol ingest.Protocol) *validate.Validator {
	return validate.New(nil, validate.Options{Protocol: protocol, Rules: validate.DefaultRules(), Collect: true})
}

func readClip(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// outcome plays a file and gives what is wrong with it, as "rule: seen", and its notes.
func outcome(t testing.TB, file []byte, protocol ingest.Protocol) string {
	t.Helper()
	judge := newJudge(protocol)
	info, err := Play(context.Background(), bytes.NewReader(file), int64(len(file)), judge)
	if err != nil {
		return "error: " + err.Error()
	}
	var all []string
	for _, f := range judge.Report() {
		if f.Severity != validate.Passed {
			all = append(all, fmt.Sprintf("%s: %s", f.Rule, f.Seen))
		}
	}
	return strings.Join(append(all, info.Notes...), "\n")
}

func TestPlay(t *testing.T) {
	const bframes = "profile: H.264 Main profile\nb-frames: B-frames in the video (its header announces max_num_reorder_frames 2)"
	for _, c := range []struct {
		clip     string
		protocol ingest.Protocol
		want     string
	}{
		{"good.flv", ingest.RTMP, ""},
		{"good.mp4", ingest.RTMP, ""},
		{"faststart.mp4", ingest.RTMP, ""},
		{"good.mov", ingest.RTMP, ""},
		{"fragments.mp4", ingest.RTMP, ""},
		{"cmaf.mp4", ingest.RTMP, ""},
		{"good.ts", ingest.RTMP, ""},
		{"bframes.mp4", ingest.RTMP, bframes},
		{"bframes.ts", ingest.RTMP, bframes},
		{"opus.mp4", ingest.WHIP, ""},
		{"opus.ts", ingest.WHIP, ""},
		{"opus.mp4", ingest.RTMP, "audio-codec: Opus audio"},
		{"opus.ts", ingest.RTMP, "audio-codec: Opus audio"},
		{"good.mp4", ingest.WHIP, "audio-codec: AAC audio"},
		{"mp3.mp4", ingest.RTMP, "audio-codec: MP3 audio"},
		{"mp3.ts", ingest.RTMP, "audio-codec: MP3 audio"},
		{"ac3.mp4", ingest.RTMP, "audio-codec: AC-3 audio"},
		{"ac3.ts", ingest.RTMP, "audio-codec: AC-3 audio"},
		{"pcm.mov", ingest.RTMP, "audio-codec: PCM audio"},
		{"hevc.mp4", ingest.RTMP, "video-codec: HEVC (H.265) video"},
		{"hevc.ts", ingest.RTMP, "video-codec: HEVC (H.265) video"},
		{"vp9.mp4", ingest.RTMP, "video-codec: VP9 video"},
		{"av1.mp4", ingest.RTMP, "video-codec: AV1 video"},
		{"two-audio.mp4", ingest.RTMP, "The file has more audio tracks (1); the first one was judged."},
	} {
		if got := outcome(t, readClip(t, c.clip), c.protocol); got != c.want {
			t.Errorf("%s as %s:\n%s\nwant:\n%s", c.clip, c.protocol, got, c.want)
		}
	}
}

// recorder keeps what is played, in short.
type recorder struct {
	times        []time.Duration // of pictures
	video, audio []int           // sizes
}

func (r *recorder) WriteVideo(u *ingest.AccessUnit) error {
	if last := u.NALUs[len(u.NALUs)-1]; last[0]&0x1f <= 5 {
		r.times = append(r.times, u.PTS)
		r.video = append(r.video, len(last))
	}
	return nil
}

func (r *recorder) WriteAudio(f *ingest.AudioFrame) error {
	if len(f.Data) > 0 {
		r.audio = append(r.audio, len(f.Data))
	}
	return nil
}

func (*recorder) Close(error) error     { return nil }
func (*recorder) Note(validate.Finding) {}

// The same media comes out of every container: each picture with its time, each frame. The
// containers differ by what they do with the 21 ms that the AAC encoder puts in front.
func TestContainersHoldTheSame(t *testing.T) {
	play := func(name string) recorder {
		var r recorder
		b := readClip(t, name)
		if _, err := Play(context.Background(), bytes.NewReader(b), int64(len(b)), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := play("good.flv")
	if len(want.video) != 15 || len(want.audio) < 45 {
		t.Fatalf("%d pictures and %d frames", len(want.video), len(want.audio))
	}
	for _, name := range []string{"good.mp4", "faststart.mp4", "good.mov", "fragments.mp4", "cmaf.mp4", "good.ts"} {
		got := play(name)
		if !slices.Equal(got.video, want.video) || !slices.Equal(got.audio, want.audio) {
			t.Errorf("%s: %v\nwant %v", name, got, want)
			continue
		}
		for i := range want.times {
			if d := want.times[i] - got.times[i]; d < 0 || d > 24*time.Millisecond {
				t.Errorf("%s: picture %d at %v, want %v", name, i, got.times[i], want.times[i])
			}
		}
	}
}

// Wherever a file is cut off, what is there is judged or it is said to be no media.
func TestCutOff(t *testing.T) {
	for _, name := range []string{"good.flv", "good.mp4", "faststart.mp4", "fragments.mp4", "good.ts"} {
		whole := readClip(t, name)
		for n := 0; n < len(whole); n += 1 + len(whole)/400 {
			outcome(t, whole[:n], ingest.RTMP)
		}
	}
	for _, c := range []struct{ name, want string }{
		{"good.mp4", "error: it has no index"}, {"faststart.mp4", "The file is cut off"},
		{"good.flv", "it was cut off"}, {"fragments.mp4", "The file is cut off"},
	} {
		whole := readClip(t, c.name)
		if got := outcome(t, whole[:len(whole)*6/10], ingest.RTMP); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// sparse is a file that begins with some bytes and goes on with zeros.
type sparse struct {
	head []byte
	size int64
	read int64
}

func (s *sparse) ReadAt(p []byte, at int64) (int, error) {
	n := int(max(0, min(int64(len(p)), s.size-at)))
	clear(p[:n])
	if at < int64(len(s.head)) {
		copy(p[:n], s.head[at:])
	}
	s.read += int64(n)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Ten gigabytes of nothing behind a good file take no time and no memory.
func TestHugeFiles(t *testing.T) {
	for _, name := range []string{"good.flv", "good.mp4", "faststart.mp4", "fragments.mp4", "good.ts"} {
		s := &sparse{head: readClip(t, name), size: 10 << 30}
		judge := newJudge(ingest.RTMP)
		if _, err := Play(context.Background(), s, s.size, judge); err != nil || judge.Refusal() != nil {
			t.Errorf("%s: %v, %v", name, err, judge.Refusal())
		}
		if s.read > 32<<20 {
			t.Errorf("%s: %d bytes were read", name, s.read)
		}
	}
	if _, err := Play(context.Background(), &sparse{size: 10 << 30}, 10<<30, newJudge(ingest.RTMP)); err == nil {
		t.Error("zeros were taken for media")
	}
}

// Tables that claim more than there is, sizes that go round, and boxes in boxes.
func TestHostileMP4(t *testing.T) {
	good := readClip(t, "faststart.mp4")
	at := func(kind string) int { return bytes.Index(good, []byte(kind)) + 4 }
	change := func(offset int, with ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[offset:], with)
		return b
	}
	for name, file := range map[string][]byte{
		"4 billion sizes":         change(at("stsz")+8, 0xff, 0xff, 0xff, 0xff),
		"4 billion of size 1":     change(at("stsz")+4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff),
		"4 billion per chunk":     change(at("stsc")+12, 0xff, 0xff, 0xff, 0xff),
		"no samples per chunk":    change(at("stsc")+12, 0, 0, 0, 0),
		"offsets beyond the file": change(at("stco")+8, 0xff, 0xff, 0xff, 0xff),
		"a size of 4 GB":          change(at("stsz")+12, 0xff, 0xff, 0xff, 0xff),
		"timescale 0":             change(at("mdhd")+12, 0, 0, 0, 0),
		"negative box":            change(at("trak")-8, 0, 0, 0, 3),
		"64-bit box":              change(at("trak")-8, 0, 0, 0, 1),
		"ends of time":            change(at("stts")+12, 0xff, 0xff, 0xff, 0xff),
	} {
		s := &sparse{head: file, size: int64(len(file))}
		_, _ = Play(context.Background(), s, s.size, newJudge(ingest.RTMP)) // it must end
		if s.read > 64<<20 {
			t.Errorf("%s: %d bytes were read", name, s.read)
		}
	}
}

// brittle is a judge with a mistake in it.
type brittle struct{ recorder }

func (*brittle) WriteVideo(*ingest.AccessUnit) error { panic("a mistake") }

func TestPlaySurvivesAPanic(t *testing.T) {
	b := readClip(t, "good.mp4")
	_, err := Play(context.Background(), bytes.NewReader(b), int64(len(b)), &brittle{})
	if err == nil || !strings.Contains(err.Error(), "cannot read (a mistake)") {
		t.Errorf("%v", err)
	}
}

func TestPlayEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, name := range []string{"good.flv", "good.mp4", "good.ts"} {
		b := readClip(t, name)
		if _, err := Play(ctx, bytes.NewReader(b), int64(len(b)), newJudge(ingest.RTMP)); err != context.Canceled {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzPlay(f *testing.F) {
	for _, name := range []string{"good.flv", "faststart.mp4", "good.mov", "cmaf.mp4", "good.ts", "opus.ts", "opus.mp4", "hevc.mp4"} {
		b := readClip(f, name)
		f.Add(b[:min(len(b), 6000)])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := &player{ctx: context.Background(), file: bytes.NewReader(b), size: int64(len(b)), to: newJudge(ingest.WHIP)}
		p.unpacker = rtmp.NewUnpacker(p)
		_ = p.play() // not Play, which would hide a panic
	})
}
