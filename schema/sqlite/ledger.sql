-- The whole current schema of a ledger, to read. The program does not run this file: it runs the migrations in order and
-- then guards.sql. A test executes both ways and compares what SQLite keeps, white space and comments aside.
--
-- Conventions. Days are whole numbers YYYYMMDD. Amounts (every column that says TPP) are whole thousandths of a TPP.
-- Moments are seconds since 1970-01-01 UTC. Digests are the 32 bytes of SHA-256. Flags are 0 or 1. NULL means "not given",
-- never zero. Every row belongs to a record by `seq`; `ord` counts the rows of one record from 0.
--
-- Facts: migration, regime, batch, whole_source, record, line, event_line, act, refusal, entry, party, shipment_line,
-- holding, charge, filing, filed_file, filed_part. They are append-only:
-- the guards at the end refuse everything but the next row, whichever program opens the file.
-- Sums: day_total, month_opening from entry, account_total from charge. They can be rebuilt, and `tppledger verify` compares them.
-- The header of the file carries application_id 0x54505031 ("TPP1") and user_version = the number of migrations.

-- Which migrations were applied, in order.
CREATE TABLE migration (
    version INTEGER PRIMARY KEY CHECK (version > 0),      -- 1, 2, 3, ... without a gap
    name TEXT NOT NULL,                                   -- file name, e.g. 0001-ledger.sql
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64)      -- of the file's bytes, in small hexadecimal letters
) STRICT;

-- The regimes the ledger was kept under, each with its whole text. Figures through record N use the last one with
-- adopted_by <= N.
CREATE TABLE regime (
    -- record that adopted it; 0 for the first
    adopted_by INTEGER PRIMARY KEY CHECK (adopted_by >= 0),
    id TEXT NOT NULL,                                     -- short name, e.g. us-ear-ai-diffusion
    digest BLOB NOT NULL CHECK (length(digest) = 32),     -- of its deciding values; the first one starts the chain
    text TEXT NOT NULL                                    -- its files, each behind a line "--- NAME BYTES"
) STRICT;

-- Who recorded, when, from which file: one row a transaction that recorded something.
CREATE TABLE batch (
    batch INTEGER PRIMARY KEY CHECK (batch > 0),          -- dense from 1
    -- moment; never before that of an earlier batch
    recorded_at INTEGER NOT NULL CHECK (recorded_at >= 0),
    recorded_by TEXT NOT NULL,                            -- --by, else the login name
    source TEXT NOT NULL,                                 -- file name without its folder, or "record"
    -- of the file's bytes; NULL when by hand
    source_sha256 BLOB CHECK (source_sha256 IS NULL OR length(source_sha256) = 32)
) STRICT;

-- Files recorded whole, row for row: the same bytes again need not be read again.
CREATE TABLE whole_source (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),  -- of the file's bytes
    batch INTEGER NOT NULL REFERENCES batch (batch)       -- the batch that recorded it
) STRICT, WITHOUT ROWID;

-- One accepted or refused unit of input, in the one order of the ledger.
CREATE TABLE record (
    seq INTEGER PRIMARY KEY,                              -- dense from 1
    kind TEXT NOT NULL,                                   -- application, event, act, company or regime
    id TEXT NOT NULL,                                     -- application number, event id, or a regime's digest
    batch INTEGER NOT NULL REFERENCES batch (batch),      -- who, when, from where
    application INTEGER REFERENCES record (seq),          -- the application's first record, its own seq if it is that; NULL: none
    allocation TEXT,                                      -- country of an act, or of the correction of one; NULL for all else
    effective_on INTEGER NOT NULL,                        -- day it counts from; of an application submitted_on
    what TEXT,                                            -- event, act or fact of a company, e.g. issue, commit, installed; "adopt" for a regime
    revision INTEGER,                                     -- of an application
    applicant TEXT,                                       -- of an application
    license_number TEXT,                                  -- of an event: given by an issue, else as named in the row
    basis TEXT,                                           -- of an event: cumulative; NULL is delta
    expires_on INTEGER,                                   -- of an issue or extend, as given
    last_valid_day INTEGER,                               -- of an issue, settled when it was recorded
    corrects TEXT,                                        -- of a correct: the id of what it undoes
    reference TEXT,                                       -- document, order number or text
    overrun_authority TEXT,                               -- order under which a limit may be passed
    refused INTEGER NOT NULL,                             -- 1: a limit said no; it posts nothing, its id stays taken
    findings TEXT NOT NULL,                               -- "code (detail); code", in order of precedence
    line_count INTEGER NOT NULL,                          -- its rows in line, event_line or shipment_line
    entry_count INTEGER NOT NULL,                         -- its rows in entry and charge
    digest BLOB NOT NULL                                  -- head of the chain after it: docs/record-chain.md
) STRICT;

