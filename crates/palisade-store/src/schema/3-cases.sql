-- Every rule that objects to a version, not only the strongest: a waiver of
-- one must not let through what another one keeps back.
ALTER TABLE versions ADD COLUMN rules TEXT NOT NULL DEFAULT '';
DROP TABLE verdicts;
CREATE TABLE inspections (
    checksum       TEXT PRIMARY KEY,
    at             BIGINT NOT NULL,
    defect         TEXT,
    licence        TEXT,
    scanner        TEXT,
    risk           BIGINT,
    summary        TEXT,
    secret         TEXT,
    imitates       TEXT,
    findings       TEXT
);
-- Kept when the version is deleted, so there is no reference to it.
CREATE TABLE evidence (
    id             INTEGER PRIMARY KEY,
    crate          TEXT NOT NULL,
    version        TEXT NOT NULL,
    checksum       TEXT NOT NULL,
    at             BIGINT NOT NULL,
    author         TEXT NOT NULL,
    body           TEXT NOT NULL,
    record         BIGINT NOT NULL
);
CREATE INDEX evidence_by_version ON evidence (crate, version);
CREATE TABLE appeals (
    id             INTEGER PRIMARY KEY,
    crate          TEXT NOT NULL,
    version        TEXT NOT NULL,
    checksum       TEXT NOT NULL,
    about          BIGINT NOT NULL,
    author         TEXT NOT NULL,
    at             BIGINT NOT NULL,
    body           TEXT NOT NULL,
    decided_by     TEXT,
    decided        BIGINT,
    granted        BIGINT,
    reply          TEXT,
    -- A decision is appealed against once.
    UNIQUE (crate, version, about)
);
CREATE TABLE waivers (
    id             INTEGER PRIMARY KEY,
    pattern        TEXT NOT NULL,
    versions       TEXT,
    rules          TEXT NOT NULL,
    login          TEXT,
    reason         TEXT NOT NULL,
    requested_by   TEXT NOT NULL,
    requested      BIGINT NOT NULL,
    expires        BIGINT NOT NULL,
    decided_by     TEXT,
    decided        BIGINT,
    approved       BIGINT,
    ended_by       TEXT,
    ended          BIGINT
);
CREATE TABLE holds (
    id             INTEGER PRIMARY KEY,
    kind           TEXT NOT NULL,
    pattern        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    author         TEXT NOT NULL,
    at             BIGINT NOT NULL,
    expires        BIGINT NOT NULL,
    ended          BIGINT
);
CREATE TABLE names (
    pattern        TEXT PRIMARY KEY,
    kind           TEXT NOT NULL,
    login          TEXT,
    reason         TEXT NOT NULL,
    author         TEXT NOT NULL,
    at             BIGINT NOT NULL,
    expires        BIGINT
);
CREATE TABLE limits (
    subject        TEXT NOT NULL,
    kind           TEXT NOT NULL,
    value          BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    author         TEXT NOT NULL,
    at             BIGINT NOT NULL,
    expires        BIGINT NOT NULL,
    PRIMARY KEY (subject, kind)
);
CREATE TABLE requests (
    id             INTEGER PRIMARY KEY,
    action         TEXT NOT NULL,
    title          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    author         TEXT NOT NULL,
    at             BIGINT NOT NULL,
    expires        BIGINT NOT NULL,
    decided_by     TEXT,
    decided        BIGINT,
    approved       BIGINT
);
CREATE TABLE disclosures (
    id             INTEGER PRIMARY KEY,
    crate          TEXT NOT NULL,
    title          TEXT NOT NULL,
    body           TEXT NOT NULL,
    author         TEXT NOT NULL,
    opened         BIGINT NOT NULL,
    deadline       BIGINT NOT NULL,
    notified       BIGINT,
    resolved       BIGINT,
    resolution     TEXT
);
-- A version number is never used again, whatever becomes of the version.
CREATE TABLE deleted_versions (
    crate          TEXT NOT NULL,
    version        TEXT NOT NULL,
    identity       TEXT NOT NULL,
    checksum       TEXT NOT NULL,
    publisher      INTEGER,
    first_seen     BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    record         BIGINT NOT NULL,
    PRIMARY KEY (crate, version),
    UNIQUE (crate, identity)
);
