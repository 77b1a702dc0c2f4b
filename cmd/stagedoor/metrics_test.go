package main

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/stage/sfu"
)

func TestMetricsCarryTheGuidesNames(t *testing.T) {
	const arn = "arn:aws:ivs:us-east-1:000000000000:stage/AbCdEfGhIjKl"
	var totals sfu.ParticipantStats
	totals.StageARN = arn
	m := &stageMetrics{
		scenes: func() []stage.Scene {
			return []stage.Scene{{StageARN: arn, Viewers: 2, Participants: []stage.OnStage{{
				ParticipantID: "p1", Health: stage.HealthView{VideoBitrate: 2_500_000, AudioBitrate: 128_000, FrameRate: 30, Width: 720, Height: 1280},
			}}}}
		},
		refusals: func() map[string]int { return map[string]int{"B_FRAME_PRESENT": 3} },
		sent:     func() []sfu.ParticipantStats { return []sfu.ParticipantStats{totals} },
	}
	start := time.Unix(1_700_000_000, 0)
	m.rates(start)
	totals.BytesSent, totals.Received, totals.Lost, totals.Dropped = 5_000_000, 990, 10, 160
	m.rates(start.Add(10 * time.Second))
	m.at = time.Now() // the sample is fresh
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	want := `
# HELP DownloadPacketLoss Percentage of packets that subscribers said were lost.
# TYPE DownloadPacketLoss gauge
DownloadPacketLoss{Stage="AbCdEfGhIjKl"} 1
# HELP DroppedFrames Percentage of frames that slow subscribers were not sent.
# TYPE DroppedFrames gauge
DroppedFrames{Stage="AbCdEfGhIjKl"} 10
# HELP PublishResolution Pixels across the shorter side of the picture.
# TYPE PublishResolution gauge
PublishResolution{MediaType="video",Participant="p1",SimulcastLayer="disabled",Stage="AbCdEfGhIjKl"} 720
# HELP SubscribeBitrate Bits per second that a subscriber receives, on average.
# TYPE SubscribeBitrate gauge
SubscribeBitrate{Stage="AbCdEfGhIjKl"} 2e+06
# HELP Subscribers Participants that watch the stage.
# TYPE Subscribers gauge
Subscribers{Stage="AbCdEfGhIjKl"} 2
# HELP stagedoor_refusals_total Attempts to publish that were refused or ended by a rule.
# TYPE stagedoor_refusals_total counter
stagedoor_refusals_total{code="B_FRAME_PRESENT"} 3
`
	err := testutil.GatherAndCompare(registry, strings.NewReader(want), "DownloadPacketLoss", "DroppedFrames",
		"PublishResolution", "SubscribeBitrate", "Subscribers", "stagedoor_refusals_total")
	if err != nil {
		t.Error(err)
	}
}