-- A new number is a new application: at its first record, once.
CREATE UNIQUE INDEX record_application_number ON record (id) WHERE kind = 'application' AND application = seq;
-- An event id, once for ever; acts and facts of companies share the namespace.
CREATE UNIQUE INDEX record_event_id ON record (id) WHERE kind NOT IN ('application', 'regime');
-- The timeline of an application: its revisions and events after its first record.
CREATE INDEX record_timeline ON record (application) WHERE application IS NOT NULL AND application <> seq;
-- The issue behind a license number.
CREATE INDEX record_license_number ON record (license_number) WHERE license_number IS NOT NULL;
-- Whether a record was undone, and by what.
CREATE INDEX record_corrects ON record (corrects) WHERE corrects IS NOT NULL;

-- The lines of an application's revision, each as it was meant after defaults.
CREATE TABLE line (
    seq INTEGER NOT NULL REFERENCES record (seq),         -- record of the application or of its revision
    line INTEGER NOT NULL,                                -- line number
    destination TEXT NOT NULL,                            -- as stated: a territory stays one here
    ultimate_consignee TEXT NOT NULL,                     -- who receives
    consignee_headquarters TEXT NOT NULL,                 -- country
    parent_headquarters TEXT NOT NULL,                    -- country
    consignee_kind TEXT NOT NULL,                         -- private_sector or government
    assumed INTEGER NOT NULL,                             -- 1: headquarters or kind stood blank
    activity TEXT NOT NULL,                               -- export, reexport or transfer
    eccn TEXT NOT NULL,                                   -- classification, e.g. 3A090.a
    device TEXT,                                          -- catalogue name of the device or system
    tpp_per_unit INTEGER,                                 -- TPP of a unit, as declared
    tpp_aggregated INTEGER,                               -- TPP of the line, as declared in block 22(j)
    catalogue_tpp INTEGER,                                -- TPP of a unit by the catalogue of that day
    counts_per_unit INTEGER,                              -- what counts: TPP of each unit ...
    counts_aggregated INTEGER,                            -- ... or of the whole line; exactly one of the two
    quantity INTEGER NOT NULL,                            -- units asked for
    purchase_order TEXT,                                  -- text
    end_use TEXT,                                         -- text
    PRIMARY KEY (seq, line)
) STRICT, WITHOUT ROWID;

