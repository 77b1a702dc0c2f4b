package stage

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// Publication is one admitted publisher's place on a stage. It is the ingest.Sink at the
// end of the pipeline: its first write joins the stage, so that nobody sees a stream that
// the rules have not let through yet.
type Publication struct {
	registry *Registry
	request  ingest.Request
	record   ParticipantRecord // as admitted
	member   *member
	number   int       // the order of arrival
	since    time.Time // of admission

	next    ingest.Sink // nil until the stage is joined
	onStage bool        // guarded by Registry.mu: PUBLISH_STARTED was recorded
	retired bool        // guarded by Registry.mu: the place is given up

	ended  atomic.Pointer[ingest.Rejection] // why the next write is refused
	media  atomic.Int64                     // when media last arrived, Unix nanoseconds
	health atomic.Pointer[ingest.Health]
}

// WriteVideo passes a picture to the stage. It gives a *ingest.Rejection where the
// publication was ended from elsewhere.
func (p *Publication) WriteVideo(unit *ingest.AccessUnit) error {
	if err := p.enter(); err != nil {
		return err
	}
	return p.next.WriteVideo(unit)
}

// WriteAudio passes an audio frame to the stage, as WriteVideo does a picture.
func (p *Publication) WriteAudio(frame *ingest.AudioFrame) error {
	if err := p.enter(); err != nil {
		return err
	}
	return p.next.WriteAudio(frame)
}

// Observe takes the publisher's latest figures, for the page, the API and the metrics.
func (p *Publication) Observe(h ingest.Health) { p.health.Store(&h) }

// ParticipantID gives the participant that the publisher is.
func (p *Publication) ParticipantID() string { return p.record.ParticipantID }

// StageARN gives the stage.
func (p *Publication) StageARN() string { return p.record.StageARN }

func (p *Publication) touch() { p.media.Store(time.Now().UnixNano()) }

func (p *Publication) lastMedia() time.Time { return time.Unix(0, p.media.Load()) }

func (p *Publication) enter() error {
	if why := p.ended.Load(); why != nil {
		return why
	}
	p.touch()
	if p.next != nil {
		return nil
	}
	next, err := p.registry.o.Backend.Join(context.Background(), Participant{
		StageARN: p.StageARN(), ID: p.ParticipantID(), SessionID: p.record.SessionID,
		UserID: p.record.UserID, Attributes: p.record.Attributes, Protocol: p.request.Protocol,
		RequestKeyframe: p.request.RequestKeyframe,
	})
	if err != nil {
		return err
	}
	p.next = next
	return p.registry.started(p)
}

// started records that the publication is on stage.
func (r *Registry) started(p *Publication) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.retired {
		return p.ended.Load()
	}
	p.onStage = true
	p.member.record.Published = true
	r.journal.record(Entry{Participant: copyOf(p.member.record)})
	r.event(p.member.live, Event{ParticipantID: p.ParticipantID(), Name: PublishStarted})
	r.changed(p.StageARN())
	r.o.Log.Info("participant on stage", "stage", p.StageARN(), "participant", p.ParticipantID(), "protocol", p.request.Protocol)
	return nil
}

// Close leaves the stage. A Rejection as reason is remembered, shown on the page and
// recorded as PUBLISH_ERROR.
func (p *Publication) Close(reason error) error {
	var err error
	if p.next != nil {
		err = p.next.Close(reason)
	}
	r := p.registry
	var rejection *ingest.Rejection
	if errors.As(reason, &rejection) && rejection.Code != ingest.Disconnected && p.ended.Load() == nil {
		if !rejection.Told {
			r.refusals.remember(p.request.Secret, rejection, time.Now())
		}
		r.refuse(p.request, p.record, rejection)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retire(p, nil)
	r.leaveIfGone(p.member)
	r.changed(p.StageARN())
	return err
}

// retire gives up a publication's place; why refuses what it still writes. r.mu is held.
func (r *Registry) retire(p *Publication, why *ingest.Rejection) {
	if p.retired {
		return
	}
	p.retired = true
	if why != nil {
		p.ended.Store(why)
	}
	if p.member.publication == p {
		p.member.publication = nil
	}
	if p.onStage {
		r.event(p.member.live, Event{ParticipantID: p.ParticipantID(), Name: PublishStopped})
	}
}
