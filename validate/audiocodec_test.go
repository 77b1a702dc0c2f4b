package validate

import (
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

// configs are AudioSpecificConfigs with the text they are refused with, if they are.
var configs = []struct{ name, hex, text string }{
	{"LC 48 kHz stereo", "1190", ""},
	{"LC 44.1 kHz stereo", "1210", ""},
	{"LC 48 kHz mono", "1188", ""},
	{"LC of ffmpeg and OBS, SBR signalled as absent", "119056e500", ""},
	{"LC 44.1 kHz mono of ffmpeg", "120856e500", ""},
	{"LC with padding", "1190000000000000", ""},
	{"LC with its rate as a number", "17805dc010", ""},
	{"HE-AAC, explicit", "2b098800", "HE-AAC audio"},
	{"HE-AAC v2, explicit", "eb098800", "HE-AAC v2 audio"},
	{"HE-AAC, backward-compatible", "131056e598", "HE-AAC audio"},
	{"HE-AAC v2, backward-compatible", "130856e59d4880", "HE-AAC v2 audio"},
	{"HE-AAC behind padding", "13100056e598", "HE-AAC audio"},
	{"5.1", "11b056e500", "6 channels (5.1)"},
	{"7.1", "11b8", "8 channels (7.1)"},
	{"3 channels, of ffmpeg", "118004c4010020000d4c61766335392e33372e31303056e500", "program_config_element"},
	{"960 samples", "1194", "960 samples"},
	{"core coder", "11920000", "core coder"},
	{"extensionFlag", "1191", "cannot be read"},
	{"Main, of ffmpeg", "099056e500", "AAC Main audio"},
	{"LTP, of ffmpeg", "219056e500", "AAC LTP audio"},
	{"SSR", "1990", "AAC SSR audio"},
	{"LD", "b98c", "AAC-LD audio"},
	{"ELD", "f8e64000", "AAC-ELD audio"},
	{"xHE-AAC", "f9464000", "xHE-AAC audio"},
	{"CELP", "4588", "MPEG-4 audio object type 8"},
	{"22.05 kHz", "1390", "AAC audio at 22.05 kHz"},
	{"32 kHz", "1290", "AAC audio at 32 kHz"},
	{"96 kHz", "1010", "AAC audio at 96 kHz"},
	{"reserved rate", "1690", "cannot be read"},
	{"empty", "", "cannot be read"},
	{"one byte", "11", "cannot be read"},
}

func TestAudioCodecAAC(t *testing.T) {
	for _, c := range configs {
		t.Run(c.name, func(t *testing.T) {
			v := New(nil, Options{Protocol: ingest.RTMPS, Rules: DefaultRules()})
			codec := &ingest.AudioCodec{Name: ingest.AAC, Config: unhex(c.hex)}
			want := ingest.InvalidAudioCodec
			if c.text == "" {
				want = ""
			}
			wantRejection(t, v.WriteAudio(&ingest.AudioFrame{Codec: codec}), want, c.text)
		})
	}
}

func TestAudioCodec(t *testing.T) {
	for _, c := range []struct {
		name     string
		protocol ingest.Protocol
		codec    ingest.AudioCodec
		text     string
	}{
		{"MP3", ingest.RTMP, ingest.AudioCodec{Name: ingest.MP3}, "MP3 audio; stages take AAC-LC"},
		{"Opus over RTMP", ingest.RTMP, *opusStereo, "Opus audio; stages take AAC-LC"},
		{"another codec", ingest.RTMP, ingest.AudioCodec{Name: "Speex"}, "Speex audio"},
		{"Opus", ingest.WHIP, *opusStereo, ""},
		{"Opus mono", ingest.WHIP, ingest.AudioCodec{Name: ingest.Opus, SampleRate: 48000, Channels: 1}, ""},
		{"Opus 5.1", ingest.WHIP, ingest.AudioCodec{Name: ingest.Opus, SampleRate: 48000, Channels: 6}, "Opus 48 kHz 6 channels (5.1); stages take Opus over WHIP"},
		{"AAC over WHIP", ingest.WHIP, *aacLC48, "AAC audio; stages take Opus over WHIP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := New(nil, Options{Protocol: c.protocol, Rules: DefaultRules()})
			want := ingest.InvalidAudioCodec
			if c.text == "" {
				want = ""
			}
			wantRejection(t, v.WriteAudio(&ingest.AudioFrame{Codec: &c.codec}), want, c.text)
		})
	}
}

// A change of format on stage is judged again.
func TestAudioCodecChangesOnStage(t *testing.T) {
	next := new(recorder)
	v := New(next, Options{Protocol: ingest.RTMP, Rules: DefaultRules()})
	if err := newEncoder().headers(v); err != nil {
		t.Fatal(err)
	}
	mono := &ingest.AudioCodec{Name: ingest.AAC, Config: unhex("1208")}
	if err := v.WriteAudio(&ingest.AudioFrame{Codec: mono}); err != nil {
		t.Error(err)
	}
	surround := &ingest.AudioCodec{Name: ingest.AAC, Config: unhex("11b0")}
	wantRejection(t, v.WriteAudio(&ingest.AudioFrame{Codec: surround, Data: []byte{1}}), ingest.InvalidAudioCodec, "5.1")
	if next.order != "Hhh" {
		t.Errorf("passed on: %s", next.order)
	}
}

func FuzzASC(f *testing.F) {
	for _, c := range configs {
		f.Add(unhex(c.hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := parseASC(b)
		if ok && (a.sampleRate < 0 || a.sampleRate >= 1<<24 || a.channels() < 0 || a.channels() > 8) {
			t.Errorf("%+v", a)
		}
		_ = audioFormat(&ingest.AudioCodec{Name: ingest.AAC, Config: b})
	})
}
