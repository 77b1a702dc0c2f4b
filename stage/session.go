package stage

import (
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// liveStage is a stage with a live session. It is guarded by Registry.mu.
type liveStage struct {
	session Session
	members map[string]*member // everybody connected, by participant id
	linger  *time.Timer        // ends the session; nil while somebody is connected
	viewers int                // members that watch
	arrived int                // counts publishers, for their order on the page
}

// member is a connected participant. It is guarded by Registry.mu.
type member struct {
	live        *liveStage
	record      ParticipantRecord
	publication *Publication
	viewings    map[string]*viewing // by the participant watched
}

// open gives the stage's live session and starts one where there is none. r.mu is held.
func (r *Registry) open(stageARN string) *liveStage {
	if live := r.stages[stageARN]; live != nil {
		return live
	}
	live := &liveStage{
		session: Session{StageARN: stageARN, ID: "st-" + NewID(13), Start: time.Now()},
		members: make(map[string]*member),
	}
	r.stages[stageARN] = live
	r.journal.record(Entry{Session: copyOf(live.session)})
	return live
}

// join makes a participant a member of the session. r.mu is held.
func (r *Registry) join(live *liveStage, record ParticipantRecord) *member {
	if live.linger != nil {
		live.linger.Stop()
		live.linger = nil
	}
	m := live.members[record.ParticipantID]
	if m != nil {
		return m
	}
	record.StageARN, record.SessionID = live.session.StageARN, live.session.ID
	record.Connected, record.FirstJoin = true, time.Now()
	m = &member{live: live, record: record, viewings: make(map[string]*viewing)}
	live.members[record.ParticipantID] = m
	r.journal.record(Entry{Participant: copyOf(m.record)})
	r.event(live, Event{ParticipantID: record.ParticipantID, Name: Joined})
	return m
}

// leaveIfGone ends a membership that neither publishes nor watches any more. r.mu is held.
func (r *Registry) leaveIfGone(m *member) {
	live := m.live
	if m.publication != nil || len(m.viewings) > 0 || live.members[m.record.ParticipantID] != m {
		return
	}
	delete(live.members, m.record.ParticipantID)
	m.record.Connected = false
	r.event(live, Event{ParticipantID: m.record.ParticipantID, Name: Left})
	r.journal.record(Entry{Participant: copyOf(m.record)})
	r.lingerIfEmpty(live)
}

// lingerIfEmpty starts the wait after which an empty session ends. r.mu is held.
func (r *Registry) lingerIfEmpty(live *liveStage) {
	if len(live.members) > 0 || live.linger != nil {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(r.o.SessionLinger, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		// A participant who came back stopped the timer, perhaps while it fired.
		if live.linger == timer {
			r.endSession(live)
		}
	})
	live.linger = timer
}

// endSession closes a session, and whoever is still connected to it. r.mu is held.
func (r *Registry) endSession(live *liveStage) {
	if r.stages[live.session.StageARN] != live {
		return
	}
	for _, m := range live.members {
		r.expel(m, shuttingDown)
	}
	if live.linger != nil {
		live.linger.Stop()
		live.linger = nil
	}
	delete(r.stages, live.session.StageARN)
	live.session.End = time.Now()
	r.journal.record(Entry{Session: copyOf(live.session)})
	r.changed(live.session.StageARN)
}

// expel ends a member's publication and gives its subscriptions, which the caller closes
// once r.mu, which is held, is free.
func (r *Registry) expel(m *member, why *ingest.Rejection) []Subscription {
	if m.publication != nil {
		r.retire(m.publication, why)
	}
	var subscriptions []Subscription
	for _, v := range m.viewings {
		if v.subscription != nil {
			subscriptions = append(subscriptions, v.subscription)
		}
		r.stopViewing(m, v)
	}
	r.leaveIfGone(m)
	r.changed(m.live.session.StageARN)
	return subscriptions
}

// event records what happened to a participant now. r.mu is held, so that events are in
// the order of what they tell.
func (r *Registry) event(live *liveStage, e Event) {
	e.StageARN, e.SessionID, e.Time = live.session.StageARN, live.session.ID, time.Now()
	r.journal.record(Entry{Event: &e})
}

func copyOf[T any](v T) *T { return &v }
