package flv

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/testdata"
)

func TestReaderReadsTheDemoClip(t *testing.T) {
	r, err := NewReader(strings.NewReader(testdata.DemoFLV))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[byte]int{}
	var last uint32
	for {
		tag, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		counts[tag.Type]++
		last = max(last, tag.Timestamp)
	}
	if counts[Video] < 240 || counts[Audio] < 370 || last < 7900 || last > 8100 {
		t.Errorf("got %v tags up to %d ms, want 8 s of 30 pictures and 47 audio frames per second", counts, last)
	}
}

func TestReaderTellsWhatIsWrong(t *testing.T) {
	for _, bad := range []string{"", "FL", "RIFF1234567890", "FLV\x01\x05\xff\xff\xff\xff\x00\x00\x00\x00"} {
		if _, err := NewReader(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken for an FLV file", bad)
		}
	}
	r, err := NewReader(strings.NewReader(testdata.DemoFLV[:2000]))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = r.Next()
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a truncated file gave %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(testdata.DemoFLV[:3000]))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(strings.NewReader(string(data)))
		for err == nil {
			_, err = r.Next()
		}
	})
}
