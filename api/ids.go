package api

import (
	"crypto/rand"
	"fmt"

	"github.com/stagedoor/stagedoor/stage"
)

// NewStageARN makes the ARN of a stage.
func NewStageARN(region, account string) string {
	return newARN(region, account, "stage", stage.NewID(12))
}

// NewIngestConfigurationARN makes the ARN of an ingest configuration.
func NewIngestConfigurationARN(region, account string) string {
	return newARN(region, account, "ingest-configuration", stage.NewID(12))
}

func newPublicKeyARN(region, account string) string {
	return newARN(region, account, "public-key", newRequestID())
}

func newARN(region, account, kind, id string) string {
	return "arn:aws:ivs:" + region + ":" + account + ":" + kind + "/" + id
}

// NewCredential makes a participant's id and its stream key, rt_[account]_[region]_[id]_[secret].
// The secret has 32 letters and digits: 190 bits, and nothing that a URL or a shell would
// have quoted.
func NewCredential(region, account string) stage.Credential {
	return stage.Credential{
		ParticipantID: stage.NewID(12),
		StreamKey:     "rt_" + account + "_" + region + "_" + stage.NewID(12) + "_" + stage.NewID(32),
	}
}

// newRequestID makes a random UUID (RFC 9562, section 5.4).
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
