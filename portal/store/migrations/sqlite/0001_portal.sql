-- +goose Up
-- The portal's tables. Times are microseconds since 1970 (UTC), ids are
-- TypeIDs, booleans are 0 or 1. A table with event_id is audited: its rows
-- change only together with the event that event_id names, and are never
-- deleted. tables.go says how each column is recorded, and why the tables
-- without event_id need no record.

-- ---- The organization: its log explains these rows ----

-- The one organization of an installation. Its id is also the id of its log.
CREATE TABLE organization (
    organization TEXT NOT NULL,
    id           TEXT NOT NULL CHECK (id = organization), -- org_…
    name         TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    PRIMARY KEY (organization, id)
) STRICT;

CREATE TABLE team (
    organization TEXT NOT NULL,
    id           TEXT NOT NULL, -- team_…: also the id of the team's log
    name         TEXT NOT NULL,
    name_key     TEXT NOT NULL, -- the name folded: two teams do not differ in case alone
    plan         TEXT NOT NULL CHECK (plan IN ('call-center-ai', 'core')),
    event_id     TEXT NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, name_key)
) STRICT;

-- A person, once for all teams.
CREATE TABLE account (
    organization    TEXT NOT NULL,
    id              TEXT NOT NULL, -- user_…
    email           TEXT NOT NULL, -- as first written
    email_key       TEXT NOT NULL, -- folded: casing does not make a second person
    name            TEXT NOT NULL, -- "" until somebody says it
    password_hash   TEXT,          -- NULL until a one-time link has been used
    password_set_at INTEGER,
    event_id        TEXT NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, email_key)
) STRICT;

-- A key that signs the log's checkpoints. It is never deleted: what it signed
-- must be verifiable for ever.
CREATE TABLE signing_key (
    organization TEXT NOT NULL,
    id           TEXT NOT NULL, -- skey_…
    public_key   TEXT NOT NULL, -- Ed25519, base64; the private half is in a file
    added_at     INTEGER NOT NULL,
    retired_at   INTEGER,
    event_id     TEXT NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, public_key)
) STRICT;

-- ---- Teams: the team's log explains these rows ----

-- A person's place in a team. Who was deleted and is added again gets the
-- same row again.
CREATE TABLE member (
    team       TEXT NOT NULL,
    id         TEXT NOT NULL, -- account.id
    role       TEXT NOT NULL CHECK (role IN ('admin', 'auditor', 'agent')),
    status     TEXT NOT NULL CHECK (status IN ('active', 'blocked')),
    added_at   INTEGER NOT NULL,
    deleted_at INTEGER,
    event_id   TEXT NOT NULL,
    PRIMARY KEY (team, id)
) STRICT;

-- A device that moves to another team leaves its row behind as a tombstone
-- and becomes a new row there: a row never changes its team.
CREATE TABLE device (
    team         TEXT NOT NULL,
    id           TEXT NOT NULL, -- device_…
    hostname     TEXT NOT NULL,
    user_id      TEXT,          -- whose it is; kept while it is blocked
    state        TEXT NOT NULL CHECK (state IN ('assigned', 'unassigned', 'blocked')),
    added_at     INTEGER NOT NULL,
    deleted_at   INTEGER,
    moved_to     TEXT,          -- the team it was moved to
    moved_device TEXT,          -- its id there
    moved_from   TEXT,          -- the team it came from
    event_id     TEXT NOT NULL,
    PRIMARY KEY (team, id),
    CHECK (state = 'blocked' OR (state = 'assigned') = (user_id IS NOT NULL)),
    CHECK ((moved_to IS NULL) = (moved_device IS NULL)),
    CHECK (moved_to IS NULL OR deleted_at IS NOT NULL)
) STRICT;
CREATE INDEX device_hostname ON device (team, lower(hostname));
CREATE INDEX device_user ON device (team, user_id) WHERE user_id IS NOT NULL;

-- A call session. Its id begins with the time it started, so ids sort calls.
CREATE TABLE call (
    team        TEXT NOT NULL,
    id          TEXT NOT NULL, -- call_…
    source_id   TEXT NOT NULL, -- its id in the system that recorded it
    customer    TEXT NOT NULL,
    agent       TEXT NOT NULL, -- as the recording system named the person
    user_id     TEXT,          -- the member who is that agent
    device      TEXT NOT NULL, -- as the recording system named it, or ""
    device_id   TEXT,          -- the team's device of that hostname
    direction   TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    topic       TEXT NOT NULL, -- or ""
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,          -- if the recording system said so
    duration_ms INTEGER NOT NULL, -- until ended_at or the last turn's end; 0 if neither is known
    turns       INTEGER NOT NULL, -- how many
    timed       INTEGER NOT NULL CHECK (timed IN (0, 1)), -- every turn says when it began and ended
    content     BLOB NOT NULL,    -- SHA-256 of all that arrived: tells a repetition from another content
    deleted_at  INTEGER,
    event_id    TEXT NOT NULL,
    PRIMARY KEY (team, id),
    UNIQUE (team, source_id)
) STRICT;
CREATE INDEX call_agent ON call (team, agent, id);
CREATE INDEX call_device ON call (team, device_id, id) WHERE device_id IS NOT NULL;
CREATE INDEX call_deleted ON call (team, deleted_at, id) WHERE deleted_at IS NOT NULL;

-- What was said. A table of its own, so that lists of calls never touch it.
CREATE TABLE transcript (
    team     TEXT NOT NULL,
    id       TEXT NOT NULL, -- the call's
    turns    TEXT NOT NULL, -- canonical JSON
    event_id TEXT NOT NULL,
    PRIMARY KEY (team, id)
) STRICT;

