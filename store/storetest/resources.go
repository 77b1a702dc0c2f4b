package storetest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
)

const plenty = 1000

func stages(t *testing.T, s store.Store) {
	ctx := context.Background()
	_, err := s.Stage(ctx, aStage(1).ARN)
	wantErr(t, err, stage.ErrNotFound)
	must(t, s.CreateStage(ctx, aStage(1), 2))
	must(t, s.CreateStage(ctx, aStage(2), 2))
	wantErr(t, s.CreateStage(ctx, aStage(3), 2), stage.ErrLimit)
	if err := s.CreateStage(ctx, aStage(2), plenty); err == nil {
		t.Fatal("the same ARN was stored twice")
	}
	got, err := s.Stage(ctx, aStage(2).ARN)
	must(t, err)
	want(t, got, aStage(2))

	renamed, err := s.RenameStage(ctx, aStage(2).ARN, "other")
	must(t, err)
	expect := aStage(2)
	expect.Name = "other"
	want(t, renamed, expect)
	got, err = s.Stage(ctx, aStage(2).ARN)
	must(t, err)
	want(t, got, expect)
	_, err = s.RenameStage(ctx, aStage(9).ARN, "x")
	wantErr(t, err, stage.ErrNotFound)

	must(t, s.DeleteStage(ctx, aStage(1).ARN))
	wantErr(t, s.DeleteStage(ctx, aStage(1).ARN), stage.ErrNotFound)
	page, next, err := s.Stages(ctx, 0, plenty)
	must(t, err)
	want(t, next, int64(0))
	want(t, page, []stage.Stage{expect})
}

func deleteStageDetaches(t *testing.T, s store.Store) {
	ctx := context.Background()
	must(t, s.CreateStage(ctx, aStage(1), plenty))
	must(t, s.CreateStage(ctx, aStage(2), plenty))
	must(t, s.CreateIngestConfiguration(ctx, anIngest(1, aStage(1).ARN), plenty))
	must(t, s.CreateIngestConfiguration(ctx, anIngest(2, aStage(2).ARN), plenty))
	must(t, s.DeleteStage(ctx, aStage(1).ARN))
	for n, stageARN := range map[int]string{1: "", 2: aStage(2).ARN} {
		c, err := s.IngestConfiguration(ctx, anIngest(n, "").ARN)
		must(t, err)
		want(t, c.StageARN, stageARN)
	}
}

func ingestConfigurations(t *testing.T, s store.Store) {
	ctx := context.Background()
	wantErr(t, s.CreateIngestConfiguration(ctx, anIngest(1, aStage(1).ARN), plenty), stage.ErrNotFound)
	must(t, s.CreateStage(ctx, aStage(1), plenty))
	must(t, s.CreateIngestConfiguration(ctx, anIngest(1, aStage(1).ARN), 2))
	must(t, s.CreateIngestConfiguration(ctx, anIngest(2, ""), 2))
	wantErr(t, s.CreateIngestConfiguration(ctx, anIngest(3, ""), 2), stage.ErrLimit)

	got, err := s.IngestConfiguration(ctx, anIngest(1, "").ARN)
	must(t, err)
	want(t, got, anIngest(1, aStage(1).ARN))
	got, err = s.IngestConfigurationByStreamKey(ctx, anIngest(2, "").Credentials[0].StreamKey)
	must(t, err)
	want(t, got, anIngest(2, ""))
	for _, unknown := range []string{"", "rt_", anIngest(2, "").Credentials[0].StreamKey + " ", "RT_000000000001_eu-west-1_Ingest000002_secret"} {
		_, err = s.IngestConfigurationByStreamKey(ctx, unknown)
		wantErr(t, err, stage.ErrNotFound)
	}

	onStage := func(c stage.IngestConfiguration) bool { return c.StageARN == "" }
	page, next, err := s.IngestConfigurations(ctx, onStage, 0, plenty)
	must(t, err)
	want(t, next, int64(0))
	want(t, page, []stage.IngestConfiguration{anIngest(2, "")})

	must(t, s.DeleteIngestConfiguration(ctx, anIngest(1, "").ARN))
	wantErr(t, s.DeleteIngestConfiguration(ctx, anIngest(1, "").ARN), stage.ErrNotFound)
	_, err = s.IngestConfigurationByStreamKey(ctx, anIngest(1, "").Credentials[0].StreamKey)
	wantErr(t, err, stage.ErrNotFound)
}

