package stage

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/ingest"
)

// streamKeyPrefix begins every stream key, and no token.
const streamKeyPrefix = "rt_"

// Admit decides whether a publisher may enter, and reserves its place. The publication that
// it gives joins the stage at its first write. Every refusal is a *ingest.Rejection.
func (r *Registry) Admit(ctx context.Context, req ingest.Request) (*Publication, error) {
	if rejection := r.refusals.recall(req.Secret, time.Now()); rejection != nil {
		return nil, rejection
	}
	record, err := r.identify(ctx, req)
	var p *Publication
	if err == nil {
		err = r.roomForOneMore()
	}
	if err == nil {
		p, err = r.reserve(req, record)
	}
	var rejection *ingest.Rejection
	if errors.As(err, &rejection) {
		r.refuse(req, record, rejection)
	}
	return p, err
}

// roomForOneMore refuses a newcomer while the machine is so short of processor time that
// those on stage would suffer.
func (r *Registry) roomForOneMore() error {
	if r.o.Delay == nil {
		return nil
	}
	delay, tooLong := r.o.Delay()
	if !tooLong {
		return nil
	}
	return ingest.Rejectf(ingest.QuotaExceeded, "The gateway is at the limit of its processor (work waits %d ms), and those on stage come first. Start again in a few seconds, use another gateway, or give this one more processors.", delay.Milliseconds())
}

// identify finds out who asks. The record is filled as far as it is known even where the
// request is refused, so that the refusal can be attributed.
func (r *Registry) identify(ctx context.Context, req ingest.Request) (ParticipantRecord, error) {
	if req.Protocol == ingest.WHIP {
		return r.identifyToken(ctx, req)
	}
	return r.identifyStreamKey(ctx, req)
}

func (r *Registry) identifyStreamKey(ctx context.Context, req ingest.Request) (ParticipantRecord, error) {
	record := ParticipantRecord{Protocol: req.Protocol}
	switch {
	case req.Secret == "":
		return record, ingest.Rejectf(ingest.InvalidStreamKey, "No stream key was sent; it must follow the application name in the URL. OBS: Settings, Stream, Stream Key. ffmpeg: rtmp://HOST/app/STREAMKEY.")
	case !strings.HasPrefix(req.Secret, streamKeyPrefix):
		return record, ingest.Rejectf(ingest.InvalidStreamKey, "What was sent as stream key (fingerprint %s) is none: stream keys begin with \"rt_\". Copy the whole streamKey of the ingest configuration. OBS: Settings, Stream, Stream Key.", ingest.Fingerprint(req.Secret))
	}
	config, err := r.o.Store.IngestConfigurationByStreamKey(ctx, req.Secret)
	if errors.Is(err, ErrNotFound) {
		return record, ingest.Rejectf(ingest.InvalidStreamKey, "The stream key (fingerprint %s) is not known here; it must be the streamKey of an ingest configuration that still exists. Copy it once more. OBS: Settings, Stream, Stream Key.", ingest.Fingerprint(req.Secret))
	}
	if err != nil {
		return record, err
	}
	record = ParticipantRecord{
		StageARN: config.StageARN, UserID: config.UserID, Attributes: config.Attributes, Protocol: req.Protocol,
		IngestConfigurationARN: config.ARN, RedundantIngest: config.Redundant,
	}
	for _, credential := range config.Credentials {
		if credential.StreamKey == req.Secret {
			record.ParticipantID = credential.ParticipantID
		}
	}
	switch {
	case config.StageARN == "":
		return record, ingest.Rejectf(ingest.InvalidStreamKey, "The stream key (fingerprint %s) belongs to no stage; its ingest configuration needs one. Set it: aws ivs-realtime update-ingest-configuration --arn %s --stage-arn STAGE_ARN.", ingest.Fingerprint(req.Secret), config.ARN)
	case req.Protocol == ingest.RTMP && !config.Insecure:
		return record, ingest.Rejectf(ingest.InvalidProtocol, "The connection is plain RTMP; this stream key is for RTMPS only. Use the rtmps:// URL (port 1936), or create the ingest configuration with --insecure-ingest.")
	}
	return record, nil
}

