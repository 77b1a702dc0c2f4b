-- How far each receiver of events has come: the seq of the last event that it is done with.
CREATE TABLE receiver (
	name TEXT NOT NULL PRIMARY KEY,
	seq  INTEGER NOT NULL
) WITHOUT ROWID;
