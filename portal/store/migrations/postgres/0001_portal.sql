-- +goose Up
-- The portal's tables. Times are microseconds since 1970 (UTC), ids are
-- TypeIDs, booleans are 0 or 1. A table with event_id is audited: its rows
-- change only together with the event that event_id names, and are never
-- deleted. tables.go says how each column is recorded, and why the tables
-- without event_id need no record.

-- ---- The organization: its log explains these rows ----

-- The one organization of an installation. Its id is also the id of its log.
CREATE TABLE organization (
    organization TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL CHECK (id = organization), -- org_…
    name         TEXT COLLATE "C" NOT NULL,
    event_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, id)
);

CREATE TABLE team (
    organization TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL, -- team_…: also the id of the team's log
    name         TEXT COLLATE "C" NOT NULL,
    name_key     TEXT COLLATE "C" NOT NULL, -- the name folded: two teams do not differ in case alone
    plan         TEXT COLLATE "C" NOT NULL CHECK (plan IN ('call-center-ai', 'core')),
    event_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, name_key)
);

-- A person, once for all teams.
CREATE TABLE account (
    organization    TEXT COLLATE "C" NOT NULL,
    id              TEXT COLLATE "C" NOT NULL, -- user_…
    email           TEXT COLLATE "C" NOT NULL, -- as first written
    email_key       TEXT COLLATE "C" NOT NULL, -- folded: casing does not make a second person
    name            TEXT COLLATE "C" NOT NULL, -- "" until somebody says it
    password_hash   TEXT COLLATE "C", -- NULL until a one-time link has been used
    password_set_at BIGINT,
    event_id        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, email_key)
);

-- A key that signs the log's checkpoints. It is never deleted: what it signed
-- must be verifiable for ever.
CREATE TABLE signing_key (
    organization TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL, -- skey_…
    public_key   TEXT COLLATE "C" NOT NULL, -- Ed25519, base64; the private half is in a file
    added_at     BIGINT NOT NULL,
    retired_at   BIGINT,
    event_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization, id),
    UNIQUE (organization, public_key)
);

-- ---- Teams: the team's log explains these rows ----

-- A person's place in a team. Who was deleted and is added again gets the
-- same row again.
CREATE TABLE member (
    team       TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL, -- account.id
    role       TEXT COLLATE "C" NOT NULL CHECK (role IN ('admin', 'auditor', 'agent')),
    status     TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'blocked')),
    added_at   BIGINT NOT NULL,
    deleted_at BIGINT,
    event_id   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team, id)
);

-- A device that moves to another team leaves its row behind as a tombstone
-- and becomes a new row there: a row never changes its team.
CREATE TABLE device (
    team         TEXT COLLATE "C" NOT NULL,
    id           TEXT COLLATE "C" NOT NULL, -- device_…
    hostname     TEXT COLLATE "C" NOT NULL,
    user_id      TEXT COLLATE "C", -- whose it is; kept while it is blocked
    state        TEXT COLLATE "C" NOT NULL CHECK (state IN ('assigned', 'unassigned', 'blocked')),
    added_at     BIGINT NOT NULL,
    deleted_at   BIGINT,
    moved_to     TEXT COLLATE "C", -- the team it was moved to
    moved_device TEXT COLLATE "C", -- its id there
    moved_from   TEXT COLLATE "C", -- the team it came from
    event_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team, id),
    CHECK (state = 'blocked' OR (state = 'assigned') = (user_id IS NOT NULL)),
    CHECK ((moved_to IS NULL) = (moved_device IS NULL)),
    CHECK (moved_to IS NULL OR deleted_at IS NOT NULL)
);
CREATE INDEX device_hostname ON device (team, lower(hostname));
CREATE INDEX device_user ON device (team, user_id) WHERE user_id IS NOT NULL;

-- A call session. Its id begins with the time it started, so ids sort calls.
CREATE TABLE call (
    team        TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL, -- call_…
    source_id   TEXT COLLATE "C" NOT NULL, -- its id in the system that recorded it
    customer    TEXT COLLATE "C" NOT NULL,
    agent       TEXT COLLATE "C" NOT NULL, -- as the recording system named the person
    user_id     TEXT COLLATE "C", -- the member who is that agent
    device      TEXT COLLATE "C" NOT NULL, -- as the recording system named it, or ""
    device_id   TEXT COLLATE "C", -- the team's device of that hostname
    direction   TEXT COLLATE "C" NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    topic       TEXT COLLATE "C" NOT NULL, -- or ""
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT, -- if the recording system said so
    duration_ms BIGINT NOT NULL, -- until ended_at or the last turn's end; 0 if neither is known
    turns       BIGINT NOT NULL, -- how many
    timed       BIGINT NOT NULL CHECK (timed IN (0, 1)), -- every turn says when it began and ended
    content     BYTEA NOT NULL, -- SHA-256 of all that arrived: tells a repetition from another content
    deleted_at  BIGINT,
    event_id    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team, id),
    UNIQUE (team, source_id)
);
CREATE INDEX call_agent ON call (team, agent, id);
CREATE INDEX call_device ON call (team, device_id, id) WHERE device_id IS NOT NULL;
CREATE INDEX call_deleted ON call (team, deleted_at, id) WHERE deleted_at IS NOT NULL;

-- What was said. A table of its own, so that lists of calls never touch it.
CREATE TABLE transcript (
    team     TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL, -- the call's
    turns    TEXT COLLATE "C" NOT NULL, -- canonical JSON
    event_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team, id)
);