-- The lines of an event, where they say something: an event without rows means all that can be meant.
CREATE TABLE event_line (
    seq INTEGER NOT NULL REFERENCES record (seq),         -- record of the event
    ord INTEGER NOT NULL CHECK (ord >= 0),                -- first the rows as given, then those settled
    line INTEGER,                                         -- line of the application; NULL: every line
    quantity INTEGER,                                     -- units; NULL: all that can be meant
    -- 1: settled when recorded, for a ship with a blank quantity
    resolved INTEGER NOT NULL CHECK (resolved IN (0, 1)),
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;

-- What an act says beside its record.
CREATE TABLE act (
    seq INTEGER PRIMARY KEY REFERENCES record (seq),      -- record of the act
    -- as stated
    destination TEXT NOT NULL CHECK (length(destination) = 2),
    percent TEXT,                                         -- of the base, as given: a decimal without trailing zeros
    tpp_given INTEGER,                                    -- TPP, as given
    tpp INTEGER                                           -- TPP, settled when recorded; NULL: all, or no amount
) STRICT;

-- The limits that a refused record would have broken.
CREATE TABLE refusal (
    seq INTEGER NOT NULL REFERENCES record (seq),         -- record that was refused
    ord INTEGER NOT NULL CHECK (ord >= 0),                -- which of its broken limits
    code TEXT NOT NULL,                                   -- e.g. allocation_exceeded
    -- whose limit: a country, or a company's account
    allocation TEXT NOT NULL CHECK (length(allocation) >= 2),
    requested INTEGER NOT NULL,                           -- TPP: the rise on floor_on
    limit_tpp INTEGER NOT NULL,                           -- TPP: the limit on floor_on
    headroom_floor INTEGER NOT NULL,                      -- TPP: the headroom on floor_on
    floor_on INTEGER NOT NULL,                            -- first day with the largest shortfall
    shortfall INTEGER NOT NULL CHECK (shortfall > 0),     -- TPP: requested - headroom_floor
    largest INTEGER NOT NULL CHECK (largest >= 0),        -- TPP: the most that would fit
    largest_quantity INTEGER,                             -- units that would fit, for a single line
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;

-- One immutable posting of a record: what moves in an allocation from a day on. Every figure is a sum of these.
CREATE TABLE entry (
    seq INTEGER NOT NULL REFERENCES record (seq),         -- record that posts it
    ord INTEGER NOT NULL,                                 -- which of its entries
    effective_on INTEGER NOT NULL,                        -- day it counts from
    allocation TEXT NOT NULL,                             -- the country whose allocation moves
    kind TEXT NOT NULL,                                   -- why: pending, issued, shipped, expired, ...
    pending INTEGER NOT NULL,                             -- TPP asked for and not decided
    licensed INTEGER NOT NULL,                            -- TPP licensed, less what was given back
    not_limited INTEGER NOT NULL,                         -- TPP: the part of licensed that the limit does not bind
    shipped INTEGER NOT NULL,                             -- TPP: the part of licensed that left
    increase INTEGER NOT NULL,                            -- TPP: increase of the limit
    withheld INTEGER NOT NULL,                            -- TPP set aside from issue
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;

-- Entries summed by allocation and day, at the head of the ledger. Kept, so that a decision need not read history.
CREATE TABLE day_total (
    -- country
    allocation TEXT NOT NULL CHECK (length(allocation) = 2),
    day INTEGER NOT NULL,                                 -- effective day
    pending INTEGER NOT NULL,                             -- TPP, the six measures as in entry
    licensed INTEGER NOT NULL,                            -- TPP
    not_limited INTEGER NOT NULL,                         -- TPP
    shipped INTEGER NOT NULL,                             -- TPP
    increase INTEGER NOT NULL,                            -- TPP
    withheld INTEGER NOT NULL,                            -- TPP
    PRIMARY KEY (allocation, day)
) STRICT, WITHOUT ROWID;

-- Day totals summed up to a month: one row after each month in which something moved. A position is the last opening
-- before the day and the day totals since, so it costs the same at any size.
CREATE TABLE month_opening (
    -- country
    allocation TEXT NOT NULL CHECK (length(allocation) = 2),
    month INTEGER NOT NULL,                               -- first day of the month; sums all days before it
    pending INTEGER NOT NULL,                             -- TPP, the six measures as in entry
    licensed INTEGER NOT NULL,                            -- TPP
    not_limited INTEGER NOT NULL,                         -- TPP
    shipped INTEGER NOT NULL,                             -- TPP
    increase INTEGER NOT NULL,                            -- TPP
    withheld INTEGER NOT NULL,                            -- TPP
    PRIMARY KEY (allocation, month)
) STRICT, WITHOUT ROWID;

-- What is stated of a party, beside its record: docs/companies.md.
CREATE TABLE party (
    seq INTEGER PRIMARY KEY REFERENCES record (seq),      -- record of the statement
    party TEXT NOT NULL,                                  -- of whom
    name TEXT,                                            -- describe: its name
    headquarters TEXT CHECK (length(headquarters) = 2),   -- describe: country
    parent TEXT,                                          -- describe: party; 'none': it has none; NULL: not known
    identifiers TEXT,                                     -- describe: separated by ";"
    merged_into TEXT,                                     -- merge: the party that it is
    authorization TEXT,                                   -- authorize, end_authorization: UVEU or NVEU
    country TEXT CHECK (length(country) = 2)              -- of a national authorization
) STRICT;

-- The lines of a shipment under exceptions and authorizations.
CREATE TABLE shipment_line (
    seq INTEGER NOT NULL REFERENCES record (seq),         -- record of the shipment
    line INTEGER NOT NULL CHECK (line > 0),               -- line number
    exporter TEXT NOT NULL,                               -- who ships; the same in every line
    -- 1: it had left when it was recorded; the same in every line
    already_made INTEGER NOT NULL CHECK (already_made IN (0, 1)),
    authorization TEXT NOT NULL,                          -- AIA, ACM, LPP, ACA, NAC, UVEU or NVEU
    activity TEXT NOT NULL CHECK (activity IN ('export', 'reexport', 'transfer')), -- what is done
    destination TEXT NOT NULL CHECK (length(destination) = 2), -- as stated
    consignee TEXT NOT NULL,                              -- party that receives and owns
    operator TEXT,                                        -- party whose limit is used
    through_distributor INTEGER NOT NULL CHECK (through_distributor IN (0, 1)), -- 1: it goes to a distributor
    facility TEXT,                                        -- facility
    received_on INTEGER,                                  -- day of receipt
    eccn TEXT NOT NULL,                                   -- classification
    device TEXT,                                          -- catalogue name
    quantity INTEGER NOT NULL CHECK (quantity > 0),       -- units
    tpp_per_unit INTEGER,                                 -- TPP of a unit, as declared
    tpp_aggregated INTEGER,                               -- TPP of the line, as declared
    tpp INTEGER NOT NULL CHECK (tpp > 0),                 -- TPP of the line, settled when it was recorded
    PRIMARY KEY (seq, line)
) STRICT, WITHOUT ROWID;

-- The shipments of a party: charged anew when its parent becomes known.
CREATE INDEX shipment_line_consignee ON shipment_line (consignee);
-- Those that use its limit.
CREATE INDEX shipment_line_operator ON shipment_line (operator) WHERE operator IS NOT NULL;

-- What a company holds, moves, loses or certifies, beside its record.
CREATE TABLE holding (
    seq INTEGER PRIMARY KEY REFERENCES record (seq),      -- record of the holding
    authorization TEXT NOT NULL,                          -- under what
    party TEXT NOT NULL,                                  -- whose
    country TEXT CHECK (length(country) = 2),             -- where
    facility TEXT,                                        -- in which facility
    to_country TEXT CHECK (length(to_country) = 2),       -- moved: where to
    to_facility TEXT,                                     -- moved: where to
    tpp INTEGER NOT NULL CHECK (tpp >= 0),                -- TPP
    already_made INTEGER NOT NULL CHECK (already_made IN (0, 1)) -- 1: the move had been made when it was recorded
) STRICT;

-- The holdings of a party.
CREATE INDEX holding_party ON holding (party);

-- One immutable posting of a record to a company's account: what moves from a day on.
CREATE TABLE charge (
    seq INTEGER NOT NULL REFERENCES record (seq),         -- record that posts it
    ord INTEGER NOT NULL CHECK (ord >= 0),                -- which of its charges
    effective_on INTEGER NOT NULL,                        -- day it counts from
    account TEXT NOT NULL,                                -- e.g. LPP:ACME:year=2026
    kind TEXT NOT NULL,                                   -- why: shipped, installed, moved, attrition, certified, ...
    tpp INTEGER NOT NULL,                                 -- TPP
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;

-- Charges summed by account and day, at the head of the ledger.
CREATE TABLE account_total (
    account TEXT NOT NULL,                                -- as in charge
    day INTEGER NOT NULL,                                 -- effective day
    tpp INTEGER NOT NULL,                                 -- TPP
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE filing (
    seq INTEGER PRIMARY KEY REFERENCES record (seq),      -- record, of kind filing; what says close or reopen
    quarter TEXT NOT NULL CHECK (length(quarter) = 7),    -- e.g. 2026-Q2
    through INTEGER NOT NULL CHECK (through >= 0)         -- record through which its figures count; of a reopening, the closing
) STRICT;

CREATE TABLE filed_file (
    seq INTEGER NOT NULL REFERENCES record (seq),         -- record of the closing
    ord INTEGER NOT NULL CHECK (ord >= 0),                -- which of its files
    name TEXT NOT NULL,                                   -- name in the pack
    bytes INTEGER NOT NULL CHECK (bytes >= 0),            -- length
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),     -- digest of its bytes
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;

CREATE TABLE filed_part (
    seq INTEGER NOT NULL REFERENCES record (seq),         -- as in filed_file
    ord INTEGER NOT NULL CHECK (ord >= 0),                -- as in filed_file
    part INTEGER NOT NULL CHECK (part >= 0),              -- which part
    gzip BLOB NOT NULL,                                   -- the parts of a file, one after another, are a gzip stream of its bytes
    UNIQUE (seq, ord, part)
) STRICT;

-- From here on: guards.sql, statement for statement.
--
-- Guards: the file itself keeps facts append-only against every program that opens it. UPDATE and DELETE are refused;
-- an insert is refused when its key is there (INSERT OR REPLACE would get past the other two) and when it is out of
-- order: records are numbered densely, and the rows of a record come with it, in the number it states, before the next.
-- What a row may hold is checked here too and not by CHECK, which would cost a bulk import of the program itself.
-- The guards are dropped and made again inside the transaction of a bulk import; nobody sees the gap.
CREATE TRIGGER guard_migration_update BEFORE UPDATE ON migration BEGIN SELECT RAISE(ABORT, 'append-only: migration is never updated'); END;
CREATE TRIGGER guard_migration_delete BEFORE DELETE ON migration BEGIN SELECT RAISE(ABORT, 'append-only: migration is never deleted from'); END;
CREATE TRIGGER guard_regime_update BEFORE UPDATE ON regime BEGIN SELECT RAISE(ABORT, 'append-only: regime is never updated'); END;
CREATE TRIGGER guard_regime_delete BEFORE DELETE ON regime BEGIN SELECT RAISE(ABORT, 'append-only: regime is never deleted from'); END;
CREATE TRIGGER guard_batch_update BEFORE UPDATE ON batch BEGIN SELECT RAISE(ABORT, 'append-only: batch is never updated'); END;
CREATE TRIGGER guard_batch_delete BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'append-only: batch is never deleted from'); END;
CREATE TRIGGER guard_whole_source_update BEFORE UPDATE ON whole_source BEGIN SELECT RAISE(ABORT, 'append-only: whole_source is never updated'); END;
CREATE TRIGGER guard_whole_source_delete BEFORE DELETE ON whole_source BEGIN SELECT RAISE(ABORT, 'append-only: whole_source is never deleted from'); END;
CREATE TRIGGER guard_record_update BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'append-only: record is never updated'); END;
CREATE TRIGGER guard_record_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'append-only: record is never deleted from'); END;
CREATE TRIGGER guard_line_update BEFORE UPDATE ON line BEGIN SELECT RAISE(ABORT, 'append-only: line is never updated'); END;
CREATE TRIGGER guard_line_delete BEFORE DELETE ON line BEGIN SELECT RAISE(ABORT, 'append-only: line is never deleted from'); END;
CREATE TRIGGER guard_event_line_update BEFORE UPDATE ON event_line BEGIN SELECT RAISE(ABORT, 'append-only: event_line is never updated'); END;
CREATE TRIGGER guard_event_line_delete BEFORE DELETE ON event_line BEGIN SELECT RAISE(ABORT, 'append-only: event_line is never deleted from'); END;
CREATE TRIGGER guard_act_update BEFORE UPDATE ON act BEGIN SELECT RAISE(ABORT, 'append-only: act is never updated'); END;
CREATE TRIGGER guard_act_delete BEFORE DELETE ON act BEGIN SELECT RAISE(ABORT, 'append-only: act is never deleted from'); END;
CREATE TRIGGER guard_refusal_update BEFORE UPDATE ON refusal BEGIN SELECT RAISE(ABORT, 'append-only: refusal is never updated'); END;
CREATE TRIGGER guard_refusal_delete BEFORE DELETE ON refusal BEGIN SELECT RAISE(ABORT, 'append-only: refusal is never deleted from'); END;
CREATE TRIGGER guard_entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'append-only: entry is never updated'); END;
CREATE TRIGGER guard_entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'append-only: entry is never deleted from'); END;
CREATE TRIGGER guard_party_update BEFORE UPDATE ON party BEGIN SELECT RAISE(ABORT, 'append-only: party is never updated'); END;
CREATE TRIGGER guard_party_delete BEFORE DELETE ON party BEGIN SELECT RAISE(ABORT, 'append-only: party is never deleted from'); END;
CREATE TRIGGER guard_shipment_line_update BEFORE UPDATE ON shipment_line BEGIN SELECT RAISE(ABORT, 'append-only: shipment_line is never updated'); END;
CREATE TRIGGER guard_shipment_line_delete BEFORE DELETE ON shipment_line BEGIN SELECT RAISE(ABORT, 'append-only: shipment_line is never deleted from'); END;
CREATE TRIGGER guard_holding_update BEFORE UPDATE ON holding BEGIN SELECT RAISE(ABORT, 'append-only: holding is never updated'); END;
CREATE TRIGGER guard_holding_delete BEFORE DELETE ON holding BEGIN SELECT RAISE(ABORT, 'append-only: holding is never deleted from'); END;
CREATE TRIGGER guard_charge_update BEFORE UPDATE ON charge BEGIN SELECT RAISE(ABORT, 'append-only: charge is never updated'); END;
CREATE TRIGGER guard_charge_delete BEFORE DELETE ON charge BEGIN SELECT RAISE(ABORT, 'append-only: charge is never deleted from'); END;
CREATE TRIGGER guard_filing_update BEFORE UPDATE ON filing BEGIN SELECT RAISE(ABORT, 'append-only: filing is never updated'); END;
CREATE TRIGGER guard_filing_delete BEFORE DELETE ON filing BEGIN SELECT RAISE(ABORT, 'append-only: filing is never deleted from'); END;
CREATE TRIGGER guard_filed_file_update BEFORE UPDATE ON filed_file BEGIN SELECT RAISE(ABORT, 'append-only: filed_file is never updated'); END;
CREATE TRIGGER guard_filed_file_delete BEFORE DELETE ON filed_file BEGIN SELECT RAISE(ABORT, 'append-only: filed_file is never deleted from'); END;
CREATE TRIGGER guard_filed_part_update BEFORE UPDATE ON filed_part BEGIN SELECT RAISE(ABORT, 'append-only: filed_part is never updated'); END;
CREATE TRIGGER guard_filed_part_delete BEFORE DELETE ON filed_part BEGIN SELECT RAISE(ABORT, 'append-only: filed_part is never deleted from'); END;
CREATE TRIGGER guard_migration_insert BEFORE INSERT ON migration BEGIN
    SELECT RAISE(ABORT, 'append-only: migrations are numbered densely') WHERE NEW.version IS NOT (SELECT coalesce(max(version), 0) + 1 FROM migration);
