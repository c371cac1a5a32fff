CREATE TABLE crates (
    canonical      TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    origin         TEXT NOT NULL,
    first_seen     BIGINT NOT NULL,
    etag           TEXT,
    last_modified  TEXT
);
CREATE TABLE users (
    id             INTEGER PRIMARY KEY,
    login          TEXT NOT NULL UNIQUE,
    roles          TEXT NOT NULL,
    created        BIGINT NOT NULL,
    locked_until   BIGINT,
    lock_reason    TEXT
);
CREATE TABLE versions (
    crate          TEXT NOT NULL REFERENCES crates (canonical),
    version        TEXT NOT NULL,
    -- Two versions of a hosted crate never differ in their build metadata
    -- alone; an upstream may have such versions from earlier days.
    identity       TEXT NOT NULL,
    position       BIGINT NOT NULL,
    line           TEXT NOT NULL,
    checksum       TEXT NOT NULL,
    published      BIGINT NOT NULL,
    first_seen     BIGINT NOT NULL,
    settled        BIGINT NOT NULL,
    yanked         BIGINT NOT NULL,
    yank_seen      BIGINT,
    yank_delayed   BIGINT,
    rewritten      TEXT,
    missing_since  BIGINT,
    state          TEXT NOT NULL,
    rule           TEXT,
    reason         TEXT,
    until          BIGINT,
    was_public     BIGINT NOT NULL,
    publisher      INTEGER REFERENCES users (id),
    state_record   BIGINT NOT NULL,
    PRIMARY KEY (crate, version),
    UNIQUE (crate, identity)
);
CREATE INDEX versions_by_state ON versions (state, until);
CREATE TABLE owners (
    crate          TEXT NOT NULL REFERENCES crates (canonical),
    user_id        INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (crate, user_id)
);
CREATE TABLE tokens (
    id             INTEGER PRIMARY KEY,
    user_id        INTEGER NOT NULL REFERENCES users (id),
    name           TEXT NOT NULL,
    hash           TEXT NOT NULL UNIQUE,
    scopes         TEXT NOT NULL,
    patterns       TEXT NOT NULL,
    created        BIGINT NOT NULL,
    expires        BIGINT NOT NULL,
    last_used      BIGINT,
    revoked        BIGINT
);
CREATE TABLE verdicts (
    checksum       TEXT PRIMARY KEY,
    at             BIGINT NOT NULL,
    scanner        TEXT NOT NULL,
    risk           BIGINT NOT NULL,
    summary        TEXT NOT NULL
);
CREATE TABLE settings (
    key            TEXT PRIMARY KEY,
    value          TEXT NOT NULL
);
CREATE TABLE audit (
    seq            INTEGER PRIMARY KEY,
    at             BIGINT NOT NULL,
    actor          TEXT NOT NULL,
    request        TEXT NOT NULL,
    action         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    detail         TEXT NOT NULL,
    previous       TEXT NOT NULL,
    hash           TEXT NOT NULL
);
CREATE INDEX audit_by_subject ON audit (subject, seq);
