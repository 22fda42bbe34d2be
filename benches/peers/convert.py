#!/usr/bin/env python3
"""Turns one folder of the generated workload into files of the ledger's own contract, with the answers that must come out.

usage: convert.py DATA OUT [--effective fixed|decided]

DATA holds applications.csv, events.csv, caps.csv and expected_checked.csv as the generator wrote them. OUT gets

    acts.csv               a commitment and an increase for every raised cap
    applications.csv       one row an application
    events.csv             the decisions in file order, then the shipments and revocations in the generator's order
    expected.csv           limit, licensed and headroom of each destination as of 2027-12-31;
    expected-DAY.csv       the same as of the days of AS_OF
    later-applications.csv, later-events.csv, later-expected.csv
                           a second batch, a tenth of the size, to be imported on top of the first
    pending.csv            pending applications that surely fit, for timing one record at a time
    summary.json           how many rows there are of each

README.md beside this file explains the choices. Before anything is believed, the outcome that this script works out day by
day is compared with the generator's own; where they differ, it stops.
"""
import argparse
import csv
import datetime as dt
import json
import os
import sys

FIRST_DAY = dt.date(2025, 1, 13)            # day 0 of the workload
PERIOD_END = dt.date(2027, 12, 31)
LAST = (PERIOD_END - FIRST_DAY).days        # the last day that counts, as a day number
BASE = 790_000_000
DECIDED_AFTER = 30                          # --effective fixed: a decision takes effect this many workload days after submission
AS_OF = ("2025-06-30", "2026-06-30")
# Three destinations of the workload have no country limit for all of the period: Cambodia and Lebanon are (or were) in D:5, Greenland
# counts in Denmark. They stand for three that have one and that the workload does not use.
STANDS_FOR = {"KH": "ML", "LB": "MR", "GL": "NE"}
EVENT_OF = {"approved": "issue", "denied": "deny", "withdrawn": "withdraw", "returned": "return"}   # pending: none

APPLICATION_COLUMNS = ("application_number", "submitted_on", "applicant", "ultimate_consignee", "consignee_headquarters",
                       "destination", "eccn", "tpp_per_unit", "quantity")
EVENT_COLUMNS = ("event_id", "effective_on", "event", "application_number", "quantity", "expires_on")
ACT_COLUMNS = ("event_id", "effective_on", "act", "destination", "percent", "tpp", "reference")


def iso(day):
    return (FIRST_DAY + dt.timedelta(days=day)).isoformat()


def workload_day(stamp, known={}):
    """'2026-03-04T…' as days since the workload's first."""
    text = stamp[:10]
    if text not in known:
        known[text] = (dt.date.fromisoformat(text) - FIRST_DAY).days
    return known[text]


def squeeze(day):
    """The workload runs past the period's end (submissions for three years, revocations 200 days later); five sixths of it do not."""
    squeezed = day * 5 // 6
    assert 0 <= squeezed <= LAST, day
    return squeezed


class Days:
    """What is licensed to one destination at the end of each day."""

    def __init__(self, limit):
        self.limit, self.licensed, self.issued, self.refused = limit, [0] * (LAST + 1), 0, 0

    def post(self, day, tpp):
        self.licensed[day:] = [x + tpp for x in self.licensed[day:]]

    def issue(self, day, tpp):
        """A charge must fit on every day from its own to the period's end; equal fits."""
        fits = max(self.licensed[day:]) + tpp <= self.limit
        if fits:
            self.post(day, tpp)
            self.issued += 1
        else:
            self.refused += 1
        return fits


def writer(folder, name, columns):
    out = csv.writer(open(os.path.join(folder, name), "w", newline=""), lineterminator="\n")
    out.writerow(columns)
    return out


def write_expected(folder, name, ledger, day):
    out = writer(folder, name, ("destination", "limit_tpp", "licensed_tpp", "headroom_tpp"))
    for destination in sorted(ledger):
        d = ledger[destination]
        out.writerow((destination, d.limit, d.licensed[day], d.limit - d.licensed[day]))


def rows(folder, name):
    with open(os.path.join(folder, name), newline="") as f:
        yield from csv.DictReader(f)