END;
CREATE TRIGGER guard_regime_insert BEFORE INSERT ON regime BEGIN
    SELECT RAISE(ABORT, 'append-only: regimes are kept in order') WHERE NEW.adopted_by <= (SELECT coalesce(max(adopted_by), -1) FROM regime);
END;
CREATE TRIGGER guard_batch_insert BEFORE INSERT ON batch BEGIN
    SELECT RAISE(ABORT, 'append-only: batches are numbered densely') WHERE NEW.batch IS NOT (SELECT coalesce(max(batch), 0) + 1 FROM batch);
END;
CREATE TRIGGER guard_whole_source_insert BEFORE INSERT ON whole_source BEGIN
    SELECT RAISE(ABORT, 'append-only: the file is noted already') WHERE EXISTS (SELECT 1 FROM whole_source WHERE sha256 = NEW.sha256);
END;
CREATE TRIGGER guard_record_insert BEFORE INSERT ON record BEGIN
    SELECT RAISE(ABORT, 'append-only: no such kind of record') WHERE NEW.kind NOT IN ('application', 'event', 'act', 'company', 'filing', 'regime');
    SELECT RAISE(ABORT, 'append-only: a field of the record is out of its range') WHERE NEW.id = '' OR NEW.effective_on NOT BETWEEN 10101 AND 99991231 OR length(NEW.digest) <> 32 OR length(NEW.allocation) <> 2;
    SELECT RAISE(ABORT, 'append-only: an application has a revision and an applicant, anything else says what it is') WHERE (NEW.kind = 'application') <> (NEW.revision IS NOT NULL AND NEW.applicant IS NOT NULL AND NEW.what IS NULL);
    SELECT RAISE(ABORT, 'append-only: a refused record posts nothing') WHERE NEW.refused NOT IN (0, 1) OR NEW.line_count < 0 OR NEW.entry_count < 0 OR (NEW.refused = 1 AND NEW.entry_count > 0);
    SELECT RAISE(ABORT, 'append-only: records are numbered densely') WHERE NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM record);
    SELECT RAISE(ABORT, 'append-only: an event id is unique for ever') WHERE NEW.kind NOT IN ('application', 'regime') AND EXISTS (SELECT 1 FROM record WHERE id = NEW.id AND kind NOT IN ('application', 'regime'));
    SELECT RAISE(ABORT, 'append-only: an application number is unique') WHERE NEW.kind = 'application' AND NEW.application = NEW.seq AND EXISTS (SELECT 1 FROM record WHERE id = NEW.id AND kind = 'application' AND application = seq);
    SELECT RAISE(ABORT, 'append-only: a revision is unique') WHERE NEW.kind = 'application' AND NEW.application <> NEW.seq AND EXISTS (SELECT 1 FROM record WHERE application = NEW.application AND application <> seq AND kind = 'application' AND revision = NEW.revision);
    SELECT RAISE(ABORT, 'append-only: the lines of the last record are missing') WHERE (SELECT line_count FROM record ORDER BY seq DESC LIMIT 1) > (SELECT count(*) FROM line WHERE seq = NEW.seq - 1) + (SELECT count(*) FROM event_line WHERE seq = NEW.seq - 1) + (SELECT count(*) FROM shipment_line WHERE seq = NEW.seq - 1) + (SELECT count(*) FROM filed_file WHERE seq = NEW.seq - 1);
    SELECT RAISE(ABORT, 'append-only: the entries of the last record are missing') WHERE (SELECT entry_count FROM record ORDER BY seq DESC LIMIT 1) > (SELECT count(*) FROM entry WHERE seq = NEW.seq - 1) + (SELECT count(*) FROM charge WHERE seq = NEW.seq - 1);
