package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/pkg/errors"

	"github.com/stagedoor/stagedoor/stage"
)

// Record is of stage.Journal.
func (s *Store) Record(ctx context.Context, entries []stage.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, entry := range entries {
			if err := record(ctx, tx, entry); err != nil {
				return err
			}
		}
		return nil
	})
}

func record(ctx context.Context, tx *sql.Tx, entry stage.Entry) error {
	switch {
	case entry.Session != nil:
		return recordSession(ctx, tx, *entry.Session)
	case entry.Participant != nil:
		return recordParticipant(ctx, tx, *entry.Participant)
	case entry.Event != nil:
		return recordEvent(ctx, tx, *entry.Event)
	}
	return errors.New("write state: an empty journal entry")
}

func recordSession(ctx context.Context, tx *sql.Tx, s stage.Session) error {
	return execute(ctx, tx, `INSERT INTO session (stage_arn, id, started, ended) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET started = excluded.started, ended = excluded.ended`,
		s.StageARN, s.ID, nanos(s.Start), nanos(s.End))
}

// recordParticipant keeps what is known of how the participant published when a later
// record, of the same participant as a viewer, does not say it.
func recordParticipant(ctx context.Context, tx *sql.Tx, p stage.ParticipantRecord) error {
	return execute(ctx, tx, `INSERT INTO participant
		(stage_arn, session_id, participant_id, user_id, attributes, connected, first_join, published, protocol,
		 ingest_arn, redundant, browser_name, browser_version, os_name, os_version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET
			user_id = excluded.user_id, attributes = excluded.attributes, connected = excluded.connected,
			first_join = min(first_join, excluded.first_join),
			published = max(published, excluded.published),
			protocol = CASE excluded.protocol WHEN '' THEN protocol ELSE excluded.protocol END,
			ingest_arn = CASE excluded.ingest_arn WHEN '' THEN ingest_arn ELSE excluded.ingest_arn END,
			redundant = max(redundant, excluded.redundant),
			browser_name = excluded.browser_name, browser_version = excluded.browser_version,
			os_name = excluded.os_name, os_version = excluded.os_version`,
		p.StageARN, p.SessionID, p.ParticipantID, p.UserID, textMap(p.Attributes), p.Connected,
		nanos(p.FirstJoin), p.Published, p.Protocol, p.IngestConfigurationARN, p.RedundantIngest,
		p.BrowserName, p.BrowserVersion, p.OSName, p.OSVersion)
}

func recordEvent(ctx context.Context, tx *sql.Tx, e stage.Event) error {
	return execute(ctx, tx, `INSERT INTO event
		(stage_arn, session_id, participant_id, name, time, remote_id, code, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		e.StageARN, e.SessionID, e.ParticipantID, e.Name, nanos(e.Time), e.RemoteParticipantID, e.Code, e.Detail)
}

// Recover is of stage.Journal. Subscriptions that were open get their SUBSCRIBE_STOPPED too.
func (s *Store) Recover(ctx context.Context, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		// A start is open where no stop of the same kind, and for a subscription of the
		// same publisher, follows it.
		err := execute(ctx, tx, `INSERT INTO event (stage_arn, session_id, participant_id, name, time, remote_id, code, detail)
			SELECT e.stage_arn, e.session_id, e.participant_id,
				CASE e.name WHEN 'PUBLISH_STARTED' THEN 'PUBLISH_STOPPED' ELSE 'SUBSCRIBE_STOPPED' END,
				?, e.remote_id, '', ''
			FROM participant p
			JOIN session s ON s.stage_arn = p.stage_arn AND s.id = p.session_id
			JOIN event e ON e.stage_arn = p.stage_arn AND e.session_id = p.session_id AND e.participant_id = p.participant_id
			WHERE s.ended = 0 AND p.connected = 1 AND e.name IN ('PUBLISH_STARTED', 'SUBSCRIBE_STARTED')
			AND NOT EXISTS (
				SELECT 1 FROM event stop
				WHERE stop.stage_arn = e.stage_arn AND stop.session_id = e.session_id
				AND stop.participant_id = e.participant_id AND stop.remote_id = e.remote_id AND stop.seq > e.seq
				AND stop.name = CASE e.name WHEN 'PUBLISH_STARTED' THEN 'PUBLISH_STOPPED' ELSE 'SUBSCRIBE_STOPPED' END)
			GROUP BY e.stage_arn, e.session_id, e.participant_id, e.name, e.remote_id
			ORDER BY min(e.seq)`, nanos(now))
		if err != nil {
			return err
		}
		err = execute(ctx, tx, `INSERT INTO event (stage_arn, session_id, participant_id, name, time, remote_id, code, detail)
			SELECT p.stage_arn, p.session_id, p.participant_id, 'LEFT', ?, '', '', ''
			FROM participant p JOIN session s ON s.stage_arn = p.stage_arn AND s.id = p.session_id
			WHERE s.ended = 0 AND p.connected = 1 ORDER BY p.seq`, nanos(now))
		if err != nil {
			return err
		}
		if err := execute(ctx, tx, `UPDATE participant SET connected = 0 WHERE connected = 1`); err != nil {
			return err
		}
		return execute(ctx, tx, `UPDATE session SET ended = ? WHERE ended = 0`, nanos(now))
	})
}
