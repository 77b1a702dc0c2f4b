package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/internal/flv"
	"github.com/stagedoor/stagedoor/internal/rtmpclient"
	"github.com/stagedoor/stagedoor/validate"
)

const clips = "../../testdata/"

func readReport(t *testing.T, text string) checkReport {
	t.Helper()
	var r checkReport
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return r
}

func TestCheckFile(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(clips + "pattern.flv")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	for _, c := range []struct {
		args   []string
		status int
		result checkResult
		code   ingest.Code
		words  string // in the JSON
	}{
		{[]string{clips + "pattern.flv"}, exitOK, resultPass, "", "640x360"},
		{[]string{clips + "bframes.flv"}, exitFailure, resultReject, ingest.BFramePresent, "bframes=0"},
		{[]string{clips + "1080p.flv"}, exitFailure, resultReject, ingest.ResolutionExceeded, "1920x1080"},
		{[]string{clips + "1080p.flv", "--rule", "resolution=warn"}, exitOK, resultWarn, "", "1920x1080"},
		{[]string{clips + "1080p.flv", "--rule", "resolution=off"}, exitOK, resultPass, "", `"off"`},
		{[]string{clips + "mp3.flv"}, exitFailure, resultReject, ingest.InvalidAudioCodec, "MP3"},
		{[]string{clips + "no-audio.flv"}, exitFailure, resultReject, ingest.InvalidInput, "No audio"},
		{[]string{clips + "pattern.flv", "--whip"}, exitFailure, resultReject, ingest.InvalidAudioCodec, "Opus"},
		{[]string{write("cut.flv", whole[:len(whole)/2])}, exitOK, resultPass, "", "cut off"},
		{[]string{write("long.flv", append(whole[:len(whole):len(whole)], make([]byte, 1<<16)...))}, exitOK, resultPass, "", "damaged"},
		{[]string{write("empty", nil)}, exitFailure, resultUnreadable, "", "empty"},
		{[]string{write("head.flv", whole[:13])}, exitFailure, resultUnreadable, "", "neither audio nor video"},
		{[]string{write("words.txt", []byte("It was a dark and stormy night."))}, exitFailure, resultUnreadable, "", "no media file"},
		{[]string{write("m.mkv", []byte("\x1a\x45\xdf\xa3 and so on"))}, exitFailure, resultUnreadable, "", "Matroska"},
	} {
		status, out, _ := runArgs(t, append([]string{"check", "--json"}, c.args...)...)
		r := readReport(t, out)
		if status != c.status || r.Result != c.result || r.Code != c.code || !strings.Contains(out, c.words) {
			t.Errorf("%v: status %d, %s %s, want %d, %s %s and %q in\n%s", c.args, status, r.Result, r.Code, c.status, c.result, c.code, c.words, out)
		}
		if want := len(validate.AllRules()); r.Result != resultUnreadable && len(r.Rules) != want {
			t.Errorf("%v: %d rules, want %d", c.args, len(r.Rules), want)
		}
	}
}

func TestCheckBadUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "FILE"},
		{"a.flv --listen :1", "both"},
		{"no-such-file.flv", "no-such-file"},
		{".", "no file"},
		{"rtmp-listen --listen 1935", "HOST:PORT"},
		{"rtmp-listen --for 0s", "--for"},
		{"rtmp-listen --whip", "--whip"},
		{"a.flv --rule bframes=off", "b-frames"},
		{"a.flv b.flv", "b.flv"},
	} {
		status, _, log := runArgs(t, append([]string{"check"}, strings.Fields(c.args)...)...)
		if status != exitUsage || !strings.Contains(log, c.want) {
			t.Errorf("check %s: status %d, %q; want %d and %q", c.args, status, log, exitUsage, c.want)
		}
	}
	if status, help, _ := runArgs(t, "check", "--help"); status != exitOK || !strings.Contains(help, "Exit status") {
		t.Errorf("the help does not tell the exit status: %s", help)
	}
}

// The text names what is wrong in its three parts, without colours where nobody looks.
func TestCheckText(t *testing.T) {
	_, out, _ := runArgs(t, "check", clips+"1080p.flv")
	for _, want := range []string{
		"\nreject  resolution     1920x1080 video\n", "  allowed:     stages take 160p to 720p",
		"  change this: OBS: Video, Output (Scaled) Resolution 1280x720. ffmpeg: -vf scale=1280:720\n",
		"\npass    b-frames       0 in 120 pictures", "Would be refused with RESOLUTION_EXCEEDED.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Error("colours in a file")
	}
	r := checkReport{Result: resultReject, Rules: []validate.Finding{{Severity: validate.Rejected, Change: "it"}}}
	if colours := strings.Count(r.text(true), "\x1b[31m"); colours != 2 {
		t.Errorf("%d red words on a terminal, want 2", colours)
	}
}