END;
CREATE TRIGGER guard_line_insert BEFORE INSERT ON line BEGIN
    SELECT RAISE(ABORT, 'append-only: a field of the line is out of its range') WHERE NEW.line < 1 OR length(NEW.destination) <> 2 OR length(NEW.consignee_headquarters) <> 2 OR length(NEW.parent_headquarters) <> 2 OR NEW.assumed NOT IN (0, 1);
    SELECT RAISE(ABORT, 'append-only: no such kind of consignee or activity') WHERE NEW.consignee_kind NOT IN ('private_sector', 'government') OR NEW.activity NOT IN ('export', 'reexport', 'transfer');
    SELECT RAISE(ABORT, 'append-only: a line counts a quantity by the unit or in aggregate') WHERE NEW.quantity NOT BETWEEN 1 AND 2147483647 OR (NEW.counts_per_unit IS NULL) = (NEW.counts_aggregated IS NULL);
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM line WHERE seq = NEW.seq AND line = NEW.line);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM line WHERE seq = NEW.seq) >= (SELECT line_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_event_line_insert BEFORE INSERT ON event_line BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM event_line WHERE seq = NEW.seq AND ord = NEW.ord);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM event_line WHERE seq = NEW.seq) >= (SELECT line_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_act_insert BEFORE INSERT ON act BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM act WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_refusal_insert BEFORE INSERT ON refusal BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM refusal WHERE seq = NEW.seq AND ord = NEW.ord);
END;
CREATE TRIGGER guard_entry_insert BEFORE INSERT ON entry BEGIN
    SELECT RAISE(ABORT, 'append-only: a field of the entry is out of its range') WHERE NEW.ord < 0 OR NEW.effective_on NOT BETWEEN 10101 AND 99991231 OR length(NEW.allocation) <> 2;
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM entry WHERE seq = NEW.seq AND ord = NEW.ord);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM entry WHERE seq = NEW.seq) + (SELECT count(*) FROM charge WHERE seq = NEW.seq) >= (SELECT entry_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_party_insert BEFORE INSERT ON party BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM party WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_holding_insert BEFORE INSERT ON holding BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM holding WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_shipment_line_insert BEFORE INSERT ON shipment_line BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM shipment_line WHERE seq = NEW.seq AND line = NEW.line);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM shipment_line WHERE seq = NEW.seq) >= (SELECT line_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_charge_insert BEFORE INSERT ON charge BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM charge WHERE seq = NEW.seq AND ord = NEW.ord);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM charge WHERE seq = NEW.seq) + (SELECT count(*) FROM entry WHERE seq = NEW.seq) >= (SELECT entry_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_filing_insert BEFORE INSERT ON filing BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM filing WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_filed_file_insert BEFORE INSERT ON filed_file BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: the row is there already') WHERE EXISTS (SELECT 1 FROM filed_file WHERE seq = NEW.seq AND ord = NEW.ord);
    SELECT RAISE(ABORT, 'append-only: the record has all its rows') WHERE (SELECT count(*) FROM filed_file WHERE seq = NEW.seq) >= (SELECT line_count FROM record WHERE seq = NEW.seq);
END;
CREATE TRIGGER guard_filed_part_insert BEFORE INSERT ON filed_part BEGIN
    SELECT RAISE(ABORT, 'append-only: rows come with the last record') WHERE NEW.seq IS NOT (SELECT max(seq) FROM record);
    SELECT RAISE(ABORT, 'append-only: a part belongs to a file and follows the one before') WHERE NOT EXISTS (SELECT 1 FROM filed_file WHERE seq = NEW.seq AND ord = NEW.ord) OR NEW.part IS NOT (SELECT count(*) FROM filed_part WHERE seq = NEW.seq AND ord = NEW.ord);
END;