func ingestConfigurationUpdate(t *testing.T, s store.Store) {
	ctx := context.Background()
	must(t, s.CreateStage(ctx, aStage(1), plenty))
	c := anIngest(1, "")
	must(t, s.CreateIngestConfiguration(ctx, c, plenty))

	c.StageARN, c.Redundant = aStage(1).ARN, true
	c.Credentials = append(c.Credentials, stage.Credential{ParticipantID: "Backup000001", StreamKey: "rt_1_x_y_backup"})
	must(t, s.UpdateIngestConfiguration(ctx, c))
	for _, credential := range c.Credentials {
		got, err := s.IngestConfigurationByStreamKey(ctx, credential.StreamKey)
		must(t, err)
		want(t, got, c)
	}

	unknown := c
	unknown.StageARN = aStage(7).ARN
	wantErr(t, s.UpdateIngestConfiguration(ctx, unknown), stage.ErrNotFound)
	c.StageARN, c.Redundant, c.Credentials = "", false, c.Credentials[:1]
	must(t, s.UpdateIngestConfiguration(ctx, c))
	got, err := s.IngestConfiguration(ctx, c.ARN)
	must(t, err)
	want(t, got, c)
	_, err = s.IngestConfigurationByStreamKey(ctx, "rt_1_x_y_backup")
	wantErr(t, err, stage.ErrNotFound)
	wantErr(t, s.UpdateIngestConfiguration(ctx, anIngest(9, "")), stage.ErrNotFound)
}

func detachParticipant(t *testing.T, s store.Store) {
	ctx := context.Background()
	must(t, s.CreateStage(ctx, aStage(1), plenty))
	c := anIngest(1, aStage(1).ARN)
	must(t, s.CreateIngestConfiguration(ctx, c, plenty))
	participant := c.Credentials[0].ParticipantID
	for _, step := range []struct {
		stageARN, participant string
		want                  bool
	}{
		{aStage(2).ARN, participant, false},
		{aStage(1).ARN, "nobody", false},
		{aStage(1).ARN, participant, true},
		{aStage(1).ARN, participant, false},
	} {
		got, err := s.DetachParticipant(ctx, step.stageARN, step.participant)
		must(t, err)
		want(t, got, step.want)
	}
	got, err := s.IngestConfiguration(ctx, c.ARN)
	must(t, err)
	want(t, got.StageARN, "")
}

func publicKeys(t *testing.T, s store.Store) {
	ctx := context.Background()
	must(t, s.ImportPublicKey(ctx, aKey(1), 2))
	must(t, s.ImportPublicKey(ctx, aKey(2), 2))
	wantErr(t, s.ImportPublicKey(ctx, aKey(3), 2), stage.ErrLimit)
	again := aKey(4)
	again.Fingerprint = aKey(1).Fingerprint
	wantErr(t, s.ImportPublicKey(ctx, again, plenty), stage.ErrExists)

	got, err := s.PublicKey(ctx, aKey(1).ARN)
	must(t, err)
	want(t, got, aKey(1))
	must(t, s.DeletePublicKey(ctx, aKey(1).ARN))
	wantErr(t, s.DeletePublicKey(ctx, aKey(1).ARN), stage.ErrNotFound)
	_, err = s.PublicKey(ctx, aKey(1).ARN)
	wantErr(t, err, stage.ErrNotFound)
	page, next, err := s.PublicKeys(ctx, 0, plenty)
	must(t, err)
	want(t, next, int64(0))
	want(t, page, []stage.PublicKey{aKey(2)})
}

