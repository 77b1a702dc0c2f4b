// Package storetest is the one suite that every backend of stagedoor's state passes.
package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
	"github.com/stagedoor/stagedoor/stage"
	"github.com/stagedoor/stagedoor/store"
)

// Run runs the suite. open gives a store that is empty; the suite closes it.
func Run(t *testing.T, open func(*testing.T) store.Store) {
	suite := []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"Stages", stages},
		{"DeleteStageDetaches", deleteStageDetaches},
		{"IngestConfigurations", ingestConfigurations},
		{"IngestConfigurationUpdate", ingestConfigurationUpdate},
		{"DetachParticipant", detachParticipant},
		{"PublicKeys", publicKeys},
		{"Tags", tags},
		{"Revoke", revoke},
		{"Secret", secret},
		{"PagesUnderInserts", pagesUnderInserts},
		{"ConcurrentQuota", concurrentQuota},
		{"Sessions", sessions},
		{"Participants", participants},
		{"Events", events},
		{"RecordIsAllOrNothing", recordIsAllOrNothing},
		{"Recover", recoverJournal},
		{"Prune", prune},
		{"Outbox", outbox},
	}
	for _, s := range suite {
		t.Run(s.name, func(t *testing.T) {
			st := open(t)
			t.Cleanup(func() {
				if err := st.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			s.test(t, st)
		})
	}
}

// The suite's own resources. when is a time with nanoseconds, in UTC as stores give it.
var when = time.Date(2026, 2, 3, 4, 5, 6, 789012345, time.UTC)

func aStage(n int) stage.Stage {
	return stage.Stage{
		ARN:     fmt.Sprintf("arn:aws:ivs:eu-west-1:000000000001:stage/Stage%07d", n),
		Name:    fmt.Sprintf("stage-%d", n),
		Tags:    map[string]string{"n": fmt.Sprint(n), "ünï": "\"'\x00"},
		Created: when.Add(time.Duration(n) * time.Second),
	}
}

func anIngest(n int, stageARN string) stage.IngestConfiguration {
	return stage.IngestConfiguration{
		ARN:        fmt.Sprintf("arn:aws:ivs:eu-west-1:000000000001:ingest-configuration/Ingest%06d", n),
		Name:       "camera",
		StageARN:   stageARN,
		UserID:     "jürgen",
		Attributes: map[string]string{"seat": "1"},
		Protocol:   ingest.RTMPS,
		Insecure:   n%2 == 1,
		Credentials: []stage.Credential{{
			ParticipantID: fmt.Sprintf("Part%08d", n),
			StreamKey:     fmt.Sprintf("rt_000000000001_eu-west-1_Ingest%06d_secret", n),
		}},
		Tags:    map[string]string{},
		Created: when,
	}
}

func aKey(n int) stage.PublicKey {
	return stage.PublicKey{
		ARN:         fmt.Sprintf("arn:aws:ivs:eu-west-1:000000000001:public-key/%d", n),
		Name:        "key",
		Material:    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		Fingerprint: fmt.Sprintf("00:%02d", n),
		Tags:        map[string]string{"a": "b"},
		Created:     when,
	}
}
