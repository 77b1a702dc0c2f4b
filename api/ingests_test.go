package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/ingest"
)

func (b *bench) newStage() string {
	b.t.Helper()
	return b.ok("CreateStage", map[string]any{}).text("stage.arn")
}

func TestIngestConfigurationLife(t *testing.T) {
	b := newBench(t, nil)
	stageARN := b.newStage()
	created := b.ok("CreateIngestConfiguration", map[string]any{
		"name": "test", "stageArn": stageARN, "userId": "123", "attributes": map[string]string{"k": "v"}, "ingestProtocol": "RTMPS", "tags": map[string]string{"t": "u"},
	})
	arn, key := created.text("ingestConfiguration.arn"), created.text("ingestConfiguration.streamKey")
	_, id, _ := strings.Cut(arn, "/")
	if !strings.HasPrefix(key, "rt_123456789012_eu-west-1_"+id+"_") || len(key) < 60 {
		t.Errorf("stream key %s", key)
	}
	for path, want := range map[string]any{
		"name": "test", "stageArn": stageARN, "userId": "123", "attributes.k": "v", "tags.t": "u", "ingestProtocol": "RTMPS",
		"state": "INACTIVE", "redundantIngest": false, "redundantIngestCredentials": nil,
	} {
		if got := created.at("ingestConfiguration." + path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	stored, err := b.store.IngestConfigurationByStreamKey(t.Context(), key)
	if err != nil || stored.StageARN != stageARN || stored.Protocol != ingest.RTMPS || stored.Insecure ||
		stored.Credentials[0].ParticipantID != created.text("ingestConfiguration.participantId") {
		t.Errorf("admission finds %+v (%v)", stored, err)
	}
	if got := b.ok("GetIngestConfiguration", map[string]any{"arn": arn}); got.text("ingestConfiguration.streamKey") != key {
		t.Errorf("GetIngestConfiguration: %v", got.body)
	}
	if got := b.ok("UpdateIngestConfiguration", map[string]any{"arn": arn, "stageArn": ""}); got.text("ingestConfiguration.stageArn") != "" {
		t.Errorf("UpdateIngestConfiguration: %v", got.body)
	}
	b.refused("UpdateIngestConfiguration", map[string]any{"arn": arn, "stageArn": validARN("stage")}, "ResourceNotFoundException", validARN("stage"))
	b.ok("DeleteIngestConfiguration", map[string]any{"arn": arn})
	for _, operation := range []string{"GetIngestConfiguration", "UpdateIngestConfiguration", "DeleteIngestConfiguration"} {
		b.refused(operation, map[string]any{"arn": arn}, "ResourceNotFoundException", arn)
	}
	if strings.Contains(b.log.String(), key) {
		t.Error("the stream key is in the log")
	}
}

func TestIngestConfigurationProtocol(t *testing.T) {
	b := newBench(t, nil)
	b.refused("CreateIngestConfiguration", map[string]any{"ingestProtocol": "RTMP"}, "ValidationException", "'insecureIngest'")
	b.refused("CreateIngestConfiguration", map[string]any{"ingestProtocol": "RTMP", "insecureIngest": false}, "ValidationException", "'insecureIngest'")
	b.refused("CreateIngestConfiguration", map[string]any{}, "ValidationException", "'ingestProtocol'")
	b.refused("CreateIngestConfiguration", map[string]any{"ingestProtocol": "RTMPS", "stageArn": validARN("stage")}, "ValidationException", "'stageArn'")
	for _, protocol := range []string{"RTMP", "RTMPS"} {
		r := b.ok("CreateIngestConfiguration", map[string]any{"ingestProtocol": protocol, "insecureIngest": true})
		stored, err := b.store.IngestConfiguration(t.Context(), r.text("ingestConfiguration.arn"))
		if err != nil || !stored.Insecure || string(stored.Protocol) != protocol {
			t.Errorf("stored %+v (%v)", stored, err)
		}
	}
}

func TestIngestConfigurationActive(t *testing.T) {
	b := newBench(t, nil)
	stageARN := b.newStage()
	r := b.ok("CreateIngestConfiguration", map[string]any{"stageArn": stageARN, "ingestProtocol": "RTMPS"})
	arn, participant := r.text("ingestConfiguration.arn"), r.text("ingestConfiguration.participantId")
	b.live.publishing = map[string]bool{participant: true}
	if got := b.ok("GetIngestConfiguration", map[string]any{"arn": arn}); got.text("ingestConfiguration.state") != "ACTIVE" {
		t.Errorf("state %v", got.body)
	}
	b.refused("UpdateIngestConfiguration", map[string]any{"arn": arn, "stageArn": ""}, "ConflictException", "ACTIVE")
	b.refused("DeleteIngestConfiguration", map[string]any{"arn": arn}, "ConflictException", "force")
	b.refused("DeleteIngestConfiguration", map[string]any{"arn": arn, "force": false}, "ConflictException", "force")
	b.ok("DeleteIngestConfiguration", map[string]any{"arn": arn, "force": true})
	if len(b.live.disconnected) != 1 || !strings.HasPrefix(b.live.disconnected[0], participant+": ") {
		t.Errorf("disconnected %v", b.live.disconnected)
	}
	b.refused("GetIngestConfiguration", map[string]any{"arn": arn}, "ResourceNotFoundException")
}

func TestRedundantIngest(t *testing.T) {
	b := newBench(t, nil)
	stageARN := b.newStage()
	r := b.ok("CreateIngestConfiguration", map[string]any{"stageArn": stageARN, "ingestProtocol": "RTMPS", "redundantIngest": true})
	arn := r.text("ingestConfiguration.arn")
	credentials := r.at("ingestConfiguration.redundantIngestCredentials").([]any)
	primary, backup := credentials[0].(map[string]any), credentials[1].(map[string]any)
	if len(credentials) != 2 || primary["streamKey"] != r.text("ingestConfiguration.streamKey") || primary["participantId"] != r.text("ingestConfiguration.participantId") ||
		primary["streamKey"] == backup["streamKey"] || primary["participantId"] == backup["participantId"] {
		t.Errorf("credentials %v", credentials)
	}
	b.live.publishing = map[string]bool{backup["participantId"].(string): true}
	if got := b.ok("GetIngestConfiguration", map[string]any{"arn": arn}); got.text("ingestConfiguration.state") != "ACTIVE" {
		t.Error("the backup does not make it ACTIVE")
	}
	b.live.publishing = nil
	r = b.ok("UpdateIngestConfiguration", map[string]any{"arn": arn, "redundantIngest": false})
	if r.at("ingestConfiguration.redundantIngestCredentials") != nil || r.text("ingestConfiguration.streamKey") != primary["streamKey"] {
		t.Errorf("after redundantIngest false: %v", r.body)
	}
	if _, err := b.store.IngestConfigurationByStreamKey(t.Context(), backup["streamKey"].(string)); err == nil {
		t.Error("the backup's key still opens")
	}
	r = b.ok("UpdateIngestConfiguration", map[string]any{"arn": arn, "redundantIngest": true})
	if len(r.at("ingestConfiguration.redundantIngestCredentials").([]any)) != 2 {
		t.Errorf("after redundantIngest true: %v", r.body)
	}
	again := b.ok("UpdateIngestConfiguration", map[string]any{"arn": arn, "redundantIngest": true})
	if got := again.at("ingestConfiguration.redundantIngestCredentials").([]any); !slices.EqualFunc(got, r.at("ingestConfiguration.redundantIngestCredentials").([]any),
		func(a, b any) bool { return a.(map[string]any)["streamKey"] == b.(map[string]any)["streamKey"] }) {
		t.Error("an update that changes nothing made the backup's key invalid")
	}
}

func TestListIngestConfigurations(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Quotas.IngestConfigurations = 4 })
	here := b.newStage()
	b.live.publishing = map[string]bool{}
	names := []string{"a", "b", "c", "d"}
	for i, name := range names {
		body := map[string]any{"name": name, "ingestProtocol": "RTMPS"}
		if i < 3 {
			body["stageArn"] = here
		}
		participant := b.ok("CreateIngestConfiguration", body).text("ingestConfiguration.participantId")
		if i%2 == 0 {
			b.live.publishing[participant] = true
		}
	}
	b.refused("CreateIngestConfiguration", map[string]any{"ingestProtocol": "RTMPS"}, "ServiceQuotaExceededException", "4 ingest configurations")
	for _, c := range []struct {
		body map[string]any
		want string
	}{
		{map[string]any{}, "abcd"},
		{map[string]any{"filterByStageArn": here}, "abc"},
		{map[string]any{"filterByStageArn": validARN("stage")}, ""},
		{map[string]any{"filterByState": "ACTIVE"}, "ac"},
		{map[string]any{"filterByState": "INACTIVE"}, "bd"},
		{map[string]any{"filterByState": "INACTIVE", "filterByStageArn": here}, "b"},
	} {
		got := ""
		c.body["maxResults"] = 1
		for {
			r := b.ok("ListIngestConfigurations", c.body)
			for _, one := range r.at("ingestConfigurations").([]any) {
				got += one.(map[string]any)["name"].(string)
			}
			if r.text("nextToken") == "" {
				break
			}
			c.body["nextToken"] = r.text("nextToken")
		}
		if got != c.want {
			t.Errorf("%v lists %q, want %q", c.body, got, c.want)
		}
	}
}

