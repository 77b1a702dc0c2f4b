package api

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/stage"
)

// newARN makes an ARN such as arn:aws:ivs:us-east-1:000000000000:stage/VSWjvX5X0kU3.
func (a *API) newARN(kind, id string) string {
	return "arn:aws:ivs:" + a.o.Region + ":" + a.o.Account + ":" + kind + "/" + id
}

// newCredential makes a participant's id and its stream key, rt_[account]_[region]_[id]_[secret]
// with the ingest configuration's id. The secret has 32 letters and digits: 190 bits, and
// nothing that a URL or a shell would have quoted.
func (a *API) newCredential(configurationARN string) stage.Credential {
	_, id, _ := strings.Cut(configurationARN, "/")
	return stage.Credential{
		ParticipantID: stage.NewID(12),
		StreamKey:     "rt_" + a.o.Account + "_" + a.o.Region + "_" + id + "_" + stage.NewID(32),
	}
}

// newUUID makes a random UUID (RFC 9562, section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