func tags(t *testing.T, s store.Store) {
	ctx := context.Background()
	must(t, s.CreateStage(ctx, aStage(1), plenty))
	must(t, s.CreateIngestConfiguration(ctx, anIngest(1, ""), plenty))
	must(t, s.ImportPublicKey(ctx, aKey(1), plenty))
	for _, arn := range []string{aStage(1).ARN, anIngest(1, "").ARN, aKey(1).ARN} {
		before, err := s.Tags(ctx, arn)
		must(t, err)
		must(t, s.Tag(ctx, arn, map[string]string{"a": "2", "new": ""}, len(before)+2))
		wantErr(t, s.Tag(ctx, arn, map[string]string{"one": "", "more": ""}, len(before)+1), stage.ErrLimit)
		must(t, s.Untag(ctx, arn, []string{"new", "nothing", "n", "ünï"}))
		got, err := s.Tags(ctx, arn)
		must(t, err)
		want(t, got, map[string]string{"a": "2"})
	}
	for _, arn := range []string{"", "x", aStage(2).ARN, "arn:aws:ivs:eu-west-1:000000000001:composition/x"} {
		_, err := s.Tags(ctx, arn)
		wantErr(t, err, stage.ErrNotFound)
		wantErr(t, s.Tag(ctx, arn, map[string]string{"a": "b"}, plenty), stage.ErrNotFound)
		wantErr(t, s.Untag(ctx, arn, []string{"a"}), stage.ErrNotFound)
	}
}

func revoke(t *testing.T, s store.Store) {
	ctx := context.Background()
	must(t, s.Revoke(ctx, aStage(1).ARN, "p", when))
	must(t, s.Revoke(ctx, aStage(1).ARN, "p", when.Add(-time.Hour))) // does not shorten
	must(t, s.Prune(ctx, when.Add(-time.Minute)))
	for _, c := range []struct {
		stageARN, participant string
		want                  bool
	}{{aStage(1).ARN, "p", true}, {aStage(2).ARN, "p", false}, {aStage(1).ARN, "q", false}} {
		got, err := s.Revoked(ctx, c.stageARN, c.participant)
		must(t, err)
		want(t, got, c.want)
	}
}

func secret(t *testing.T, s store.Store) {
	ctx := context.Background()
	a, err := s.Secret(ctx, "a", 32)
	must(t, err)
	again, err := s.Secret(ctx, "a", 32)
	must(t, err)
	b, err := s.Secret(ctx, "b", 32)
	must(t, err)
	if len(a) != 32 || !bytes.Equal(a, again) || bytes.Equal(a, b) || bytes.Equal(a, make([]byte, 32)) {
		t.Fatalf("secrets %x %x %x", a, again, b)
	}
}

func pagesUnderInserts(t *testing.T, s store.Store) {
	ctx := context.Background()
	for n := range 10 {
		must(t, s.CreateStage(ctx, aStage(n), plenty))
	}
	fresh := 10
	got := pages(t, 3, func() {
		must(t, s.CreateStage(ctx, aStage(fresh), plenty))
		must(t, s.DeleteStage(ctx, aStage(fresh-10).ARN)) // one that was read already
		fresh++
	}, func(after int64, limit int) ([]stage.Stage, int64, error) { return s.Stages(ctx, after, limit) })
	for n, st := range got {
		want(t, st, aStage(n))
	}
	if len(got) < 10 {
		t.Fatalf("%d stages", len(got))
	}
}

// concurrentQuota has many goroutines race for the last places.
func concurrentQuota(t *testing.T, s store.Store) {
	ctx := context.Background()
	var created, refused sync.Map
	var wg sync.WaitGroup
	for n := range 16 {
		wg.Go(func() {
			switch err := s.CreateStage(ctx, aStage(n), 5); {
			case err == nil:
				created.Store(n, true)
			case errors.Is(err, stage.ErrLimit):
				refused.Store(n, true)
			default:
				t.Errorf("create: %v", err)
			}
		})
	}
	wg.Wait()
	all, _, err := s.Stages(ctx, 0, plenty)
	must(t, err)
	want(t, []int{len(all), size(&created), size(&refused)}, []int{5, 5, 11})
}

func size(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}
