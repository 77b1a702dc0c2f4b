package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/events"
	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
)

// firstMinute is everything that a broadcaster and a viewer of the first stage need.
type firstMinute struct {
	endpoints     endpoints
	key           accessKey
	region        string
	streamKey     string
	participantID string
	publishToken  string
	watchToken    string
	webhookSecret string
}

// firstTokenLifetime is the longest that a token may be valid: the printed ones should
// outlive the first day.
const firstTokenLifetime = 14 * 24 * time.Hour

func newFirstMinute(ctx context.Context, s store.Store, tokens *stage.Tokens, d dataFolder, e endpoints, region string) (firstMinute, error) {
	m := firstMinute{endpoints: e, region: region}
	keys, _, err := d.credentials()
	if err != nil {
		return m, err
	}
	m.key = keys[0]
	var first firstStage
	if err := d.read(firstFile, &first); err != nil {
		return m, err
	}
	secret, err := webhookSecret(ctx, s)
	if err != nil {
		return m, err
	}
	m.webhookSecret = events.SecretText(secret)
	// The user may have deleted the first stage's resources: then there is nothing to show.
	configuration, err := s.IngestConfiguration(ctx, first.IngestConfigurationARN)
	if err == nil && configuration.StageARN != "" {
		m.streamKey = configuration.Credentials[0].StreamKey
		m.participantID = configuration.Credentials[0].ParticipantID
	}
	if _, err := s.Stage(ctx, first.StageARN); err != nil {
		return m, nil
	}
	claims := stage.Claims{
		StageARN: first.StageARN, Issued: time.Now(), Expires: time.Now().Add(firstTokenLifetime),
		WHIPURL: e.WHIP, EventsURL: e.Events,
	}
	publisher := claims
	publisher.ParticipantID, publisher.UserID = stage.NewID(12), "publisher"
	publisher.Capabilities = []stage.Capability{stage.CanPublish, stage.CanSubscribe}
	if m.publishToken, err = tokens.Mint(publisher); err != nil {
		return m, err
	}
	viewer := claims
	viewer.ParticipantID, viewer.UserID, viewer.Shared = stage.NewID(12), "viewer", true
	viewer.Capabilities = []stage.Capability{stage.CanSubscribe}
	m.watchToken, err = tokens.Mint(viewer)
	return m, err
}

func (m firstMinute) watchURL() string { return m.endpoints.HTTP + "/#token=" + m.watchToken }
func (m firstMinute) publishURL() string {
	return m.endpoints.HTTP + "/publish#token=" + m.publishToken
}

// printExports writes what "eval" in a shell takes.
func (m firstMinute) printExports(w io.Writer) error {
	var b strings.Builder
	for _, export := range []struct{ name, value string }{
		{"AWS_ACCESS_KEY_ID", m.key.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", m.key.SecretAccessKey},
		{"AWS_REGION", m.region},
		{"AWS_DEFAULT_REGION", m.region}, // version 1 of the aws CLI knows this one only
		{"AWS_ENDPOINT_URL_IVS_REALTIME", m.endpoints.HTTP},
		{"STAGEDOOR_RTMP_URL", m.endpoints.RTMP},
		{"STAGEDOOR_RTMPS_URL", m.endpoints.RTMPS},
		{"STAGEDOOR_STREAM_KEY", m.streamKey},
		{"STAGEDOOR_PARTICIPANT_ID", m.participantID},
		{"STAGEDOOR_WHIP_URL", m.endpoints.WHIP},
		{"STAGEDOOR_PUBLISH_TOKEN", m.publishToken},
		{"STAGEDOOR_PUBLISH_URL", m.publishURL()},
		{"STAGEDOOR_WHEP_URL", m.endpoints.HTTP + "/whep/" + m.participantID},
		{"STAGEDOOR_WATCH_TOKEN", m.watchToken},
		{"STAGEDOOR_WATCH_URL", m.watchURL()},
		{"STAGEDOOR_WEBHOOK_SECRET", m.webhookSecret},
	} {
		fmt.Fprintf(&b, "export %s='%s'\n", export.name, export.value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printWelcome writes what is needed to go on stage and to watch. It is printed for a
// person at the terminal and is not part of the log.
func (m firstMinute) printWelcome(w io.Writer, data string, madeKeys bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "\nstagedoor is open.\n\nWatch (open in a browser):\n  %s\n", m.watchURL())
	if m.streamKey != "" {
		fmt.Fprintf(&b, `
Broadcast with OBS: Settings, Stream, Service "Custom...":
  Server:      %s
  Stream Key:  %s
  (RTMPS:      %s)
  In Output: Keyframe Interval 2 s, Profile baseline, Tune zerolatency, x264 Options bframes=0 sliced-threads=0.
  In Video: 1280x720 or less, 60 FPS or less.

Broadcast with ffmpeg (paste as it is):
  ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000 -c:v libx264 -profile:v baseline -preset:v veryfast -tune zerolatency -x264-params sliced-threads=0 -g 60 -b:v 2500k -maxrate 2500k -bufsize 2500k -pix_fmt yuv420p -c:a aac -b:a 128k -ac 2 -f flv '%s%s'
`, m.endpoints.RTMP, m.streamKey, m.endpoints.RTMPS, m.endpoints.RTMP, m.streamKey)
	}
	fmt.Fprintf(&b, `
Broadcast from a browser, or with WHIP (OBS 30 or newer: Service "WHIP"):
  %s
  Server:       %s
  Bearer Token: %s
`, m.publishURL(), m.endpoints.WHIP, m.publishToken)
	if madeKeys {
		fmt.Fprintf(&b, `
Keys of the control API, made on this first start (kept in %s):
  export AWS_ACCESS_KEY_ID='%s'
  export AWS_SECRET_ACCESS_KEY='%s'
  export AWS_REGION='%s' AWS_DEFAULT_REGION='%s'
  export AWS_ENDPOINT_URL_IVS_REALTIME='%s'
`, data, m.key.AccessKeyID, m.key.SecretAccessKey, m.region, m.region, m.endpoints.HTTP)
	}
	fmt.Fprintf(&b, "\nAll of this again, for a shell: eval \"$(stagedoor env --data %s)\"\nStop with Ctrl-C.\n\n", data)
	_, _ = io.WriteString(w, b.String())
}
