package main

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// kind tells a viewer's two tracks apart; it is an index.
type kind int

const (
	video kind = iota
	audio
	kinds
)

// reports is what sender reports say about a viewer's tracks, and what receiver reports say
// back (RFC 3550, 6.4).
type reports struct {
	tracks [kinds]trackReports
	// A picture that was known again ties the video's RTP timestamps to the publisher's clock.
	matched   bool
	timestamp uint32
	pts       time.Duration
}

type trackReports struct {
	seen     bool
	ssrc     uint32
	highest  uint32 // sequence number, extended
	base     uint32
	received uint32
	// At the last receiver report.
	expectedThen, receivedThen uint32

	last   rtcp.SenderReport
	lastAt time.Time // zero: none yet
}

// note counts a packet.
func (r *reports) note(k kind, p *rtp.Packet) {
	t := &r.tracks[k]
	if !t.seen || t.ssrc != p.SSRC {
		*t = trackReports{seen: true, ssrc: p.SSRC, base: uint32(p.SequenceNumber), highest: uint32(p.SequenceNumber)}
	}
	t.received++
	if step := int16(p.SequenceNumber - uint16(t.highest)); step > 0 {
		t.highest += uint32(step)
	}
}

// match notes which picture has which timestamp.
func (r *reports) match(timestamp uint32, pts time.Duration) {
	r.matched, r.timestamp, r.pts = true, timestamp, pts
}

// sender takes a sender report.
func (r *reports) sender(report *rtcp.SenderReport, now time.Time) {
	for k := range r.tracks {
		if t := &r.tracks[k]; t.seen && t.ssrc == report.SSRC {
			t.last, t.lastAt = *report, now
		}
	}
}

// skew says how much later than the picture of the same moment a sound is shown, by the
// sender reports. The sound is a clip's onset, at its RTP timestamp; at is its time in the
// round, of which the length is given in milliseconds. It gives false without reports.
func (r *reports) skew(timestamp uint32, at time.Duration, round uint32) (time.Duration, bool) {
	v, a := &r.tracks[video], &r.tracks[audio]
	if !r.matched || v.lastAt.IsZero() || a.lastAt.IsZero() {
		return 0, false
	}
	// The last picture's round, or the one before: an onset at the round's end may come after
	// the next round's first picture.
	length := time.Duration(round) * time.Millisecond
	pts := r.pts - r.pts%length + at
	if pts-r.pts > length/2 {
		pts -= length
	} else if r.pts-pts > length/2 {
		pts += length
	}
	picture := r.timestamp + uint32(int32((pts-r.pts)*90/time.Millisecond))
	return a.wall(timestamp, rate48k) - v.wall(picture, 90000), true
}

// wall turns an RTP timestamp into the sender's wall clock, counted from 1900.
func (t *trackReports) wall(timestamp uint32, rate int64) time.Duration {
	ntp := time.Duration(t.last.NTPTime>>32)*time.Second + time.Duration((t.last.NTPTime&0xffffffff)*1e9>>32)
	return ntp + time.Duration(int64(int32(timestamp-t.last.RTPTime))*int64(time.Second)/rate)
}

// receiver makes a receiver report; nil where nothing has come yet.
func (r *reports) receiver(now time.Time) *rtcp.ReceiverReport {
	report := &rtcp.ReceiverReport{SSRC: 1}
	for k := range r.tracks {
		if t := &r.tracks[k]; t.seen {
			report.Reports = append(report.Reports, t.block(now))
		}
	}
	if len(report.Reports) == 0 {
		return nil
	}
	return report
}

func (t *trackReports) block(now time.Time) rtcp.ReceptionReport {
	expected := t.highest - t.base + 1
	b := rtcp.ReceptionReport{SSRC: t.ssrc, LastSequenceNumber: t.highest, TotalLost: min(max(expected, t.received)-t.received, 1<<23-1)}
	if due, came := expected-t.expectedThen, t.received-t.receivedThen; due > came {
		b.FractionLost = uint8(min(255, (due-came)*256/due))
	}
	t.expectedThen, t.receivedThen = expected, t.received
	if !t.lastAt.IsZero() {
		b.LastSenderReport = uint32(t.last.NTPTime >> 16)
		b.Delay = uint32(now.Sub(t.lastAt) * 65536 / time.Second)
	}
	return b
}
