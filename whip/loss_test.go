package whip

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/stagedoor/stagedoor/ingest"
)

// A link is a publisher, a path that loses and reorders, and the gateway's media, all in
// media time: a minute passes in a moment, and every run is the same.
type link struct {
	random  *rand.Rand
	loss    float64       // of every packet, both ways
	jitter  time.Duration // up to so much longer
	oneWay  time.Duration
	now     time.Time
	queue   deliveries
	history map[uint16]*packet
	seq     uint16
	wantIDR bool
	nacked  int
	plis    int

	media *media
	layer *layer
	wake  time.Time
}

type delivery struct {
	at   time.Time
	call func()
}

type deliveries []delivery

func (d deliveries) Len() int           { return len(d) }
func (d deliveries) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d deliveries) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)        { *d = append(*d, x.(delivery)) }
func (d *deliveries) Pop() any {
	old := *d
	last := old[len(old)-1]
	*d = old[:len(old)-1]
	return last
}

func newLink(sink ingest.Sink, seed uint64, loss float64, jitter, oneWay time.Duration, resend bool) *link {
	l := &link{
		random: rand.New(rand.NewPCG(seed, 1)), loss: loss, jitter: jitter, oneWay: oneWay,
		now: time.Unix(1000, 0), history: make(map[uint16]*packet), seq: 65500,
	}
	l.media = newMedia(sink, l.feedback, func(*packet) {})
	l.layer = newLayer("", 1, resend, nil)
	l.media.addLayer(l.layer)
	return l
}

// later calls f after the time on the way, unless the path loses it.
func (l *link) later(f func()) {
	if l.random.Float64() < l.loss {
		return
	}
	delay := l.oneWay + time.Duration(l.random.Float64()*float64(l.jitter))
	heap.Push(&l.queue, delivery{l.now.Add(delay), f})
}

func (l *link) feedback(packets ...rtcp.Packet) {
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.PictureLossIndication:
			l.plis++
			l.later(func() { l.wantIDR = true })
		case *rtcp.TransportLayerNack:
			l.nacked++
			l.later(func() {
				for _, pair := range p.Nacks {
					for _, seq := range pair.PacketList() {
						if sent := l.history[seq]; sent != nil {
							l.transmit(sent)
						}
					}
				}
			})
		}
	}
}

func (l *link) transmit(sent *packet) {
	l.later(func() {
		p := &packet{seq: sent.seq, ts: sent.ts, marker: sent.marker, payload: sent.payload, arrival: l.now}
		l.media.takeVideo(l.layer, p)
		l.wake = l.now
	})
}

// until lets the time pass.
func (l *link) until(t testing.TB, end time.Time) {
	t.Helper()
	for {
		next := end
		if len(l.queue) > 0 && l.queue[0].at.Before(next) {
			next = l.queue[0].at
		}
		if !l.wake.IsZero() && l.wake.Before(next) {
			next = l.wake
		}
		if next.After(l.now) {
			l.now = next
		}
		for len(l.queue) > 0 && !l.queue[0].at.After(l.now) {
			heap.Pop(&l.queue).(delivery).call()
		}
		if !l.wake.IsZero() && !l.wake.After(l.now) {
			wake, err := l.media.tick(l.now)
			if err != nil {
				t.Fatal(err)
			}
			if !wake.After(l.now) {
				t.Fatalf("tick wants to be called again at once: %v", wake.Sub(l.now))
			}
			l.wake = wake
		}
		if !l.now.Before(end) {
			return
		}
	}
}

// publish sends the clip for a while, 30 pictures a second, paced as WebRTC senders do.
func (l *link) publish(t testing.TB, duration time.Duration) {
	t.Helper()
	clip := demoClip()
	start, next := l.now, 0
	for i := 0; l.now.Sub(start) < duration; i++ {
		if l.wantIDR {
			l.wantIDR, next = false, 0
		}
		payloads := rtpPayloads(clip[next].nalus, 1200)
		for j, payload := range payloads {
			p := &packet{seq: l.seq, ts: uint32(i) * 3000, marker: j == len(payloads)-1, payload: payload}
			l.history[p.seq] = p
			delete(l.history, p.seq-1000)
			l.seq++
			l.transmit(p)
			l.until(t, l.now.Add(200*time.Microsecond))
		}
		next = (next + 1) % len(clip)
		l.until(t, start.Add(time.Duration(i+1)*time.Second/30))
	}
	l.until(t, l.now.Add(time.Second))
}