-- A metric's value on a call as a person set it. Reset leaves the row with NULL.
CREATE TABLE score (
    team     TEXT NOT NULL,
    id       TEXT NOT NULL, -- score_…
    call_id  TEXT NOT NULL,
    metric   TEXT NOT NULL,
    value    TEXT, -- a decimal
    event_id TEXT NOT NULL,
    PRIMARY KEY (team, id),
    UNIQUE (team, call_id, metric)
) STRICT;

-- Metrics that a team has switched; without a row a metric is on.
CREATE TABLE metric_setting (
    team     TEXT NOT NULL,
    id       TEXT NOT NULL, -- the metric's
    enabled  INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    event_id TEXT NOT NULL,
    PRIMARY KEY (team, id)
) STRICT;

-- A key of the API. It is never deleted: who held it stays known.
CREATE TABLE api_key (
    team       TEXT NOT NULL,
    id         TEXT NOT NULL, -- key_…
    name       TEXT NOT NULL,
    token_hash BLOB NOT NULL, -- the token itself is kept nowhere
    scope      TEXT NOT NULL CHECK (scope IN ('read', 'write')),
    created_by TEXT NOT NULL, -- who answers for it: a member's id, or an operator's
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    event_id   TEXT NOT NULL,
    PRIMARY KEY (team, id),
    UNIQUE (team, token_hash)
) STRICT;

-- A filter of the log that a member keeps under a name.
CREATE TABLE saved_view (
    team       TEXT NOT NULL,
    id         TEXT NOT NULL, -- view_…
    owner      TEXT NOT NULL, -- a member's id
    name       TEXT NOT NULL,
    query      TEXT NOT NULL, -- in the query language
    shared     INTEGER NOT NULL CHECK (shared IN (0, 1)),    -- with the team
    preferred  INTEGER NOT NULL CHECK (preferred IN (0, 1)), -- the log opens with it for its owner
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    event_id   TEXT NOT NULL,
    PRIMARY KEY (team, id)
) STRICT;

-- ---- Without a record ----

-- A signed-in browser. The row goes when the session ends.
CREATE TABLE session (
    id         TEXT PRIMARY KEY, -- ses_…
    account    TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE, -- the cookie holds the token itself
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    ip         TEXT NOT NULL,
    user_agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account);
CREATE INDEX session_age ON session (seen_at);

-- A one-time link that lets a person choose a password. The row stays a while
-- after its use, so that a second use can be told what happened.
CREATE TABLE sign_in_link (
    token_hash BLOB PRIMARY KEY,
    account    TEXT NOT NULL,
    team       TEXT NOT NULL, -- the team whose Admin made it
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_link_account ON sign_in_link (account);
CREATE INDEX sign_in_link_expiry ON sign_in_link (expires_at);

-- Failed attempts to sign in, where several processes have to know of them.
CREATE TABLE sign_in_failure (
    who      TEXT PRIMARY KEY, -- a digest of the account or the address
    failures INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    until    INTEGER NOT NULL -- nothing of them counts afterwards
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_failure_until ON sign_in_failure (until);

-- The teams that a person ever joined: ids only, so that the table can be a
-- copy beside every team's rows where those are spread over machines.
CREATE TABLE account_team (
    account TEXT NOT NULL,
    team    TEXT NOT NULL,
    PRIMARY KEY (account, team)
) STRICT, WITHOUT ROWID;

-- When a person was last here.
CREATE TABLE account_activity (
    account TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When a device was last heard of.
CREATE TABLE device_activity (
    team    TEXT NOT NULL,
    device  TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (team, device)
) STRICT, WITHOUT ROWID;

-- When a key of the API was last used.
CREATE TABLE api_key_activity (
    team    TEXT NOT NULL,
    id      TEXT NOT NULL, -- the key's
    used_at INTEGER NOT NULL,
    PRIMARY KEY (team, id)
) STRICT, WITHOUT ROWID;

-- A metric's value as computed from the transcript.
CREATE TABLE score_default (
    team    TEXT NOT NULL,
    call_id TEXT NOT NULL,
    metric  TEXT NOT NULL,
    value   TEXT,             -- a decimal; NULL: not available for this call
    version INTEGER NOT NULL, -- of the metric that computed it
    PRIMARY KEY (team, call_id, metric)
) STRICT, WITHOUT ROWID;

-- Readings of the log, and refusals of a key, that are on the record already:
-- one event stands for a session or key, what it read, and the hour.
CREATE TABLE reading (
    session TEXT NOT NULL,    -- or the key
    what    TEXT NOT NULL,    -- a digest
    hour    INTEGER NOT NULL, -- since 1970
    PRIMARY KEY (session, what, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX reading_hour ON reading (hour);

-- What the last check of a log found, or a witness of it.
CREATE TABLE log_finding (
    log    TEXT NOT NULL,
    source TEXT NOT NULL, -- 'check', or a witness's name
    at     INTEGER NOT NULL, -- when
    leaves INTEGER NOT NULL, -- how far
    faults INTEGER NOT NULL, -- 0: all is well
    first  TEXT NOT NULL, -- the first fault, as a sentence; or ''
    PRIMARY KEY (log, source)
) STRICT, WITHOUT ROWID;

-- That a session opened a call, and whether the redirect after its own change
-- may show the call once more, until then, without being an opening.
CREATE TABLE redirect_note (
    session TEXT NOT NULL,
    call    TEXT NOT NULL,
    spare   INTEGER NOT NULL CHECK (spare IN (0, 1)),
    until   INTEGER NOT NULL, -- or, without a spare, when it was opened
    PRIMARY KEY (session, call)
) STRICT, WITHOUT ROWID;
CREATE INDEX redirect_note_until ON redirect_note (until);