// checkEncoder runs the check of an encoder and gives its URL; the outcome comes when the
// encoder has gone.
func checkEncoder(t *testing.T, ctx context.Context, args ...string) (url string, outcome <-chan string) {
	t.Helper()
	log := &watched{seen: make(chan struct{}), mark: "/app/check\n"}
	ended := make(chan string, 1)
	go func() {
		var out bytes.Buffer
		status := run(ctx, append([]string{"check", "--listen", "127.0.0.1:0", "--json"}, args...), &out, log)
		ended <- string(rune('0'+status)) + out.String()
	}()
	select {
	case <-log.seen:
	case <-time.After(10 * time.Second):
		t.Fatal("check did not print the URL")
	}
	log.Lock()
	defer log.Unlock()
	return regexp.MustCompile(`rtmp://\S+/app/check`).FindString(log.text.String()), ended
}

// publishClip sends a clip as fast as it goes, and gives what the server said: in the end,
// if that is waited for.
func publishClip(t *testing.T, url, clip string, wait bool) error {
	t.Helper()
	file, err := os.Open(clip)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	client, err := rtmpclient.Publish(t.Context(), url, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	reader, err := flv.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for {
		tag, err := reader.Next()
		if err == io.EOF && wait {
			select {
			case <-client.Done():
				return client.Err()
			case <-time.After(10 * time.Second):
				t.Fatal("the encoder is told nothing")
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Write(tag.Type, tag.Timestamp, tag.Data); err != nil {
			return err
		}
	}
}

func TestCheckEncoder(t *testing.T) {
	for _, c := range []struct {
		clip   string
		span   string
		status byte
		result checkResult
		told   string // to the encoder
		note   string
	}{
		{"pattern.flv", "3s", '0', resultPass, "would be accepted", ""},
		{"1080p.flv", "3s", '1', resultReject, "1920x1080 video; stages take", ""},
		{"bframes.flv", "3s", '1', resultReject, "-bf 0", ""},
		{"1080p.flv", "15s", '1', resultReject, "", "after 4s"},
	} {
		url, outcome := checkEncoder(t, t.Context(), "--for", c.span)
		err := publishClip(t, url, clips+c.clip, c.told != "")
		var refused *rtmpclient.Refused
		if c.told == "" && err != nil || c.told != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Description, c.told)) {
			t.Errorf("%s: the encoder was told %v, want %q", c.clip, err, c.told)
		}
		select {
		case text := <-outcome:
			r := readReport(t, text[1:])
			if text[0] != c.status || r.Result != c.result || c.note != "" && !strings.Contains(strings.Join(r.Notes, " "), c.note) {
				t.Errorf("%s: status %c, want %c, %s, %q in\n%s", c.clip, text[0], c.status, c.result, c.note, text[1:])
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: check does not end after its encoder", c.clip)
		}
	}
}

// A second encoder is told to wait for its turn, and Ctrl-C ends the check.
func TestCheckOneEncoderAtATime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, outcome := checkEncoder(t, ctx)
	first, err := rtmpclient.Publish(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	var refused *rtmpclient.Refused
	if _, err := rtmpclient.Publish(t.Context(), url, nil); !errors.As(err, &refused) || !strings.Contains(refused.Description, "another encoder") {
		t.Errorf("the second encoder got %v", err)
	}
	cancel()
	if text := <-outcome; text[0] != '1' || readReport(t, text[1:]).Result != resultUnreadable {
		t.Errorf("interrupted: %s", text)
	}
}

func TestCheckInterruptedBeforeAnEncoderCame(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, outcome := checkEncoder(t, ctx)
	cancel()
	if text := <-outcome; text != "1" {
		t.Errorf("status and output: %s", text)
	}
}

// A codec that cannot be unpacked ends the check at once, by name.
func TestCheckEncoderOfAnotherCodec(t *testing.T) {
	url, outcome := checkEncoder(t, t.Context())
	client, err := rtmpclient.Publish(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Write(flv.Video, 0, []byte("\x90hvc1\x01")); err != nil {
		t.Fatal(err)
	}
	r := readReport(t, (<-outcome)[1:])
	if r.Result != resultReject || r.Code != ingest.InvalidVideoCodec || r.Rules[0].Severity != validate.Rejected || r.Rules[0].Seen != "The video is HEVC (H.265)" {
		t.Errorf("%+v", r)
	}
	var refused *rtmpclient.Refused
	<-client.Done()
	if !errors.As(client.Err(), &refused) || !strings.Contains(refused.Description, "HEVC") {
		t.Errorf("the encoder was told %v", client.Err())
	}
}
