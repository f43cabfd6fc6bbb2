-- +goose Up
-- Every event of every log: its sealed bytes.
-- n is the event's place in time: its id's microseconds since 1970 in the upper
-- bits, 11 bits to keep events of one microsecond apart in the lower. An id
-- gives its microsecond, so the primary key finds an event by its id as well
-- and no second B-tree is needed for that.
CREATE TABLE audit_event (
    n    INTEGER PRIMARY KEY,
    log  TEXT NOT NULL,   -- whose log: a team's id or the organization's
    id   TEXT NOT NULL,   -- evt_…
    body BLOB NOT NULL    -- the sealed bytes, exactly
) STRICT;

-- The erasable halves of an event. kind: who, what.
CREATE TABLE audit_part (
    n    INTEGER NOT NULL,
    kind TEXT NOT NULL,
    salt BLOB NOT NULL,
    part BLOB NOT NULL,
    PRIMARY KEY (n, kind)
) STRICT, WITHOUT ROWID;

-- What each event can be found by: rowid is audit_event.n, and a term is the
-- hash of a log and a condition (an actor, an action, an object, a pair of
-- them, a word of the text). An inverted index writes its entries in runs and
-- merges them later; a B-tree would touch a page for every term of every event.
CREATE VIRTUAL TABLE audit_index USING fts5 (terms, content = '', detail = none, columnsize = 0, tokenize = 'ascii');

-- The index seen from its other side, one row an entry: for checks.
CREATE VIRTUAL TABLE audit_index_entry USING fts5vocab (audit_index, instance);

-- Every name that an actor or object of a log ever bore. word is the whole name
-- folded, or one word of it.
CREATE TABLE audit_name (
    log  TEXT NOT NULL,
    word TEXT NOT NULL,
    type TEXT NOT NULL,
    id   TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (log, word, type, id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_name_of ON audit_name (log, type, id);

-- How many events of each action a log holds.
CREATE TABLE audit_total (
    log    TEXT NOT NULL,
    action TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (log, action)
) STRICT, WITHOUT ROWID;

-- Events that wait to be sealed. An event is queued before it is written: the
-- guards of audit_event and audit_part demand it.
CREATE TABLE audit_unsealed (
    n INTEGER PRIMARY KEY
) STRICT;

-- The record that is open in this transaction (seq 0) and the writes it has made
-- so far. Empty between transactions.
CREATE TABLE audit_open (
    seq   INTEGER PRIMARY KEY,
    log   TEXT,
    event TEXT,
    tbl   TEXT,
    row   TEXT,
    prev  TEXT,
    old   TEXT,
    new   TEXT
) STRICT;

-- One row inserted here is one event with all that belongs to it: the events of
-- a whole commit are one statement.
CREATE VIEW audit_append (n, log, id, action, body, who_salt, who, what_salt, what, terms) AS
SELECT 0, '', '', '', x'', x'', x'', x'', x'', '';

-- +goose StatementBegin
CREATE TRIGGER audit_append_event INSTEAD OF INSERT ON audit_append BEGIN
    INSERT INTO audit_unsealed (n) VALUES (NEW.n);
    INSERT INTO audit_event (n, log, id, body) VALUES (NEW.n, NEW.log, NEW.id, NEW.body);
    INSERT INTO audit_part (n, kind, salt, part) VALUES (NEW.n, 'what', NEW.what_salt, NEW.what), (NEW.n, 'who', NEW.who_salt, NEW.who);
    INSERT INTO audit_index (rowid, terms) VALUES (NEW.n, NEW.terms);
    INSERT INTO audit_total (log, action, events) VALUES (NEW.log, NEW.action, 1)
        ON CONFLICT (log, action) DO UPDATE SET events = events + 1;
END;
-- +goose StatementEnd
