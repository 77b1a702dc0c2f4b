package main

import (
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/stage/sfu"
)

// stageMetrics gives the figures of live stages under the names and dimensions of the
// guide's CloudWatch metrics (chapter 02), and a few of our own. Labels are resource ids and
// participant ids, both bounded by quotas; they hold no secret.
type stageMetrics struct {
	scenes   func() []stage.Scene
	refusals func() map[string]int
	sent     func() []sfu.ParticipantStats

	mu      sync.Mutex
	at      time.Time // of the sample
	sample  map[string]delivery
	current map[string]delivery // the rates, from the last sample to the one before
}

// delivery is what a stage's viewers got: totals in a sample, per second in a rate.
type delivery struct{ bits, received, lost, dropped float64 }

// layer is the SimulcastLayer of a publisher that sends one layer.
const layer = "disabled"

// sampleInterval is how far apart two samples are at least, so that several scrapers see
// the same rates.
const sampleInterval = 5 * time.Second

// Describe implements prometheus.Collector: an unchecked one, as the labels come and go.
func (*stageMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *stageMetrics) Collect(out chan<- prometheus.Metric) {
	put := func(kind prometheus.ValueType, name, help string, names []string, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, value, labels...)
	}
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	var (
		onStage = []string{"Stage"}
		onOne   = []string{"Stage", "Participant"}
		onMedia = []string{"Stage", "Participant", "SimulcastLayer", "MediaType"}
	)
	rates := m.rates(time.Now())
	for _, scene := range m.scenes() {
		id := resourceID(scene.StageARN)
		put(gauge, "Publishers", "Participants that publish to the stage.", onStage, float64(len(scene.Participants)), id)
		put(gauge, "Subscribers", "Participants that watch the stage.", onStage, float64(scene.Viewers), id)
		if scene.Viewers > 0 {
			rate := rates[scene.StageARN]
			put(gauge, "SubscribeBitrate", "Bits per second that a subscriber receives, on average.", onStage, rate.bits/float64(scene.Viewers), id)
			put(gauge, "DownloadPacketLoss", "Percentage of packets that subscribers said were lost.", onStage, percent(rate.lost, rate.lost+rate.received), id)
			put(gauge, "DroppedFrames", "Percentage of frames that slow subscribers were not sent.", onStage, percent(rate.dropped, offered(scene)), id)
		}
		for _, p := range scene.Participants {
			h := p.Health
			put(gauge, "PublishBitrate", "Bits per second that a publisher sends.", onMedia, float64(h.VideoBitrate), id, p.ParticipantID, layer, "video")
			put(gauge, "PublishBitrate", "Bits per second that a publisher sends.", onMedia, float64(h.AudioBitrate), id, p.ParticipantID, layer, "audio")
			put(gauge, "PublishFramerate", "Pictures per second that a publisher sends.", onOne, h.FrameRate, id, p.ParticipantID)
			put(gauge, "PublishResolution", "Pixels across the shorter side of the picture.", onMedia, float64(min(h.Width, h.Height)), id, p.ParticipantID, layer, "video")
			put(gauge, "stagedoor_idr_interval_seconds", "Time between the last two IDR pictures.", onOne, h.IDRInterval, id, p.ParticipantID)
			put(counter, "stagedoor_timestamp_jumps_total", "Jumps of a publisher's clock.", onOne, float64(h.TimestampJumps), id, p.ParticipantID)
			put(counter, "stagedoor_lost_frames_total", "Pictures and audio frames of a publisher that were damaged or missing.", onOne, float64(h.LostFrames), id, p.ParticipantID)
		}
	}
	for code, count := range m.refusals() {
		put(counter, "stagedoor_refusals_total", "Attempts to publish that were refused or ended by a rule.", []string{"code"}, float64(count), code)
	}
}

// rates gives what viewers get, by stage.
func (m *stageMetrics) rates(now time.Time) map[string]delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	elapsed := now.Sub(m.at)
	if elapsed < sampleInterval {
		return m.current
	}
	sample := map[string]delivery{}
	for _, p := range m.sent() {
		d := sample[p.StageARN]
		d.bits += 8 * float64(p.BytesSent)
		d.received += float64(p.Received)
		d.lost += float64(p.Lost)
		d.dropped += float64(p.Dropped)
		sample[p.StageARN] = d
	}
	m.current = map[string]delivery{}
	for arn, d := range sample {
		former, known := m.sample[arn]
		if !known || d.bits < former.bits { // a participant was forgotten, and its totals with it
			continue
		}
		seconds := elapsed.Seconds()
		m.current[arn] = delivery{
			(d.bits - former.bits) / seconds, (d.received - former.received) / seconds,
			(d.lost - former.lost) / seconds, (d.dropped - former.dropped) / seconds,
		}
	}
	m.at, m.sample = now, sample
	return m.current
}

// offered is how many frames per second there are for all viewers of a stage together, as
// if each watched everybody.
func offered(scene stage.Scene) float64 {
	const audioFrames = 50 // Opus packets per second
	var sum float64
	for _, p := range scene.Participants {
		sum += p.Health.FrameRate + audioFrames
	}
	return sum * float64(scene.Viewers)
}

func percent(part, whole float64) float64 {
	if whole <= 0 {
		return 0
	}
	return min(100, 100*part/whole)
}

func resourceID(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
