//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// awsCLI is the aws CLI with a gateway's keys. The test is skipped, with the reason, where
// the machine has none that knows ivs-realtime (Debian 12's does not); TestSDK then still
// calls every operation with a client of AWS's.
type awsCLI struct {
	t *testing.T
	g *Gateway
}

func newAWS(t *testing.T, g *Gateway) awsCLI {
	t.Helper()
	if err := exec.Command("aws", "ivs-realtime", "list-stages", "--generate-cli-skeleton").Run(); err != nil {
		t.Skipf("no aws CLI that knows ivs-realtime: %v", err)
	}
	return awsCLI{t, g}
}

func (a awsCLI) run(args ...string) (stdout, stderr string, err error) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 2*time.Minute)
	defer cancel()
	var out, problems strings.Builder
	cmd := exec.CommandContext(ctx, "aws", append([]string{"ivs-realtime", "--output", "json"}, args...)...)
	cmd.Env = append(a.g.environ(), "AWS_MAX_ATTEMPTS=1")
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), problems.String(), err
}

// answer runs a command that must succeed.
func (a awsCLI) answer(args ...string) map[string]any {
	a.t.Helper()
	stdout, stderr, err := a.run(args...)
	if err != nil {
		a.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	answer := map[string]any{}
	if strings.TrimSpace(stdout) != "" { // the CLI is silent about {}
		if err := json.Unmarshal([]byte(stdout), &answer); err != nil {
			a.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, stdout)
		}
	}
	return answer
}

