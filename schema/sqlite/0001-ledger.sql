-- Migration 1: the ledger.

CREATE TABLE migration (
    version INTEGER PRIMARY KEY CHECK (version > 0),
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64)
) STRICT;

CREATE TABLE regime (
    adopted_by INTEGER PRIMARY KEY CHECK (adopted_by >= 0),
    id TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    text TEXT NOT NULL
) STRICT;

CREATE TABLE batch (
    batch INTEGER PRIMARY KEY CHECK (batch > 0),
    recorded_at INTEGER NOT NULL CHECK (recorded_at >= 0),
    recorded_by TEXT NOT NULL,
    source TEXT NOT NULL,
    source_sha256 BLOB CHECK (source_sha256 IS NULL OR length(source_sha256) = 32)
) STRICT;

CREATE TABLE whole_source (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    batch INTEGER NOT NULL REFERENCES batch (batch)
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    batch INTEGER NOT NULL REFERENCES batch (batch),
    application INTEGER REFERENCES record (seq),
    allocation TEXT,
    effective_on INTEGER NOT NULL,
    what TEXT,
    revision INTEGER,
    applicant TEXT,
    license_number TEXT,
    basis TEXT,
    expires_on INTEGER,
    last_valid_day INTEGER,
    corrects TEXT,
    reference TEXT,
    overrun_authority TEXT,
    refused INTEGER NOT NULL,
    findings TEXT NOT NULL,
    line_count INTEGER NOT NULL,
    entry_count INTEGER NOT NULL,
    digest BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX record_application_number ON record (id) WHERE kind = 'application' AND application = seq;
CREATE UNIQUE INDEX record_event_id ON record (id) WHERE kind IN ('event', 'act');
CREATE INDEX record_timeline ON record (application) WHERE application IS NOT NULL AND application <> seq;
CREATE INDEX record_license_number ON record (license_number) WHERE license_number IS NOT NULL;
CREATE INDEX record_corrects ON record (corrects) WHERE corrects IS NOT NULL;

CREATE TABLE line (
    seq INTEGER NOT NULL REFERENCES record (seq),
    line INTEGER NOT NULL,
    destination TEXT NOT NULL,
    ultimate_consignee TEXT NOT NULL,
    consignee_headquarters TEXT NOT NULL,
    parent_headquarters TEXT NOT NULL,
    consignee_kind TEXT NOT NULL,
    assumed INTEGER NOT NULL,
    activity TEXT NOT NULL,
    eccn TEXT NOT NULL,
    device TEXT,
    tpp_per_unit INTEGER,
    tpp_aggregated INTEGER,
    catalogue_tpp INTEGER,
    counts_per_unit INTEGER,
    counts_aggregated INTEGER,
    quantity INTEGER NOT NULL,
    purchase_order TEXT,
    end_use TEXT,
    PRIMARY KEY (seq, line)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_line (
    seq INTEGER NOT NULL REFERENCES record (seq),
    ord INTEGER NOT NULL CHECK (ord >= 0),
    line INTEGER,
    quantity INTEGER,
    resolved INTEGER NOT NULL CHECK (resolved IN (0, 1)),
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;

CREATE TABLE act (
    seq INTEGER PRIMARY KEY REFERENCES record (seq),
    destination TEXT NOT NULL CHECK (length(destination) = 2),
    percent TEXT,
    tpp_given INTEGER,
    tpp INTEGER
) STRICT;

CREATE TABLE refusal (
    seq INTEGER NOT NULL REFERENCES record (seq),
    ord INTEGER NOT NULL CHECK (ord >= 0),
    code TEXT NOT NULL,
    allocation TEXT NOT NULL CHECK (length(allocation) = 2),
    requested INTEGER NOT NULL,
    limit_tpp INTEGER NOT NULL,
    headroom_floor INTEGER NOT NULL,
    floor_on INTEGER NOT NULL,
    shortfall INTEGER NOT NULL CHECK (shortfall > 0),
    largest INTEGER NOT NULL CHECK (largest >= 0),
    largest_quantity INTEGER,
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (
    seq INTEGER NOT NULL REFERENCES record (seq),
    ord INTEGER NOT NULL,
    effective_on INTEGER NOT NULL,
    allocation TEXT NOT NULL,
    kind TEXT NOT NULL,
    pending INTEGER NOT NULL,
    licensed INTEGER NOT NULL,
    not_limited INTEGER NOT NULL,
    shipped INTEGER NOT NULL,
    increase INTEGER NOT NULL,
    withheld INTEGER NOT NULL,
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;

CREATE TABLE day_total (
    allocation TEXT NOT NULL CHECK (length(allocation) = 2),
    day INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    licensed INTEGER NOT NULL,
    not_limited INTEGER NOT NULL,
    shipped INTEGER NOT NULL,
    increase INTEGER NOT NULL,
    withheld INTEGER NOT NULL,
    PRIMARY KEY (allocation, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE month_opening (
    allocation TEXT NOT NULL CHECK (length(allocation) = 2),
    month INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    licensed INTEGER NOT NULL,
    not_limited INTEGER NOT NULL,
    shipped INTEGER NOT NULL,
    increase INTEGER NOT NULL,
    withheld INTEGER NOT NULL,
    PRIMARY KEY (allocation, month)
) STRICT, WITHOUT ROWID;