// arrivals is a Sink that notes when pictures came.
type arrivals struct {
	*recorder
	link *link
	at   []time.Time
}

func (a *arrivals) WriteVideo(au *ingest.AccessUnit) error {
	a.at = append(a.at, a.link.now)
	return a.recorder.WriteVideo(au)
}

// The clip arrives whole or not at all, and no freeze is longer than allowed.
func TestLoss(t *testing.T) {
	for _, c := range []struct {
		loss    float64
		jitter  time.Duration
		oneWay  time.Duration
		resend  bool
		freeze  time.Duration // the longest in media time and in arrival
		atLeast float64       // of the pictures
	}{
		{0, 0, 10 * time.Millisecond, true, 34 * time.Millisecond, 1},
		{0, 20 * time.Millisecond, 10 * time.Millisecond, true, 34 * time.Millisecond, 0.998},
		{0, 20 * time.Millisecond, 10 * time.Millisecond, false, 34 * time.Millisecond, 0.998},
		{0.01, 10 * time.Millisecond, 10 * time.Millisecond, true, 250 * time.Millisecond, 0.99},
		{0.05, 10 * time.Millisecond, 10 * time.Millisecond, true, 500 * time.Millisecond, 0.98},
		{0.05, 10 * time.Millisecond, 40 * time.Millisecond, true, time.Second, 0.6},
		{0.10, 10 * time.Millisecond, 10 * time.Millisecond, true, 2 * time.Second, 0.8},
		{0.01, 10 * time.Millisecond, 10 * time.Millisecond, false, 3 * time.Second, 0.2},
	} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%g%% loss, %v jitter, %v away, resend %v, seed %d", c.loss*100, c.jitter, c.oneWay, c.resend, seed), func(t *testing.T) {
				sink := &arrivals{recorder: newRecorder()}
				l := newLink(sink, seed, c.loss, c.jitter, c.oneWay, c.resend)
				sink.link = l
				l.publish(t, time.Minute)
				checkWhole(t, sink.recorder)
				freeze, gap := longest(sink)
				share := float64(len(sink.video)) / 1800
				told := 0
				for _, au := range sink.video {
					told += au.Lost
				}
				t.Logf("%.2f %% of the pictures, %d told to be lost, freeze %v, %v between arrivals, %d NACKs, %d PLIs", share*100, told, freeze, gap, l.nacked, l.plis)
				missing := int((sink.video[len(sink.video)-1].PTS-sink.video[0].PTS+time.Second/60)*30/time.Second) + 1 - len(sink.video)
				if told > missing || told < missing*9/10 {
					t.Errorf("%d pictures are missing, and %d are told to be lost", missing, told)
				}
				if freeze > c.freeze || share < c.atLeast {
					t.Error("that is not good enough")
				}
			})
		}
	}
}

// longest gives the longest step between two pictures, in media time and in arrival.
func longest(a *arrivals) (freeze, gap time.Duration) {
	for i := 1; i < len(a.video); i++ {
		freeze = max(freeze, a.video[i].PTS-a.video[i-1].PTS)
		gap = max(gap, a.at[i].Sub(a.at[i-1]))
	}
	return freeze, gap
}

// Where nothing is missing, a picture is there with its last packet.
func TestNoDelayWithoutLoss(t *testing.T) {
	sink := &arrivals{recorder: newRecorder()}
	l := newLink(sink, 1, 0, 0, 0, true)
	sink.link = l
	start := l.now
	l.publish(t, 10*time.Second)
	clip := demoClip()
	for i, at := range sink.at {
		sent := start.Add(time.Duration(i) * time.Second / 30)
		last := time.Duration(len(rtpPayloads(clip[i%len(clip)].nalus, 1200))-1) * 200 * time.Microsecond
		if at.Sub(sent) > last {
			t.Fatalf("picture %d came %v after its last packet", i, at.Sub(sent)-last)
		}
	}
	if l.nacked != 0 || l.plis != 0 {
		t.Errorf("%d NACKs and %d PLIs although nothing was lost", l.nacked, l.plis)
	}
}
