package stage

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// Options are what a Registry works with. Zero durations and quotas take the default.
type Options struct {
	Store    Store
	Journal  Journal
	Backend  Backend
	Audience Audience // nil where viewers watch elsewhere
	Tokens   *Tokens
	Log      *slog.Logger
	// Delay gives how long work waits for a processor, and whether that is too long to let
	// another publisher in; nil: nobody is refused for it.
	Delay func() (time.Duration, bool)

	MaxPublishers  int           // per stage; default 12
	MaxSubscribers int           // per stage; default 10,000
	SilentAfter    time.Duration // a connection without media for so long may be taken over; default 3 s
	RefusalMemory  time.Duration // how long a refused secret is answered from memory; default 5 s
	SessionLinger  time.Duration // how long a session outlives its last participant; default 3 min
	MaxWatch       time.Duration // how long a viewer may stay; default 24 h
}

func (o *Options) setDefaults() {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&o.SilentAfter, 3*time.Second)
	set(&o.RefusalMemory, 5*time.Second)
	set(&o.SessionLinger, 3*time.Minute)
	set(&o.MaxWatch, 24*time.Hour)
	if o.MaxPublishers == 0 {
		o.MaxPublishers = 12
	}
	if o.MaxSubscribers == 0 {
		o.MaxSubscribers = 10_000
	}
}

// Registry knows who is on which stage. It admits publishers and viewers, and writes
// sessions, participants and events into the journal. Its methods may be called from any
// goroutine.
type Registry struct {
	o        Options
	journal  *journalWriter
	refusals *refusals

	mu         sync.Mutex
	stages     map[string]*liveStage               // by ARN, those with a live session
	followers  map[string]map[chan struct{}]string // by stage ARN: what wakes those who follow it, and who they are
	mistakes   *mistakes
	closed     bool
	stop       chan struct{}  // closed by Close
	background sync.WaitGroup // goroutines that Close waits for
}

// NewRegistry makes a Registry and starts its journal. What a former process left open in
// the journal is closed first.
func NewRegistry(ctx context.Context, o Options) (*Registry, error) {
	o.setDefaults()
	if err := o.Journal.Recover(ctx, time.Now()); err != nil {
		return nil, err
	}
	return &Registry{
		o: o, journal: startJournal(o.Journal, o.Log), refusals: newRefusals(o.RefusalMemory),
		stages: make(map[string]*liveStage), followers: make(map[string]map[chan struct{}]string),
		mistakes: newMistakes(), stop: make(chan struct{}),
	}, nil
}

// Close ends every session in the journal and waits for its goroutines. Publishers and
// viewers are to be closed before, by the servers that hold them.
func (r *Registry) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	close(r.stop)
	for _, live := range r.stages {
		r.endSession(live)
	}
	r.mu.Unlock()
	r.background.Wait()
	r.journal.close()
}

// Flush waits until everything that has happened so far is in the journal.
func (r *Registry) Flush(ctx context.Context) error { return r.journal.flush(ctx) }

// ActiveSession gives the id of a stage's live session, or nothing.
func (r *Registry) ActiveSession(stageARN string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if live := r.stages[stageARN]; live != nil {
		return live.session.ID
	}
	return ""
}

// Refusals gives how often publishers were refused or ended by a rule, by code.
func (r *Registry) Refusals() map[string]int {
	r.refusals.mu.Lock()
	defer r.refusals.mu.Unlock()
	return maps.Clone(r.refusals.counts)
}

// Publishing says whether a participant holds a publisher's connection to the stage.
func (r *Registry) Publishing(stageARN, participantID string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	live := r.stages[stageARN]
	if live == nil {
		return false
	}
	m := live.members[participantID]
	return m != nil && m.publication != nil
}

// Disconnect ends a participant's presence, as publisher, viewer and follower, and refuses its
// token from now on. It gives ErrNotFound where the participant is not connected; the token
// is refused even then.
func (r *Registry) Disconnect(ctx context.Context, stageARN, participantID, reason string) error {
	if err := r.o.Store.Revoke(ctx, stageARN, participantID, time.Now().Add(maxTokenLifetime)); err != nil {
		return err
	}
	r.mu.Lock()
	r.dismiss(stageARN, participantID)
	live := r.stages[stageARN]
	if live == nil || live.members[participantID] == nil {
		r.mu.Unlock()
		return ErrNotFound
	}
	subscriptions := r.expel(live.members[participantID], disconnectedBy("DisconnectParticipant", reason))
	r.mu.Unlock()
	closeAll(subscriptions)
	return r.o.Backend.Disconnect(ctx, stageARN, participantID)
}

// CloseStage ends the presence of everybody on a stage, and its session.
func (r *Registry) CloseStage(ctx context.Context, stageARN, reason string) error {
	r.mu.Lock()
	r.dismiss(stageARN, "")
	live := r.stages[stageARN]
	if live == nil {
		r.mu.Unlock()
		return nil
	}
	var subscriptions []Subscription
	var publishers []string
	for id, m := range live.members {
		if m.publication != nil {
			publishers = append(publishers, id)
		}
		subscriptions = append(subscriptions, r.expel(m, disconnectedBy("DeleteStage", reason))...)
	}
	r.endSession(live)
	r.mu.Unlock()
	closeAll(subscriptions)
	var first error
	for _, id := range publishers {
		if err := r.o.Backend.Disconnect(ctx, stageARN, id); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func disconnectedBy(operation, reason string) *ingest.Rejection {
	detail := "The operator ended this connection (" + operation + ")"
	if reason != "" {
		detail += ": " + reason
	}
	return &ingest.Rejection{Code: ingest.Disconnected, Detail: detail + ". Ask the operator for a new key or token before you start again."}
}

func closeAll(subscriptions []Subscription) {
	for _, s := range subscriptions {
		_ = s.Close()
	}
}