// refused runs a command that the gateway must refuse in these words.
func (a awsCLI) refused(words string, args ...string) {
	a.t.Helper()
	_, stderr, err := a.run(args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(stderr, words) {
		a.t.Errorf("aws %s: %v\n%s\nwant %s", strings.Join(args, " "), err, stderr, words)
	}
}

// field goes down an answer, as "stage.arn".
func field(answer map[string]any, path string) string {
	var value any = answer
	for name := range strings.SplitSeq(path, ".") {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	text, _ := value.(string)
	return text
}

// TestCLI runs every operation that stagedoor has with the real aws CLI, on a stage on which
// an encoder publishes.
func TestCLI(t *testing.T) {
	g := StartGateway(t)
	aws := newAWS(t, g)

	stage := field(aws.answer("create-stage", "--name", "test-stage", "--tags", "a=b"), "stage.arn")
	if got := field(aws.answer("get-stage", "--arn", stage), "stage.endpoints.rtmps"); got != g.Env["STAGEDOOR_RTMPS_URL"] {
		t.Errorf("the RTMPS endpoint is %q", got)
	}
	if got := field(aws.answer("update-stage", "--arn", stage, "--name", "other"), "stage.name"); got != "other" {
		t.Errorf("the name is %q", got)
	}
	list := aws.answer("list-stages", "--max-results", "1")
	if field(list, "nextToken") == "" || len(list["stages"].([]any)) != 1 {
		t.Errorf("list-stages: %v", list)
	}
	if token := field(aws.answer("create-participant-token", "--stage-arn", stage, "--user-id", "u", "--duration", "1"), "participantToken.token"); token == "" {
		t.Error("no token")
	}

	created := aws.answer("create-ingest-configuration", "--name", "test", "--stage-arn", stage, "--user-id", "123", "--ingest-protocol", "RTMPS")
	ingest, key, participant := field(created, "ingestConfiguration.arn"), field(created, "ingestConfiguration.streamKey"), field(created, "ingestConfiguration.participantId")
	encoder := PlayClip(t, Clip("pattern.flv"), g.Env["STAGEDOOR_RTMPS_URL"]+key)
	within(t, time.Minute, "the ingest configuration is ACTIVE", func() bool {
		return field(aws.answer("get-ingest-configuration", "--arn", ingest), "ingestConfiguration.state") == "ACTIVE"
	})
	if list := aws.answer("list-ingest-configurations", "--filter-by-state", "ACTIVE"); len(list["ingestConfigurations"].([]any)) != 1 {
		t.Errorf("list-ingest-configurations: %v", list)
	}
	aws.refused("(ConflictException)", "update-ingest-configuration", "--arn", ingest, "--stage-arn", "")
	aws.refused("(ConflictException)", "delete-ingest-configuration", "--arn", ingest)

	session := aws.answer("list-stage-sessions", "--stage-arn", stage)["stageSessions"].([]any)[0].(map[string]any)["sessionId"].(string)
	where := []string{"--stage-arn", stage, "--session-id", session}
	who := append(where, "--participant-id", participant)
	if field(aws.answer("get-stage", "--arn", stage), "stage.activeSessionId") != session {
		t.Error("the stage has another active session")
	}
	aws.answer(append([]string{"get-stage-session"}, where...)...)
	if list := aws.answer(append([]string{"list-participants", "--filter-by-state", "CONNECTED"}, where...)...); len(list["participants"].([]any)) != 1 {
		t.Errorf("list-participants: %v", list)
	}
	if got := field(aws.answer(append([]string{"get-participant"}, who...)...), "participant.protocol"); got != "RTMPS" {
		t.Errorf("the protocol is %q", got)
	}
	aws.answer("disconnect-participant", "--stage-arn", stage, "--participant-id", participant, "--reason", "over")
	encoder.Wait(t, 20*time.Second)
	var names []string
	for _, e := range aws.answer(append([]string{"list-participant-events"}, who...)...)["events"].([]any) {
		names = append(names, e.(map[string]any)["name"].(string))
	}
	if got := strings.Join(names, " "); got != "JOINED PUBLISH_STARTED PUBLISH_STOPPED LEFT" {
		t.Errorf("events %s", got)
	}

	if got := field(aws.answer("update-ingest-configuration", "--arn", ingest, "--stage-arn", stage), "ingestConfiguration.stageArn"); got != stage {
		t.Errorf("the configuration's stage is %q", got)
	}
	aws.answer("delete-ingest-configuration", "--arn", ingest, "--force")

	aws.answer("tag-resource", "--resource-arn", stage, "--tags", "b/c=d e")
	if tags := aws.answer("list-tags-for-resource", "--resource-arn", stage)["tags"].(map[string]any); tags["a"] != "b" || tags["b/c"] != "d e" {
		t.Errorf("tags %v", tags)
	}
	aws.answer("untag-resource", "--resource-arn", stage, "--tag-keys", "a", "b/c")
	aws.answer("delete-stage", "--arn", stage)
	aws.refused("(ResourceNotFoundException) when calling the GetStage operation: Resource: "+stage+" not found", "get-stage", "--arn", stage)
}

// TestCLIPublicKeys imports keys that openssl made.
func TestCLIPublicKeys(t *testing.T) {
	aws := newAWS(t, StartGateway(t))
	pem := func(curve string) string {
		file := filepath.Join(t.TempDir(), "priv.pem")
		if out, err := exec.Command(need(t, "openssl"), "ecparam", "-name", curve, "-genkey", "-noout", "-out", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		out, err := exec.Command("openssl", "ec", "-in", file, "-pubout").Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	key := field(aws.answer("import-public-key", "--name", "k", "--public-key-material", pem("secp384r1")), "publicKey.arn")
	aws.answer("get-public-key", "--arn", key)
	if list := aws.answer("list-public-keys"); len(list["publicKeys"].([]any)) != 1 {
		t.Errorf("list-public-keys: %v", list)
	}
	aws.refused("P-256 was sent", "import-public-key", "--public-key-material", pem("prime256v1"))
	aws.answer("delete-public-key", "--arn", key)
	aws.refused("(ResourceNotFoundException)", "get-public-key", "--arn", key)
}

// TestCLIRefusals wants AWS's own words for what is not allowed.
func TestCLIRefusals(t *testing.T) {
	g := StartGateway(t)
	aws := newAWS(t, g)
	aws.refused("(ValidationException) when calling the CreateStage operation: Value at 'name' failed to satisfy constraint", "create-stage", "--name", "bad name")
	aws.refused("(ValidationException)", "get-stage", "--arn", "not-an-arn")
	aws.refused("not available yet", "list-compositions")
	aws.refused("not available yet", "create-storage-configuration", "--s3", "bucketName=abc")
	right := g.Env["AWS_SECRET_ACCESS_KEY"]
	g.Env["AWS_SECRET_ACCESS_KEY"] = "wrong"
	aws.refused("(InvalidSignatureException)", "list-stages")
	g.Env["AWS_SECRET_ACCESS_KEY"] = right
	g.Env["AWS_ACCESS_KEY_ID"] = "AKIDNOBODY"
	aws.refused("(UnrecognizedClientException)", "list-stages")
	g.Env["AWS_ACCESS_KEY_ID"] = ""
	aws.refused("(MissingAuthenticationTokenException)", "list-stages", "--no-sign-request")
}

// TestControlPlaneScript runs the script that the documentation gives.
func TestControlPlaneScript(t *testing.T) {
	g := StartGateway(t)
	newAWS(t, g)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(root(), "examples", "control-plane.sh"))
	cmd.Env = g.environ()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"PUBLISH_STOPPED"`) || !strings.Contains(string(out), "the show is over") {
		t.Errorf("%v\n%s", err, out)
	}
}
