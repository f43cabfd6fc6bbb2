-- +goose Up
-- Every event of every log: the sealed bytes, and what is searched of them.
-- n is the event's place in time: its id's microseconds since 1970 in the upper
-- bits, 11 bits to keep events of one microsecond apart in the lower. An id
-- gives its microsecond, so the primary key finds an event by its id as well
-- and no second B-tree is needed for that.
CREATE TABLE audit_event (
    n       INTEGER PRIMARY KEY,
    log     TEXT NOT NULL,   -- whose log: a team's id or the organization's
    id      TEXT NOT NULL,   -- evt_…
    actor   TEXT,            -- the actor's id, if it has one
    action  TEXT NOT NULL,
    outcome TEXT NOT NULL,
    object  TEXT,            -- the object's id, if there is one
    type    TEXT,            -- the object's type
    body    BLOB NOT NULL    -- the sealed bytes, exactly
) STRICT;

-- The erasable halves of an event. kind: who, what.
CREATE TABLE audit_part (
    n    INTEGER NOT NULL,
    kind TEXT NOT NULL,
    salt BLOB NOT NULL,
    part BLOB NOT NULL,
    PRIMARY KEY (n, kind)
) STRICT, WITHOUT ROWID;

-- What each event can be found by: a term is the hash of a log and a condition
-- (an actor, an action, an object, a pair of them). Newest first is a walk
-- backwards along one term.
CREATE TABLE audit_index (
    term INTEGER NOT NULL,
    n    INTEGER NOT NULL,
    PRIMARY KEY (term, n)
) STRICT, WITHOUT ROWID;

-- The words of each event; rowid is audit_event.n. The text itself is not kept:
-- it follows from the event's parts.
CREATE VIRTUAL TABLE audit_word USING fts5 (words, content = '', detail = none, columnsize = 0, tokenize = 'unicode61');

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

-- Events that wait to be sealed.
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