func (r *Registry) identifyToken(ctx context.Context, req ingest.Request) (ParticipantRecord, error) {
	record := ParticipantRecord{Protocol: req.Protocol}
	claims, err := r.verify(ctx, req.Secret)
	if err != nil {
		return record, err
	}
	record.StageARN, record.ParticipantID = claims.StageARN, claims.ParticipantID
	record.UserID, record.Attributes = claims.UserID, claims.Attributes
	if !claims.Allows(CanPublish) {
		return record, ingest.Rejectf(ingest.InsufficientCapabilities, "The token allows SUBSCRIBE only; to go on stage it needs PUBLISH. Make one with CreateParticipantToken --capabilities PUBLISH.")
	}
	return record, nil
}

// verify checks a token, that its stage exists, and that it was not revoked.
func (r *Registry) verify(ctx context.Context, token string) (Claims, error) {
	claims, err := r.o.Tokens.Verify(ctx, token, time.Now())
	if err != nil {
		return Claims{}, err
	}
	if _, err := r.o.Store.Stage(ctx, claims.StageARN); errors.Is(err, ErrNotFound) {
		return Claims{}, badToken("the token is for a stage that does not exist any more; make a token for a stage that ListStages shows")
	} else if err != nil {
		return Claims{}, err
	}
	revoked, err := r.o.Store.Revoked(ctx, claims.StageARN, claims.ParticipantID)
	if err != nil {
		return Claims{}, err
	}
	if revoked {
		return Claims{}, badToken("the token was revoked when its participant was disconnected (DisconnectParticipant); ask the operator for a new one")
	}
	return claims, nil
}

// reserve takes a place on the stage. A connection with the same secret that has gone
// silent makes way.
func (r *Registry) reserve(req ingest.Request, record ParticipantRecord) (*Publication, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, shuttingDown
	}
	live := r.open(record.StageARN)
	publishers := 0
	for id, m := range live.members {
		switch {
		case m.publication == nil:
		case id != record.ParticipantID:
			publishers++
		case time.Since(m.publication.lastMedia()) < r.o.SilentAfter:
			return nil, ingest.Rejectf(ingest.ReuseOfStreamKey, "Another encoder is on stage with the same key or token, and its media still arrives; one connection is allowed. Stop that one, or use a key of its own for this encoder; after 3 s without media this one may take over.")
		default:
			r.retire(m.publication, takenOver)
		}
	}
	if publishers >= r.o.MaxPublishers {
		r.lingerIfEmpty(live)
		return nil, ingest.Rejectf(ingest.QuotaExceeded, "%d participants publish to the stage already; at most %d are allowed. Stop one of them, or use another stage.", publishers, r.o.MaxPublishers)
	}
	m := r.join(live, record)
	m.record.Protocol = record.Protocol
	live.arrived++
	m.publication = &Publication{registry: r, request: req, record: m.record, member: m, number: live.arrived, since: time.Now()}
	m.publication.touch()
	return m.publication, nil
}

var (
	takenOver    = &ingest.Rejection{Code: ingest.Disconnected, Detail: "A newer connection with the same key took over after this one had sent no media for 3 s. If both are yours, stop one of them."}
	shuttingDown = &ingest.Rejection{Code: ingest.Disconnected, Detail: "The gateway is shutting down or the stage was closed. Start again in a moment."}
)

// refuse records a refusal: for the page, and where the participant is known as event.
func (r *Registry) refuse(req ingest.Request, record ParticipantRecord, rejection *ingest.Rejection) {
	r.refusals.show(record.StageARN, Refusal{
		Time: time.Now(), Remote: maskedAddress(req.Remote), Key: ingest.Fingerprint(req.Secret),
		ParticipantID: record.ParticipantID, UserID: record.UserID, Code: rejection.Code, Detail: rejection.Detail,
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if record.StageARN == "" {
		for arn := range r.followers {
			r.changed(arn)
		}
		return
	}
	if !r.closed && record.ParticipantID != "" && rejection.Code != ingest.Disconnected && r.mistakes.record(record.ParticipantID) {
		live := r.open(record.StageARN)
		if live.members[record.ParticipantID] == nil {
			record.StageARN, record.SessionID, record.FirstJoin = live.session.StageARN, live.session.ID, time.Now()
			r.journal.record(Entry{Participant: &record})
		}
		r.event(live, Event{ParticipantID: record.ParticipantID, Name: PublishError, Code: rejection.Code, Detail: rejection.Detail})
		r.lingerIfEmpty(live)
	}
	r.changed(record.StageARN)
}
