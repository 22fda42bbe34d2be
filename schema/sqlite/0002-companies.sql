-- Migration 2: companies. Shipments under exceptions and authorizations, holdings, parties, and what is charged to their accounts.
DROP INDEX record_event_id;
CREATE UNIQUE INDEX record_event_id ON record (id) WHERE kind NOT IN ('application', 'regime');
CREATE TEMP TABLE refusal_kept AS SELECT * FROM main.refusal;
DROP TABLE main.refusal;
CREATE TABLE refusal (
    seq INTEGER NOT NULL REFERENCES record (seq),
    ord INTEGER NOT NULL CHECK (ord >= 0),
    code TEXT NOT NULL,
    allocation TEXT NOT NULL CHECK (length(allocation) >= 2),
    requested INTEGER NOT NULL,
    limit_tpp INTEGER NOT NULL,
    headroom_floor INTEGER NOT NULL,
    floor_on INTEGER NOT NULL,
    shortfall INTEGER NOT NULL CHECK (shortfall > 0),
    largest INTEGER NOT NULL CHECK (largest >= 0),
    largest_quantity INTEGER,
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;
INSERT INTO main.refusal SELECT * FROM temp.refusal_kept;
DROP TABLE temp.refusal_kept;
CREATE TABLE party (
    seq INTEGER PRIMARY KEY REFERENCES record (seq),
    party TEXT NOT NULL,
    name TEXT,
    headquarters TEXT CHECK (length(headquarters) = 2),
    parent TEXT,
    identifiers TEXT,
    merged_into TEXT,
    authorization TEXT,
    country TEXT CHECK (length(country) = 2)
) STRICT;
CREATE TABLE shipment_line (
    seq INTEGER NOT NULL REFERENCES record (seq),
    line INTEGER NOT NULL CHECK (line > 0),
    exporter TEXT NOT NULL,
    already_made INTEGER NOT NULL CHECK (already_made IN (0, 1)),
    authorization TEXT NOT NULL,
    activity TEXT NOT NULL CHECK (activity IN ('export', 'reexport', 'transfer')),
    destination TEXT NOT NULL CHECK (length(destination) = 2),
    consignee TEXT NOT NULL,
    operator TEXT,
    through_distributor INTEGER NOT NULL CHECK (through_distributor IN (0, 1)),
    facility TEXT,
    received_on INTEGER,
    eccn TEXT NOT NULL,
    device TEXT,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    tpp_per_unit INTEGER,
    tpp_aggregated INTEGER,
    tpp INTEGER NOT NULL CHECK (tpp > 0),
    PRIMARY KEY (seq, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX shipment_line_consignee ON shipment_line (consignee);
CREATE INDEX shipment_line_operator ON shipment_line (operator) WHERE operator IS NOT NULL;
CREATE TABLE holding (
    seq INTEGER PRIMARY KEY REFERENCES record (seq),
    authorization TEXT NOT NULL,
    party TEXT NOT NULL,
    country TEXT CHECK (length(country) = 2),
    facility TEXT,
    to_country TEXT CHECK (length(to_country) = 2),
    to_facility TEXT,
    tpp INTEGER NOT NULL CHECK (tpp >= 0),
    already_made INTEGER NOT NULL CHECK (already_made IN (0, 1))
) STRICT;
CREATE INDEX holding_party ON holding (party);
CREATE TABLE charge (
    seq INTEGER NOT NULL REFERENCES record (seq),
    ord INTEGER NOT NULL CHECK (ord >= 0),
    effective_on INTEGER NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    tpp INTEGER NOT NULL,
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;
CREATE TABLE account_total (
    account TEXT NOT NULL,
    day INTEGER NOT NULL,
    tpp INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;
