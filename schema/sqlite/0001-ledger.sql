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
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    kind TEXT NOT NULL CHECK (kind IN ('application', 'event', 'act', 'regime')),
    id TEXT NOT NULL CHECK (id <> ''),
    batch INTEGER NOT NULL REFERENCES batch (batch),
    application INTEGER REFERENCES record (seq),
    allocation TEXT CHECK (allocation IS NULL OR length(allocation) = 2),
    effective_on INTEGER NOT NULL CHECK (effective_on BETWEEN 10101 AND 99991231),
    what TEXT,
    revision INTEGER CHECK (revision > 0),
    applicant TEXT,
    license_number TEXT,
    basis TEXT CHECK (basis = 'cumulative'),
    expires_on INTEGER,
    last_valid_day INTEGER,
    corrects TEXT,
    reference TEXT,
    overrun_authority TEXT,
    refused INTEGER NOT NULL CHECK (refused IN (0, 1)),
    findings TEXT NOT NULL,
    line_count INTEGER NOT NULL CHECK (line_count >= 0),
    entry_count INTEGER NOT NULL CHECK (entry_count >= 0 AND (refused = 0 OR entry_count = 0)),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    CHECK ((kind = 'application') = (revision IS NOT NULL AND applicant IS NOT NULL)),
    CHECK ((kind = 'application') = (what IS NULL))
) STRICT;

CREATE UNIQUE INDEX record_application_number ON record (id) WHERE kind = 'application' AND application = seq;
CREATE UNIQUE INDEX record_revision ON record (application, revision) WHERE kind = 'application' AND application <> seq;
CREATE UNIQUE INDEX record_event_id ON record (id) WHERE kind IN ('event', 'act');
CREATE INDEX record_timeline ON record (application) WHERE application IS NOT NULL AND application <> seq;
CREATE INDEX record_license_number ON record (license_number) WHERE license_number IS NOT NULL;
CREATE INDEX record_corrects ON record (corrects) WHERE corrects IS NOT NULL;
CREATE INDEX record_allocation ON record (allocation) WHERE allocation IS NOT NULL;
CREATE INDEX record_refused ON record (seq) WHERE refused = 1;

CREATE TABLE line (
    seq INTEGER NOT NULL REFERENCES record (seq),
    line INTEGER NOT NULL CHECK (line > 0),
    destination TEXT NOT NULL CHECK (length(destination) = 2),
    ultimate_consignee TEXT NOT NULL,
    consignee_headquarters TEXT NOT NULL CHECK (length(consignee_headquarters) = 2),
    parent_headquarters TEXT NOT NULL CHECK (length(parent_headquarters) = 2),
    consignee_kind TEXT NOT NULL CHECK (consignee_kind IN ('private_sector', 'government')),
    assumed INTEGER NOT NULL CHECK (assumed IN (0, 1)),
    activity TEXT NOT NULL CHECK (activity IN ('export', 'reexport', 'transfer')),
    eccn TEXT NOT NULL,
    device TEXT,
    tpp_per_unit INTEGER,
    tpp_aggregated INTEGER,
    catalogue_tpp INTEGER,
    counts_per_unit INTEGER,
    counts_aggregated INTEGER,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 2147483647),
    purchase_order TEXT,
    end_use TEXT,
    PRIMARY KEY (seq, line),
    CHECK ((counts_per_unit IS NULL) <> (counts_aggregated IS NULL))
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
    ord INTEGER NOT NULL CHECK (ord >= 0),
    effective_on INTEGER NOT NULL CHECK (effective_on BETWEEN 10101 AND 99991231),
    allocation TEXT NOT NULL CHECK (length(allocation) = 2),
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
