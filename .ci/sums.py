"""Headroom.csv against plain SQL sums over the entries, with the Python library's own SQLite."""

import csv
import sqlite3
import sys

ledger, report, as_of = sys.argv[1:]
connection = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
sums = {
    row[0]: row[1:]
    for row in connection.execute(
        "SELECT allocation, sum(licensed), sum(shipped), sum(pending), sum(increase), sum(withheld) FROM entry "
        "WHERE effective_on <= ? GROUP BY allocation",
        (int(as_of),),
    )
}


def thousandths(text):
    """Whole thousandths of an amount, without a float."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    return sign * (int(whole or 0) * 1000 + int(fraction.ljust(3, "0")))


wrong = rows = 0
with open(report, newline="", encoding="utf-8") as file:
    for row in csv.DictReader(file):
        licensed, shipped, pending, increase, withheld = sums.get(row["destination"], (0, 0, 0, 0, 0))
        headroom = thousandths(row["base_tpp"]) + increase - withheld - licensed
        expected = (licensed, shipped, pending, increase, withheld, headroom)
        columns = ("licensed_tpp", "shipped_tpp", "pending_tpp", "increase_tpp", "withheld_tpp", "headroom_tpp")
        seen = tuple(thousandths(row[column]) for column in columns)
        rows += 1
        if seen != expected:
            wrong += 1
            print(f"{row['destination']}: the report says {seen}, SQL says {expected}")
print(f"{rows - wrong} passed, {wrong} failed")
sys.exit(1 if wrong else 0)
