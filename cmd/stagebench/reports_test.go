package main

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// TestSkew gives reports that put the sound 30 ms after the pictures.
func TestSkew(t *testing.T) {
	var r reports
	now := time.Now()
	r.note(video, &rtp.Packet{Header: rtp.Header{SSRC: 1}})
	r.note(audio, &rtp.Packet{Header: rtp.Header{SSRC: 2}})
	if _, ok := r.skew(0, 0, 8000); ok {
		t.Error("there is a skew without reports")
	}
	const ntp = 3900000000 << 32 // seconds since 1900
	r.sender(&rtcp.SenderReport{SSRC: 1, NTPTime: ntp, RTPTime: 4294960000}, now)
	r.sender(&rtcp.SenderReport{SSRC: 2, NTPTime: ntp, RTPTime: 1000}, now)
	// A picture 1 s after the report, in the second round of 8 s, 0.2 s after its begin.
	late := uint32(4294960000 + 90000 - 1<<32)
	r.match(late, 8200*time.Millisecond)
	for _, test := range []struct {
		name      string
		at        time.Duration // of the onset in the round
		timestamp uint32
	}{
		{"in the same round", 100 * time.Millisecond, 1000 + 48*(900+30)},
		{"in the last round", 7900 * time.Millisecond, 1000 + 48*(700+30)},
		{"just ahead of the picture", 300 * time.Millisecond, 1000 + 48*(1100+30)},
	} {
		skew, ok := r.skew(test.timestamp, test.at, 8000)
		if !ok || (skew-30*time.Millisecond).Abs() > time.Microsecond {
			t.Errorf("%s: the skew is %v", test.name, skew)
		}
	}
}

func TestReceiverReport(t *testing.T) {
	var r reports
	for _, seq := range []uint16{65534, 65535, 1, 2} { // 0 is missing
		r.note(video, &rtp.Packet{Header: rtp.Header{SSRC: 7, SequenceNumber: seq}})
	}
	report := r.receiver(time.Now())
	if report == nil || len(report.Reports) != 1 {
		t.Fatal(report)
	}
	if b := report.Reports[0]; b.SSRC != 7 || b.TotalLost != 1 || b.FractionLost != 51 || b.LastSequenceNumber != 65538 {
		t.Errorf("%+v", b)
	}
}
