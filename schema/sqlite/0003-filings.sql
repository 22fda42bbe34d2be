-- Migration 3: filings. Quarters as they were filed, with the bytes of each file.
CREATE TABLE filing (
    seq INTEGER PRIMARY KEY REFERENCES record (seq),
    quarter TEXT NOT NULL CHECK (length(quarter) = 7),
    through INTEGER NOT NULL CHECK (through >= 0)
) STRICT;
CREATE TABLE filed_file (
    seq INTEGER NOT NULL REFERENCES record (seq),
    ord INTEGER NOT NULL CHECK (ord >= 0),
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    PRIMARY KEY (seq, ord)
) STRICT, WITHOUT ROWID;
CREATE TABLE filed_part (
    seq INTEGER NOT NULL REFERENCES record (seq),
    ord INTEGER NOT NULL CHECK (ord >= 0),
    part INTEGER NOT NULL CHECK (part >= 0),
    gzip BLOB NOT NULL,
    UNIQUE (seq, ord, part)
) STRICT;
