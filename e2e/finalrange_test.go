//go:build e2e

package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tphakala/go-opus/opus"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/transcode"
)

// TestFinalRange decodes what the transcoder makes with libopus and compares the range
// coder's final state, packet by packet, with that of go-opus's decoder (which package
// transcode's own test compares with the encoder's). A corrupt stream can decode without any
// error, and very loudly: only this shows it.
func TestFinalRange(t *testing.T) {
	program := filepath.Join(t.TempDir(), "finalrange")
	if out, err := exec.Command(need(t, "gcc"), "-O2", "-o", program, "testdata/finalrange.c", "-lopus", "-lm").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	const (
		music  = "0.3*sin(2*PI*t*(300+200*sin(t)))+0.3*exp(-40*mod(t,0.3))*sin(2*PI*2500*t)|0.3*sin(2*PI*t*(500+100*sin(2*t)))+0.1*sin(2*PI*9000*t)"
		noise  = "random(0)-0.5|random(1)-0.5"
		square = "0.99*sgn(sin(2*PI*997*t))|-0.99*sgn(sin(2*PI*997*t))"
		onOff  = "0.9*gt(mod(t,1),0.5)*(random(0)*2-1)|0.9*gt(mod(t,0.7),0.5)*sin(2*PI*50*t)"
	)
	for name, sound := range map[string]string{"music": music, "noise": noise, "square": square, "on and off": onOff} {
		for _, rate := range []int{44100, 48000} {
			for _, channels := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s %d Hz %d", name, rate, channels), func(t *testing.T) {
					packets := opusOf(t, aacOf(t, sound, rate), rate, channels)
					if len(packets) < 400 {
						t.Fatalf("%d packets of 10 seconds", len(packets))
					}
					compareRanges(t, program, packets, channels)
				})
			}
		}
	}
}

// aacOf has ffmpeg encode 10 seconds of a stereo expression, and gives the ADTS frames.
func aacOf(t *testing.T, sound string, rate int) [][]byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sound.aac")
	source := fmt.Sprintf("aevalsrc=exprs='%s':s=%d:d=10", sound, rate)
	if out, err := exec.Command(need(t, "ffmpeg"), "-v", "error", "-f", "lavfi", "-i", source, "-c:a", "aac", "-b:a", "128k", file).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	stream, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var frames [][]byte
	for len(stream) >= 7 {
		n := int(stream[3]&3)<<11 | int(stream[4])<<3 | int(stream[5])>>5
		frames = append(frames, stream[7:n])
		stream = stream[n:]
	}
	return frames
}

// opusOf sends access units through the transcoder.
func opusOf(t *testing.T, units [][]byte, rate, channels int) (packets [][]byte) {
	t.Helper()
	config := map[int][]byte{44100: {0x12, 0x10}, 48000: {0x11, 0x90}}[rate]
	codec := &ingest.AudioCodec{Name: ingest.AAC, SampleRate: rate, Channels: 2, Config: config}
	sink := transcode.New(keepPackets{&packets}, transcode.Options{Channels: channels})
	for i, unit := range units {
		pts := time.Second + time.Duration(i)*1024*time.Second/time.Duration(rate)
		if err := sink.WriteAudio(&ingest.AudioFrame{PTS: pts, Codec: codec, Data: unit}); err != nil {
			t.Fatal(err)
		}
	}
	return packets
}

type keepPackets struct{ to *[][]byte }

func (k keepPackets) WriteVideo(*ingest.AccessUnit) error { return nil }
func (k keepPackets) Close(error) error                   { return nil }
func (k keepPackets) WriteAudio(f *ingest.AudioFrame) error {
	if len(f.Data) > 0 {
		*k.to = append(*k.to, f.Data)
	}
	return nil
}

func compareRanges(t *testing.T, program string, packets [][]byte, channels int) {
	t.Helper()
	var input bytes.Buffer
	for _, p := range packets {
		input.Write(binary.BigEndian.AppendUint16(nil, uint16(len(p))))
		input.Write(p)
	}
	run := exec.Command(program, fmt.Sprint(channels))
	run.Stdin = &input
	out, err := run.Output()
	if err != nil {
		t.Fatalf("libopus: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(packets) {
		t.Fatalf("libopus decoded %d packets of %d", len(lines), len(packets))
	}
	decoder, err := opus.NewDecoder(48000, channels)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, 960*channels)
	for i, p := range packets {
		var final uint32
		var samples int
		var peak float64
		if _, err := fmt.Sscanf(lines[i], "%x %d %f", &final, &samples, &peak); err != nil {
			t.Fatalf("%q: %v", lines[i], err)
		}
		if _, err := decoder.Decode(p, pcm); err != nil {
			t.Fatalf("packet %d: %v", i, err)
		}
		if final != decoder.FinalRange() || samples != 960 {
			t.Fatalf("packet %d: libopus's final range %08x and %d samples, go-opus's %08x and 960", i, final, samples, decoder.FinalRange())
		}
		if peak > 4 { // a full-scale square wave overshoots to about 3
			t.Fatalf("packet %d: a peak of %.1f times full scale", i, peak)
		}
	}
}