func TestDisconnectParticipant(t *testing.T) {
	b := newBench(t, nil)
	stageARN := b.newStage()
	r := b.ok("CreateIngestConfiguration", map[string]any{"stageArn": stageARN, "ingestProtocol": "RTMPS"})
	arn, encoder := r.text("ingestConfiguration.arn"), r.text("ingestConfiguration.participantId")
	b.live.publishing = map[string]bool{encoder: true}
	b.live.connected = map[string]bool{"viewer": true}

	b.ok("DisconnectParticipant", map[string]any{"stageArn": stageARN, "participantId": encoder, "reason": "over"})
	b.ok("DisconnectParticipant", map[string]any{"stageArn": stageARN, "participantId": "viewer"})
	if !slices.Equal(b.live.disconnected, []string{encoder + ": over", "viewer: "}) {
		t.Errorf("disconnected %v", b.live.disconnected)
	}
	if got := b.ok("GetIngestConfiguration", map[string]any{"arn": arn}); got.text("ingestConfiguration.stageArn") != "" {
		t.Error("the encoder's configuration still has its stage")
	}
	b.refused("DisconnectParticipant", map[string]any{"stageArn": stageARN, "participantId": "nobody"}, "ResourceNotFoundException", "nobody")
	b.refused("DisconnectParticipant", map[string]any{"stageArn": validARN("stage"), "participantId": encoder}, "ResourceNotFoundException", validARN("stage"))

	// Between two attempts of the encoder: it must not come back.
	b.ok("UpdateIngestConfiguration", map[string]any{"arn": arn, "stageArn": stageARN})
	b.ok("DisconnectParticipant", map[string]any{"stageArn": stageARN, "participantId": encoder})
	if got := b.ok("GetIngestConfiguration", map[string]any{"arn": arn}); got.text("ingestConfiguration.stageArn") != "" {
		t.Error("the absent encoder's configuration still has its stage")
	}
}
