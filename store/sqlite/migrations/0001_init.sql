-- Times are nanoseconds since 1970 in UTC, 0 for none. Maps are JSON objects.
-- seq is the order of the lists and the cursor of their pages: AUTOINCREMENT never reuses one.

CREATE TABLE stage (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	arn     TEXT NOT NULL UNIQUE,
	name    TEXT NOT NULL,
	tags    TEXT NOT NULL,
	created INTEGER NOT NULL
);

CREATE TABLE ingest_configuration (
	seq        INTEGER PRIMARY KEY AUTOINCREMENT,
	arn        TEXT NOT NULL UNIQUE,
	name       TEXT NOT NULL,
	stage_arn  TEXT NOT NULL, -- empty: attached to no stage
	user_id    TEXT NOT NULL,
	attributes TEXT NOT NULL,
	protocol   TEXT NOT NULL,
	insecure   INTEGER NOT NULL,
	redundant  INTEGER NOT NULL,
	tags       TEXT NOT NULL,
	created    INTEGER NOT NULL
);
CREATE INDEX ingest_configuration_stage ON ingest_configuration (stage_arn);

CREATE TABLE credential (
	stream_key     TEXT NOT NULL PRIMARY KEY,
	participant_id TEXT NOT NULL UNIQUE,
	ingest_arn     TEXT NOT NULL REFERENCES ingest_configuration (arn) ON DELETE CASCADE,
	position       INTEGER NOT NULL,
	UNIQUE (ingest_arn, position)
) WITHOUT ROWID;

CREATE TABLE public_key (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT,
	arn         TEXT NOT NULL UNIQUE,
	name        TEXT NOT NULL,
	material    TEXT NOT NULL,
	fingerprint TEXT NOT NULL UNIQUE,
	tags        TEXT NOT NULL,
	created     INTEGER NOT NULL
);

CREATE TABLE revoked (
	stage_arn      TEXT NOT NULL,
	participant_id TEXT NOT NULL,
	until          INTEGER NOT NULL,
	PRIMARY KEY (stage_arn, participant_id)
) WITHOUT ROWID;

CREATE TABLE secret (
	name  TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE session (
	seq       INTEGER PRIMARY KEY AUTOINCREMENT,
	stage_arn TEXT NOT NULL,
	id        TEXT NOT NULL,
	started   INTEGER NOT NULL,
	ended     INTEGER NOT NULL, -- 0: live
	UNIQUE (stage_arn, id)
);
CREATE INDEX session_stage ON session (stage_arn, seq);
CREATE INDEX session_ended ON session (ended);

CREATE TABLE participant (
	seq             INTEGER PRIMARY KEY AUTOINCREMENT,
	stage_arn       TEXT NOT NULL,
	session_id      TEXT NOT NULL,
	participant_id  TEXT NOT NULL,
	user_id         TEXT NOT NULL,
	attributes      TEXT NOT NULL,
	connected       INTEGER NOT NULL,
	first_join      INTEGER NOT NULL,
	published       INTEGER NOT NULL,
	protocol        TEXT NOT NULL,
	ingest_arn      TEXT NOT NULL,
	redundant       INTEGER NOT NULL,
	browser_name    TEXT NOT NULL,
	browser_version TEXT NOT NULL,
	os_name         TEXT NOT NULL,
	os_version      TEXT NOT NULL,
	UNIQUE (stage_arn, session_id, participant_id)
);
CREATE INDEX participant_session ON participant (stage_arn, session_id, seq);

CREATE TABLE event (
	seq            INTEGER PRIMARY KEY AUTOINCREMENT,
	stage_arn      TEXT NOT NULL,
	session_id     TEXT NOT NULL,
	participant_id TEXT NOT NULL,
	name           TEXT NOT NULL,
	time           INTEGER NOT NULL,
	remote_id      TEXT NOT NULL,
	code           TEXT NOT NULL,
	detail         TEXT NOT NULL
);
CREATE INDEX event_participant ON event (stage_arn, session_id, participant_id, seq);
