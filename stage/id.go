package stage

import "crypto/rand"

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// NewID makes n random letters and digits. Stage ids and participant ids have 12 of them.
func NewID(n int) string {
	id := make([]byte, 0, n)
	buf := make([]byte, n)
	for len(id) < n {
		_, _ = rand.Read(buf) // never fails (crypto/rand, since Go 1.24)
		for _, b := range buf {
			// 248 is the largest multiple of 62 in a byte: no letter is likelier than another.
			if b < 248 && len(id) < n {
				id = append(id, alphanumeric[b%62])
			}
		}
	}
	return string(id)
}
