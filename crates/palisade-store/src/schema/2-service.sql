-- Work to be done later, and tried again when it fails. Times are in
-- milliseconds.
CREATE TABLE jobs (
    id             INTEGER PRIMARY KEY,
    kind           TEXT NOT NULL,
    subject        TEXT NOT NULL,
    created        BIGINT NOT NULL,
    run_at         BIGINT NOT NULL,
    attempts       BIGINT NOT NULL DEFAULT 0,
    leased_until   BIGINT,
    leased_by      TEXT,
    -- 1 when nobody tries any more until a person asks for it.
    dead           BIGINT NOT NULL DEFAULT 0,
    error          TEXT,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_by_time ON jobs (dead, run_at);
-- What a user is told, whether a mail reaches them or not.
CREATE TABLE notices (
    id             INTEGER PRIMARY KEY,
    user_id        INTEGER NOT NULL REFERENCES users (id),
    kind           TEXT NOT NULL,
    subject        TEXT NOT NULL,
    body           TEXT NOT NULL,
    created        BIGINT NOT NULL,
    mailed         BIGINT
);
CREATE INDEX notices_by_user ON notices (user_id, id);
ALTER TABLE users ADD COLUMN email TEXT;
-- An argon2 hash.
ALTER TABLE users ADD COLUMN password TEXT;
-- The key of the second factor, and the last time step whose code was used.
ALTER TABLE users ADD COLUMN second_factor TEXT;
ALTER TABLE users ADD COLUMN second_step BIGINT;
-- Sign-ins that failed since the last one that did not.
ALTER TABLE users ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN last_failure BIGINT;
-- When its user was told that it ends soon.
ALTER TABLE tokens ADD COLUMN warned BIGINT;
-- Who an account is at an issuer of identities.
CREATE TABLE identities (
    issuer         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    user_id        INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (issuer, subject)
);
CREATE TABLE sessions (
    hash           TEXT PRIMARY KEY,
    user_id        INTEGER NOT NULL REFERENCES users (id),
    -- Shown back by every form, so that no other site can send one.
    proof          TEXT NOT NULL,
    created        BIGINT NOT NULL,
    used           BIGINT NOT NULL,
    expires        BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
-- Who may publish without a token that lies somewhere.
CREATE TABLE publishers (
    id             INTEGER PRIMARY KEY,
    crate          TEXT NOT NULL REFERENCES crates (canonical),
    user_id        INTEGER NOT NULL REFERENCES users (id),
    issuer         TEXT NOT NULL,
    repository     TEXT NOT NULL,
    repository_id  TEXT NOT NULL,
    owner_id       TEXT NOT NULL,
    workflow       TEXT NOT NULL,
    environment    TEXT,
    created        BIGINT NOT NULL
);
CREATE INDEX publishers_by_repository ON publishers (issuer, repository_id);
-- Tokens of issuers that were exchanged; each is good for one exchange.
CREATE TABLE used_ids (
    issuer         TEXT NOT NULL,
    id             TEXT NOT NULL,
    until          BIGINT NOT NULL,
    PRIMARY KEY (issuer, id)
);
