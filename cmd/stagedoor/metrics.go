package main

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagedoor/stagedoor/stage"
)

// stageMetrics gives the figures of live stages under the names and dimensions of the
// guide's CloudWatch metrics (chapter 02). Labels are resource ids and participant ids, both
// bounded by quotas; they hold no secret.
type stageMetrics struct{ app *App }

// layer is the SimulcastLayer of a publisher that sends one layer.
const layer = "disabled"

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe implements prometheus.Collector: an unchecked one, as the labels come and go.
func (stageMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m stageMetrics) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	publishers := metric("Publishers", "Participants that publish to the stage.", "Stage")
	subscribers := metric("Subscribers", "Participants that watch the stage.", "Stage")
	bitrate := metric("PublishBitrate", "Bits per second that a publisher sends.", "Stage", "Participant", "SimulcastLayer", "MediaType")
	frameRate := metric("PublishFramerate", "Pictures per second that a publisher sends.", "Stage", "Participant")
	resolution := metric("PublishResolution", "Pixels across the shorter side of the picture.", "Stage", "Participant", "SimulcastLayer", "MediaType")
	for _, scene := range m.app.registry.Scenes() {
		id := stageResource(scene)
		gauge(publishers, float64(len(scene.Participants)), id)
		gauge(subscribers, float64(scene.Viewers), id)
		for _, p := range scene.Participants {
			h := p.Health
			gauge(bitrate, float64(h.VideoBitrate), id, p.ParticipantID, layer, "video")
			gauge(bitrate, float64(h.AudioBitrate), id, p.ParticipantID, layer, "audio")
			gauge(frameRate, h.FrameRate, id, p.ParticipantID)
			gauge(resolution, float64(min(h.Width, h.Height)), id, p.ParticipantID, layer, "video")
		}
	}
}

func stageResource(s stage.Scene) string {
	return s.StageARN[strings.LastIndexByte(s.StageARN, '/')+1:]
}
