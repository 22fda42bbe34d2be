#!/usr/bin/env bash
# The second test command: optimized code, and foreign programs that confirm what this one says. It installs what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Optimized code is other code: the pages, the stores, the sample, and a longer walk of the reference models.
TPPLEDGER_MODEL_OPERATIONS="${TPPLEDGER_MODEL_OPERATIONS:-60000}" \
    cargo test --release --test ledger_pages --test store --test sample --test reference_model --test company_model --test many_writers

# Licenses, bans and sources of the dependencies.
command -v cargo-deny >/dev/null || cargo install --locked --quiet cargo-deny
cargo deny check licenses bans sources

# A data package is what the Frictionless standard says.
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet frictionless
"$work/venv/bin/frictionless" validate reports/sample/datapackage.json

# The sums of the ledger, asked in SQL through another build of SQLite, are the sums of headroom.csv.
cargo build --release --quiet
target/release/tppledger --ledger "$work/sample.db" --quiet run data/sample --quarter 2026-Q2 --out "$work/pack" >/dev/null || test $? -eq 3
python3 .ci/sums.py "$work/sample.db" "$work/pack/headroom.csv" 20260630
