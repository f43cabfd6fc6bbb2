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
    log  TEXT NOT NULL,
    n    INTEGER NOT NULL,
    kind TEXT NOT NULL,
    salt BLOB NOT NULL,
    part BLOB NOT NULL,
    PRIMARY KEY (n, kind)
) STRICT, WITHOUT ROWID;

-- Events that wait to be sealed. An event is queued before it is written: the
-- guards of audit_event and audit_part demand it.
CREATE TABLE audit_unsealed (
    log    TEXT NOT NULL,
    n      INTEGER NOT NULL,
    action TEXT NOT NULL,
    PRIMARY KEY (log, n)
) STRICT, WITHOUT ROWID;

-- Sealed events: each log numbers its own from 0 on, in the order in which they
-- were sealed. hashes are those of the log's tree (RFC 6962) that this leaf
-- completes, 32 bytes each, from the leaf upwards: the hash of level l at index
-- i stands with leaf ((i + 1) << l) - 1.
CREATE TABLE audit_leaf (
    log    TEXT NOT NULL,
    leaf   INTEGER NOT NULL,
    n      INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL,
    UNIQUE (log, leaf)
) STRICT;

-- Signed notes of a log's tree: for each its size and, in the note, its root.
CREATE TABLE audit_checkpoint (
    log  TEXT NOT NULL,
    size INTEGER NOT NULL,
    note BLOB NOT NULL,
    PRIMARY KEY (log, size)
) STRICT, WITHOUT ROWID;

-- What independent witnesses have signed of checkpoints. witness is a verifier
-- key, line its signature as it is added to the note.
CREATE TABLE audit_cosignature (
    log     TEXT NOT NULL,
    size    INTEGER NOT NULL,
    witness TEXT NOT NULL,
    line    BLOB NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (log, size, witness)
) STRICT, WITHOUT ROWID;

-- Logs with leaves that no checkpoint covers yet.
CREATE TABLE audit_unsigned (
    log TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What each sealed event can be found by: rowid is audit_event.n, and a term is
-- the hash of a log and a condition (an actor, an action, an object, a pair of
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

-- How many sealed events of each action a log holds, by span of time (hour,
-- day, all). at is where the span begins, in microseconds since 1970.
CREATE TABLE audit_count (
    log    TEXT NOT NULL,
    span   TEXT NOT NULL,
    at     INTEGER NOT NULL,
    action TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (log, span, at, action)
) STRICT, WITHOUT ROWID;

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
CREATE VIEW audit_append (n, log, id, action, body, who_salt, who, what_salt, what) AS
SELECT 0, '', '', '', x'', x'', x'', x'', x'';

-- +goose StatementBegin
CREATE TRIGGER audit_append_event INSTEAD OF INSERT ON audit_append BEGIN
    INSERT INTO audit_unsealed (log, n, action) VALUES (NEW.log, NEW.n, NEW.action);
    INSERT INTO audit_event (n, log, id, body) VALUES (NEW.n, NEW.log, NEW.id, NEW.body);
    INSERT INTO audit_part (log, n, kind, salt, part)
        VALUES (NEW.log, NEW.n, 'what', NEW.what_salt, NEW.what), (NEW.log, NEW.n, 'who', NEW.who_salt, NEW.who);
END;
-- +goose StatementEnd
