package stage

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// viewing is one subscription of a member. It is guarded by Registry.mu.
type viewing struct {
	remote       string       // the participant watched
	subscription Subscription // nil until the offer is answered
	over         bool
	limit        *time.Timer // ends it after Options.MaxWatch
}

// Watch lets a viewer in and answers its offer; see the type Watch for its errors. One
// token watches one participant once at a time: a newer subscription replaces the older.
func (r *Registry) Watch(ctx context.Context, req WatchRequest) (Subscription, error) {
	claims, err := r.verify(ctx, req.Token)
	if err != nil {
		return nil, err
	}
	if !claims.Allows(CanSubscribe) {
		return nil, ingest.Rejectf(ingest.InsufficientCapabilities, "The token allows PUBLISH only; to watch it needs SUBSCRIBE. Make one with CreateParticipantToken --capabilities SUBSCRIBE.")
	}
	if r.o.Audience == nil {
		return nil, &BadOffer{Detail: "This gateway's stages live elsewhere; viewers cannot watch here. Watch on the LiveKit room or the stage that this gateway relays to."}
	}
	record := ParticipantRecord{ParticipantID: claims.ParticipantID, UserID: claims.UserID, Attributes: claims.Attributes}
	record.BrowserName, record.BrowserVersion, record.OSName, record.OSVersion = describeUserAgent(req.UserAgent)
	if claims.Shared {
		record.ParticipantID += "-" + NewID(6)
	}
	m, v, err := r.startViewing(claims.StageARN, req.ParticipantID, record)
	if err != nil {
		return nil, err
	}
	subscription, err := r.o.Audience.Subscribe(ctx, Offer{
		StageARN: claims.StageARN, ParticipantID: req.ParticipantID, ViewerID: m.record.ParticipantID, SDP: req.SDP,
		Ended: func(reason string) {
			r.viewingEnded(m, v, reason)
			if req.Ended != nil {
				req.Ended(reason)
			}
		},
	})
	if err != nil {
		r.viewingEnded(m, v, err.Error())
		return nil, err
	}
	if !r.viewingStarted(m, v, subscription) {
		_ = subscription.Close()
		return nil, ErrNotPublishing
	}
	return subscription, nil
}

// startViewing reserves a viewer's place.
func (r *Registry) startViewing(stageARN, remote string, record ParticipantRecord) (*member, *viewing, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	live := r.stages[stageARN]
	if live == nil || r.closed {
		return nil, nil, ErrNotPublishing
	}
	existing := live.members[record.ParticipantID]
	if watched := live.members[remote]; watched == nil || watched.publication == nil || !watched.publication.onStage {
		if existing != nil && r.mistakes.record(record.ParticipantID) {
			r.event(live, Event{ParticipantID: record.ParticipantID, Name: SubscribeError, RemoteParticipantID: remote, Code: ingest.PublisherNotFound})
		}
		return nil, nil, ErrNotPublishing
	}
	if live.viewers >= r.o.MaxSubscribers && (existing == nil || len(existing.viewings) == 0) {
		return nil, nil, ingest.Rejectf(ingest.QuotaExceeded, "%d participants watch the stage already; at most %d are allowed. Try again later.", live.viewers, r.o.MaxSubscribers)
	}
	m := r.join(live, record)
	if former := m.viewings[remote]; former != nil {
		r.stopViewing(m, former)
		if former.subscription != nil {
			r.inBackground(func() { _ = former.subscription.Close() })
		}
	}
	if len(m.viewings) == 0 {
		live.viewers++
	}
	v := &viewing{remote: remote}
	m.viewings[remote] = v
	return m, v, nil
}

// viewingStarted records a subscription; it gives false where it has ended already.
func (r *Registry) viewingStarted(m *member, v *viewing, s Subscription) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v.over {
		return false
	}
	v.subscription = s
	v.limit = time.AfterFunc(r.o.MaxWatch, func() { _ = s.Close() })
	r.event(m.live, Event{ParticipantID: m.record.ParticipantID, Name: SubscribeStarted, RemoteParticipantID: v.remote})
	r.changed(m.live.session.StageARN)
	return true
}

// viewingEnded is called by the backend when a subscription is over, or never came to be.
func (r *Registry) viewingEnded(m *member, v *viewing, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v.over {
		return
	}
	stageARN := m.live.session.StageARN
	r.o.Log.Info("viewer left", "stage", stageARN, "participant", v.remote, "viewer", m.record.ParticipantID, "reason", reason)
	r.stopViewing(m, v)
	r.leaveIfGone(m)
	r.changed(stageARN)
}

// stopViewing gives up a viewer's place. r.mu is held.
func (r *Registry) stopViewing(m *member, v *viewing) {
	if v.over {
		return
	}
	v.over = true
	delete(m.viewings, v.remote)
	if len(m.viewings) == 0 {
		m.live.viewers--
	}
	if v.subscription != nil {
		v.limit.Stop()
		r.event(m.live, Event{ParticipantID: m.record.ParticipantID, Name: SubscribeStopped, RemoteParticipantID: v.remote})
	}
}

// inBackground runs what may wait for a goroutine that wants r.mu; Close waits for it.
// r.mu is held.
func (r *Registry) inBackground(f func()) {
	r.background.Go(f)
}
