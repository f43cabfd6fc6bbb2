-- +goose Up
-- Every event of every log: its sealed bytes.
-- n is the event's place in time: its id's microseconds since 1970 in the upper
-- bits, 11 bits to keep events of one microsecond apart in the lower. An id
-- gives its microsecond, so the primary key finds an event by its id as well
-- and no second B-tree is needed for that.
CREATE TABLE audit_event (
    log  TEXT COLLATE "C" NOT NULL, -- whose log: a team's id or the organization's
    n    BIGINT NOT NULL,
    id   TEXT COLLATE "C" NOT NULL, -- evt_…
    body BYTEA NOT NULL,            -- the sealed bytes, exactly
    PRIMARY KEY (log, n)
);

-- The erasable halves of an event. kind: who, what.
CREATE TABLE audit_part (
    log  TEXT COLLATE "C" NOT NULL,
    n    BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    salt BYTEA NOT NULL,
    part BYTEA NOT NULL,
    PRIMARY KEY (log, n, kind)
);

-- Events that wait to be sealed. The guard of audit_event puts each here as it
-- is written: no event is without a leaf or a place in this queue.
CREATE TABLE audit_unsealed (
    log    TEXT COLLATE "C" NOT NULL,
    n      BIGINT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (log, n)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000); -- every row goes soon

-- Sealed events: each log numbers its own from 0 on, in the order in which they
-- were sealed. hashes are those of the log's tree (RFC 6962) that this leaf
-- completes, 32 bytes each, from the leaf upwards: the hash of level l at index
-- i stands with leaf ((i + 1) << l) - 1.
CREATE TABLE audit_leaf (
    log    TEXT COLLATE "C" NOT NULL,
    leaf   BIGINT NOT NULL,
    n      BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (log, leaf),
    UNIQUE (log, n)
);

-- Signed notes of a log's tree: for each its size and, in the note, its root.
CREATE TABLE audit_checkpoint (
    log  TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    note BYTEA NOT NULL,
    PRIMARY KEY (log, size)
);

-- What independent witnesses have signed of checkpoints. witness is a verifier
-- key, line its signature as it is added to the note.
CREATE TABLE audit_cosignature (
    log     TEXT COLLATE "C" NOT NULL,
    size    BIGINT NOT NULL,
    witness TEXT COLLATE "C" NOT NULL,
    line    BYTEA NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (log, size, witness)
);

-- Logs with leaves that no checkpoint covers yet.
CREATE TABLE audit_unsigned (
    log TEXT COLLATE "C" PRIMARY KEY
);

-- What each sealed event can be found by, as hashes of a log and a condition.
-- What a search walks newest first, however much there is of it, has a column
-- and a B-tree; everything else stands in terms, which is looked up when it is
-- rare and compared row by row when it is common.
CREATE TABLE audit_index (
    log          TEXT COLLATE "C" NOT NULL,
    n            BIGINT NOT NULL,
    action       BIGINT NOT NULL,
    actor        BIGINT,
    actor_action BIGINT,
    object       BIGINT,
    terms        INTEGER[] NOT NULL, -- the upper halves of all other hashes
    PRIMARY KEY (log, n)
);
CREATE INDEX audit_index_action ON audit_index (action, n);
CREATE INDEX audit_index_actor ON audit_index (actor, n) WHERE actor IS NOT NULL;
CREATE INDEX audit_index_actor_action ON audit_index (actor_action, n) WHERE actor_action IS NOT NULL;
CREATE INDEX audit_index_object ON audit_index (object, n) WHERE object IS NOT NULL;
-- Rows come from the sealer in batches; a list of pending entries would only
-- make searches slower.
CREATE INDEX audit_index_terms ON audit_index USING gin (terms) WITH (fastupdate = off);
-- How common a word is decides how it is looked up.
ALTER TABLE audit_index ALTER COLUMN terms SET STATISTICS 1000;

-- Every name that an actor or object of a log ever bore. word is the whole name
-- folded, or one word of it.
CREATE TABLE audit_name (
    log  TEXT COLLATE "C" NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    id   TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (log, word, type, id, name)
);
CREATE INDEX audit_name_of ON audit_name (log, type, id);

-- How many sealed events of each action a log holds, by span of time (hour,
-- day, all). at is where the span begins, in microseconds since 1970.
CREATE TABLE audit_count (
    log    TEXT COLLATE "C" NOT NULL,
    span   TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (log, span, at, action)
);

-- The open record and what it has written so far stand in settings of the
-- transaction, which end with it:
--   onrecord.event, onrecord.log   the open record; '' if there is none
--   onrecord.seen0, seen1, …       the writes, a JSON array a line
--   onrecord.piece                 the number of the last of these
--   onrecord.append                the ids of events that may be written
--   onrecord.placed                the events that were: their parts may be

-- audit_seen adds a write. Adding to a long text copies it: so there are pieces.
-- +goose StatementBegin
CREATE FUNCTION audit_seen(line TEXT) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    piece INTEGER := current_setting('onrecord.piece')::integer;
    so_far TEXT := current_setting('onrecord.seen' || piece);
BEGIN
    IF length(so_far) > 16000 THEN
        piece := piece + 1;
        so_far := '';
        PERFORM set_config('onrecord.piece', piece::text, true);
    END IF;
    PERFORM set_config('onrecord.seen' || piece, so_far || line || E'\n', true);
END
$$;
-- +goose StatementEnd

-- audit_collect closes the open record and gives what it wrote.
-- +goose StatementBegin
CREATE FUNCTION audit_collect() RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    seen TEXT := '';
BEGIN
    FOR i IN 0 .. current_setting('onrecord.piece')::integer LOOP
        seen := seen || current_setting('onrecord.seen' || i);
    END LOOP;
    PERFORM set_config('onrecord.event', '', true), set_config('onrecord.log', '', true);
    RETURN seen;
END
$$;
-- +goose StatementEnd

-- audit_refuse is the guard of what never happens.
-- +goose StatementBegin
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE integrity_constraint_violation USING MESSAGE = TG_TABLE_NAME || ': ' || TG_ARGV[0];
END
$$;
-- +goose StatementEnd