class Batch:
    """One applications file with its events file, and what becomes of them in the ledger."""

    def __init__(self, out, prefix, ids, ledger, afterwards):
        self.applications = writer(out, prefix + "applications.csv", APPLICATION_COLUMNS)
        self.events = writer(out, prefix + "events.csv", EVENT_COLUMNS)
        self.ids, self.ledger, self.afterwards = ids, ledger, afterwards
        self.licensed = {}                  # of the applications that something happens to later: line and state
        self.count = {"applications": 0, "events": 0, "issued": 0, "refused": 0, "ship": 0, "revoke": 0}

    def event(self, day, kind, number, quantity="", expires=""):
        self.count["events"] += 1
        self.events.writerow((f"{self.ids}E-{self.count['events']}", iso(day), kind, self.ids + number, quantity, expires))

    def application(self, row):
        self.count["applications"] += 1
        self.applications.writerow((self.ids + row["application_id"], iso(squeeze(workload_day(row["submitted_at"]))), row["applicant"],
                                    row["ultimate_consignee"], "", destination_of(row), "3A090.a", row["tpp_per_unit"], row["quantity"]))

    def decision(self, row, decided):
        number, kind = row["application_id"], EVENT_OF.get(row["decision"])
        if kind is None:
            return
        self.event(decided, kind, number, expires=PERIOD_END.isoformat() if kind == "issue" else "")
        if kind != "issue":
            return
        tpp, quantity = int(row["tpp_per_unit"]), int(row["quantity"])
        days = self.ledger[destination_of(row)]
        if days.issue(decided, tpp * quantity):
            self.count["issued"] += 1
            if number in self.afterwards:
                self.licensed[number] = [days, tpp, quantity]
        else:
            self.count["refused"] += 1

    def follow_up(self, event):
        """Shipments move nothing in the total; a revocation gives back all that is unshipped, which must be the workload's figure."""
        state = self.licensed.get(event["application_id"])
        if state is None:
            return                          # second batch only: the license was refused
        days, tpp, unshipped = state
        day, quantity = squeeze(workload_day(event["event_at"])), int(event["quantity"])
        if event["kind"] == "shipment":
            assert 0 < quantity <= unshipped, event
            state[2] -= quantity
            self.event(day, "ship", event["application_id"], quantity)
        else:
            assert event["kind"] == "revocation" and quantity == unshipped, event
            state[2] = 0
            days.post(day, -tpp * quantity)
            self.event(day, "revoke", event["application_id"])
        self.count["ship" if event["kind"] == "shipment" else "revoke"] += 1


def destination_of(row):
    return STANDS_FOR.get(row["destination"], row["destination"])


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("data"), args.add_argument("out")
    args.add_argument("--effective", choices=("fixed", "decided"), default="fixed",
                      help=f"a decision takes effect {DECIDED_AFTER} workload days after submission (default), or on the workload's own decided_at")
    args = args.parse_args()
    os.makedirs(args.out, exist_ok=True)

    def decided_on(row):
        if args.effective == "decided" and row["decided_at"]:
            return squeeze(workload_day(row["decided_at"]))
        return squeeze(workload_day(row["submitted_at"]) + DECIDED_AFTER)

    ledger, acts, n_acts = {}, writer(args.out, "acts.csv", ACT_COLUMNS), 0
    for row in rows(args.data, "caps.csv"):
        destination, cap = destination_of(row), int(row["cap"])
        assert destination not in ledger, destination
        ledger[destination] = Days(cap)
        if cap > BASE:
            percent, left = divmod((cap - BASE) * 100, BASE)
            assert left == 0 and percent <= 100, row
            for act, amount in (("commit", ""), ("increase", percent)):
                n_acts += 1
                acts.writerow((f"A-{n_acts}", FIRST_DAY.isoformat(), act, destination, amount, "", f"assurances of {destination} of January 2025"))

    afterwards = list(rows(args.data, "events.csv"))
    touched = {event["application_id"] for event in afterwards}
    first = Batch(args.out, "", "", ledger, touched)
    again, pending = [], []
    for i, row in enumerate(rows(args.data, "applications.csv")):
        first.application(row)
        first.decision(row, decided_on(row))
        if i % 10 == 5:
            again.append(row)
        if row["decision"] == "pending" and decided_on(row) >= (dt.date(2026, 12, 31) - FIRST_DAY).days:
            pending.append(row)             # a license of then, valid a year, gives nothing back before the period's end
    for event in afterwards:
        first.follow_up(event)

    for row in rows(args.data, "expected_checked.csv"):
        days = ledger[destination_of(row)]
        ours = (days.limit, days.licensed[LAST], days.limit - days.licensed[LAST], days.issued, days.refused)
        theirs = tuple(int(row[k]) for k in ("cap", "used", "headroom", "granted", "refused"))
        if ours != theirs:
            sys.exit(f"{row['destination']}: limit, licensed, headroom, issued, refused are {ours}, the generator has {theirs}")

    write_expected(args.out, "expected.csv", ledger, LAST)
    for day in AS_OF:
        write_expected(args.out, f"expected-{day}.csv", ledger, (dt.date.fromisoformat(day) - FIRST_DAY).days)

    out, spent, n_pending = writer(args.out, "pending.csv", ("application_number", "on", "destination", "tpp")), {}, 0
    for row in pending:
        destination, tpp = destination_of(row), int(row["tpp_per_unit"]) * int(row["quantity"])
        spent[destination] = spent.get(destination, 0) + tpp
        if n_pending < 500 and spent[destination] + max(ledger[destination].licensed) <= ledger[destination].limit:
            n_pending += 1
            out.writerow((row["application_id"], iso(decided_on(row)), destination, tpp))

    later = Batch(args.out, "later-", "L", ledger, touched)
    for row in again:
        later.application(row)
        later.decision(row, decided_on(row))
    for event in afterwards:
        later.follow_up(event)
    write_expected(args.out, "later-expected.csv", ledger, LAST)

    summary = {"acts": n_acts, "first": first.count, "later": later.count, "pending_that_fit": n_pending, "effective": args.effective}
    with open(os.path.join(args.out, "summary.json"), "w") as f:
        json.dump(summary, f, indent=1)
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
