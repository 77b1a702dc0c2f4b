package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/stage"
)

func TestStageLife(t *testing.T) {
	b := newBench(t, nil)
	created := b.ok("CreateStage", map[string]any{"name": "test-stage", "tags": map[string]string{"a": "b"}})
	arn := created.text("stage.arn")
	host := b.server.Listener.Addr().String()
	for path, want := range map[string]any{
		"stage.name": "test-stage", "stage.tags.a": "b", "stage.activeSessionId": nil,
		"stage.endpoints.rtmp": "rtmp://127.0.0.1:1935/app/", "stage.endpoints.rtmps": "rtmps://127.0.0.1:1936/app/",
		"stage.endpoints.whip": "http://" + host + "/whip", "stage.endpoints.events": "ws://" + host + "/events",
	} {
		if created.at(path) != want {
			t.Errorf("%s is %v, want %v", path, created.at(path), want)
		}
	}
	b.live.session = map[string]string{arn: "st-ABCDEFGHIJKLM"}
	if got := b.ok("GetStage", map[string]any{"arn": arn}); got.at("stage.activeSessionId") != "st-ABCDEFGHIJKLM" {
		t.Errorf("GetStage: %v", got.body)
	}
	if got := b.ok("UpdateStage", map[string]any{"arn": arn, "name": "other"}); got.at("stage.name") != "other" {
		t.Errorf("UpdateStage: %v", got.body)
	}
	if got := b.ok("UpdateStage", map[string]any{"arn": arn}); got.at("stage.name") != "other" {
		t.Errorf("UpdateStage without a name: %v", got.body)
	}
	ingestARN := b.ok("CreateIngestConfiguration", map[string]any{"stageArn": arn, "ingestProtocol": "RTMPS"}).text("ingestConfiguration.arn")
	b.ok("DeleteStage", map[string]any{"arn": arn})
	if !slices.Equal(b.live.closed, []string{arn}) {
		t.Errorf("closed %v", b.live.closed)
	}
	if got := b.ok("GetIngestConfiguration", map[string]any{"arn": ingestARN}); got.at("ingestConfiguration.stageArn") != "" {
		t.Errorf("the configuration still has the stage: %v", got.body)
	}
	for _, operation := range []string{"GetStage", "UpdateStage", "DeleteStage"} {
		b.refused(operation, map[string]any{"arn": arn, "name": "x"}, "ResourceNotFoundException", arn)
	}
	b.refused("CreateParticipantToken", map[string]any{"stageArn": arn}, "ResourceNotFoundException", arn)
}

func TestStageRecordingIsRefused(t *testing.T) {
	b := newBench(t, nil)
	arn := b.ok("CreateStage", map[string]any{}).text("stage.arn")
	recording := map[string]any{"storageConfigurationArn": validARN("storage-configuration")}
	b.refused("CreateStage", map[string]any{"autoParticipantRecordingConfiguration": recording}, "ValidationException", "storageConfigurationArn", "not available")
	b.refused("UpdateStage", map[string]any{"arn": arn, "autoParticipantRecordingConfiguration": recording}, "ValidationException", "not available")
	for name, r := range routes {
		if r.handle == nil {
			b.refused(name, map[string]any{}, "ValidationException", name, "not available yet")
		}
	}
}

func TestStageQuota(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Quotas.Stages = 2 })
	b.ok("CreateStage", map[string]any{})
	b.ok("CreateStage", map[string]any{})
	b.refused("CreateStage", map[string]any{}, "ServiceQuotaExceededException", "2 stages")
}

// Pages have neither repetitions nor gaps although stages come and go meanwhile.
func TestStagePages(t *testing.T) {
	b := newBench(t, nil)
	var want []string
	for range 7 {
		want = append(want, b.ok("CreateStage", map[string]any{}).text("stage.arn"))
	}
	var got []string
	body := map[string]any{"maxResults": 3}
	for {
		page := b.ok("ListStages", body)
		for _, s := range page.at("stages").([]any) {
			got = append(got, s.(map[string]any)["arn"].(string))
		}
		token := page.text("nextToken")
		if token == "" {
			break
		}
		body["nextToken"] = token
		want = append(want, b.ok("CreateStage", map[string]any{}).text("stage.arn"))
		b.ok("DeleteStage", map[string]any{"arn": got[0]})
		got, want = got[1:], want[1:]
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if r := b.ok("ListStages", map[string]any{}); r.at("nextToken") != nil || len(r.at("stages").([]any)) != len(want) {
		t.Errorf("one page: %v", r.body)
	}
	token := body["nextToken"].(string)
	b.refused("ListPublicKeys", map[string]any{"nextToken": token}, "ValidationException", "'nextToken'")
	for _, bad := range []string{"x", token + "x", "TGlzdFN0YWdlczotMQ", "TGlzdFN0YWdlcw", strings.Repeat("A", 1024)} {
		b.refused("ListStages", map[string]any{"nextToken": bad}, "ValidationException", "'nextToken'")
	}
}

func TestTokens(t *testing.T) {
	b := newBench(t, nil)
	arn := b.ok("CreateStage", map[string]any{}).text("stage.arn")
	r := b.ok("CreateParticipantToken", map[string]any{"stageArn": arn})
	claims := b.tokens.minted[0]
	issued := b.now.Truncate(time.Second)
	if claims.StageARN != arn || !claims.Issued.Equal(issued) || !claims.Expires.Equal(issued.Add(12*time.Hour)) ||
		!claims.Allows(stage.CanPublish) || !claims.Allows(stage.CanSubscribe) || claims.Shared ||
		claims.WHIPURL != b.server.URL+"/whip" || !strings.HasSuffix(claims.EventsURL, "/events") {
		t.Errorf("claims %+v", claims)
	}
	if r.at("participantToken.duration") != 720.0 || r.text("participantToken.token") != "token."+claims.ParticipantID ||
		r.text("participantToken.participantId") != claims.ParticipantID || len(claims.ParticipantID) != 12 {
		t.Errorf("answer %v", r.body)
	}
	r = b.ok("CreateParticipantToken", map[string]any{
		"stageArn": arn, "duration": 1, "userId": "ü", "attributes": map[string]string{"k": "v"}, "capabilities": []string{"SUBSCRIBE"},
	})
	claims = b.tokens.minted[1]
	if claims.Allows(stage.CanPublish) || claims.UserID != "ü" || claims.Attributes["k"] != "v" || !claims.Expires.Equal(issued.Add(time.Minute)) {
		t.Errorf("claims %+v", claims)
	}
	if r.text("participantToken.userId") != "ü" || r.text("participantToken.attributes.k") != "v" {
		t.Errorf("answer %v", r.body)
	}
	if strings.Contains(b.log.String(), "token.") {
		t.Error("a token is in the log")
	}
}

// A stage whose tokens cannot be made is not made either.
func TestCreateStageIsAllOrNothing(t *testing.T) {
	b := newBench(t, nil)
	b.tokens.failure = errors.New("no entropy")
	r := b.call("CreateStage", map[string]any{"participantTokenConfigurations": []any{map[string]any{}}})
	if r.kind != "InternalServerException" || r.status != http.StatusInternalServerError || strings.Contains(r.message(), "entropy") {
		t.Errorf("%d %s %s", r.status, r.kind, r.message())
	}
	if !strings.Contains(b.log.String(), "no entropy") {
		t.Error("the log has no reason")
	}
	if r := b.ok("ListStages", map[string]any{}); len(r.at("stages").([]any)) != 0 {
		t.Errorf("stages %v", r.body)
	}
}
