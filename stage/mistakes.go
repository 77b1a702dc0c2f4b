package stage

import (
	"time"

	"golang.org/x/time/rate"
)

// mistakes bounds how many error events one participant can cause: whoever holds a token
// could otherwise fill the store. It is guarded by Registry.mu.
type mistakes struct {
	byParticipant map[string]*rate.Limiter
}

const (
	mistakesAtOnce   = 20
	mistakesEvery    = 10 * time.Second // one more
	maxMistakeTakers = 10_000
)

func newMistakes() *mistakes { return &mistakes{byParticipant: make(map[string]*rate.Limiter)} }

// record says whether one more error event of the participant is to be recorded.
func (m *mistakes) record(participantID string) bool {
	limiter := m.byParticipant[participantID]
	if limiter == nil {
		if len(m.byParticipant) >= maxMistakeTakers {
			clear(m.byParticipant)
		}
		limiter = rate.NewLimiter(rate.Every(mistakesEvery), mistakesAtOnce)
		m.byParticipant[participantID] = limiter
	}
	return limiter.Allow()
}