-- A metric's value on a call as a person set it. Reset leaves the row with NULL.
CREATE TABLE score (
    team     TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL, -- score_…
    call_id  TEXT COLLATE "C" NOT NULL,
    metric   TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C", -- a decimal
    event_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team, id),
    UNIQUE (team, call_id, metric)
);

-- Metrics that a team has switched; without a row a metric is on.
CREATE TABLE metric_setting (
    team     TEXT COLLATE "C" NOT NULL,
    id       TEXT COLLATE "C" NOT NULL, -- the metric's
    enabled  BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    event_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team, id)
);

-- A key of the API. It is never deleted: who held it stays known.
CREATE TABLE api_key (
    team       TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL, -- key_…
    name       TEXT COLLATE "C" NOT NULL,
    token_hash BYTEA NOT NULL, -- the token itself is kept nowhere
    scope      TEXT COLLATE "C" NOT NULL CHECK (scope IN ('read', 'write')),
    created_by TEXT COLLATE "C" NOT NULL, -- who answers for it: a member's id, or an operator's
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    event_id   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team, id),
    UNIQUE (team, token_hash)
);

-- A filter of the log that a member keeps under a name.
CREATE TABLE saved_view (
    team       TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL, -- view_…
    owner      TEXT COLLATE "C" NOT NULL, -- a member's id
    name       TEXT COLLATE "C" NOT NULL,
    query      TEXT COLLATE "C" NOT NULL, -- in the query language
    shared     BIGINT NOT NULL CHECK (shared IN (0, 1)),    -- with the team
    preferred  BIGINT NOT NULL CHECK (preferred IN (0, 1)), -- the log opens with it for its owner
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    event_id   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team, id)
);

-- ---- Without a record ----

-- A signed-in browser. The row goes when the session ends.
CREATE TABLE session (
    id         TEXT COLLATE "C" PRIMARY KEY, -- ses_…
    account    TEXT COLLATE "C" NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE, -- the cookie holds the token itself
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    ip         TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C" NOT NULL
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_age ON session (seen_at);

-- A one-time link that lets a person choose a password. The row stays a while
-- after its use, so that a second use can be told what happened.
CREATE TABLE sign_in_link (
    token_hash BYTEA PRIMARY KEY,
    account    TEXT COLLATE "C" NOT NULL,
    team       TEXT COLLATE "C" NOT NULL, -- the team whose Admin made it
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX sign_in_link_account ON sign_in_link (account);
CREATE INDEX sign_in_link_expiry ON sign_in_link (expires_at);

-- Failed attempts to sign in, where several processes have to know of them.
CREATE TABLE sign_in_failure (
    who      TEXT COLLATE "C" PRIMARY KEY, -- a digest of the account or the address
    failures BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    until    BIGINT NOT NULL -- nothing of them counts afterwards
);
CREATE INDEX sign_in_failure_until ON sign_in_failure (until);

-- The teams that a person ever joined: ids only, so that the table can be a
-- copy beside every team's rows where those are spread over machines.
CREATE TABLE account_team (
    account TEXT COLLATE "C" NOT NULL,
    team    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, team)
);

-- When a person was last here.
CREATE TABLE account_activity (
    account TEXT COLLATE "C" PRIMARY KEY,
    seen_at BIGINT NOT NULL
);

-- When a device was last heard of.
CREATE TABLE device_activity (
    team    TEXT COLLATE "C" NOT NULL,
    device  TEXT COLLATE "C" NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (team, device)
);

-- When a key of the API was last used.
CREATE TABLE api_key_activity (
    team    TEXT COLLATE "C" NOT NULL,
    id      TEXT COLLATE "C" NOT NULL, -- the key's
    used_at BIGINT NOT NULL,
    PRIMARY KEY (team, id)
);

-- A metric's value as computed from the transcript.
CREATE TABLE score_default (
    team    TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    metric  TEXT COLLATE "C" NOT NULL,
    value   TEXT COLLATE "C", -- a decimal; NULL: not available for this call
    version BIGINT NOT NULL, -- of the metric that computed it
    PRIMARY KEY (team, call_id, metric)
);

-- Readings of the log, and refusals of a key, that are on the record already:
-- one event stands for a session or key, what it read, and the hour.
CREATE TABLE reading (
    session TEXT COLLATE "C" NOT NULL, -- or the key
    what    TEXT COLLATE "C" NOT NULL, -- a digest
    hour    BIGINT NOT NULL, -- since 1970
    PRIMARY KEY (session, what, hour)
);
CREATE INDEX reading_hour ON reading (hour);

-- What the last check of a log found, or a witness of it.
CREATE TABLE log_finding (
    log    TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL, -- 'check', or a witness's name
    at     BIGINT NOT NULL, -- when
    leaves BIGINT NOT NULL, -- how far
    faults BIGINT NOT NULL, -- 0: all is well
    first  TEXT COLLATE "C" NOT NULL, -- the first fault, as a sentence; or ''
    PRIMARY KEY (log, source)
);

-- That a session opened a call, and whether the redirect after its own change
-- may show the call once more, until then, without being an opening.
CREATE TABLE redirect_note (
    session TEXT COLLATE "C" NOT NULL,
    call    TEXT COLLATE "C" NOT NULL,
    spare   BIGINT NOT NULL CHECK (spare IN (0, 1)),
    until   BIGINT NOT NULL, -- or, without a spare, when it was opened
    PRIMARY KEY (session, call)
);
CREATE INDEX redirect_note_until ON redirect_note (until);
