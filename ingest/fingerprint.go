package ingest

import (
	"crypto/sha256"
	"encoding/hex"
)

// Fingerprint gives eight hexadecimal digits by which a secret can be recognised in logs
// and on pages without being revealed.
func Fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:4])
}
