#!/usr/bin/env python3
"""The speed comparison: whole processes, timed in turn, printed as Markdown.

usage: run.py --tppledger BIN --floor BIN --workload DIR --work SCRATCH
              [--peers DIR] [--python PY] [--n 10000,1000000] [--rounds 5] [--only import,record,headroom,peers,csv]

In every round each row of a table runs once, from start to exit, and the order turns by one from round to round. A ratio is
taken between two runs of the same round; the median over the rounds is printed. Before a row is timed it runs once unmeasured:
its answer is compared with the workload's own and its peak memory is taken. A row with a wrong answer is not timed.
README.md beside this file says what each table asks and what to make of it.
"""
import argparse
import csv
import datetime as dt
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PERIOD_END = "2027-12-31"
AS_OF = ("2025-06-30", "2026-06-30", PERIOD_END)
CLOCK = "1830297600"                        # 2028-01-01, so that no row is dated after the day it is recorded on
SHORT = 5                                   # commands of milliseconds take this many times the rounds
LARGE = 1_000_000                           # the size that the bars are about
LONG_S, LONG_ROUNDS = 20.0, 3               # a row that takes longer than this takes part in so many rounds only
FLOOR_COLUMNS = ("destination", "cap", "used", "headroom", "granted", "refused")


# ---- one process -------------------------------------------------------------------------------------------------------

class Failed(Exception):
    pass


TROUBLE = (Failed, OSError, AssertionError, AttributeError, KeyError, ValueError)   # of a program or of its answer


class Command:
    def __init__(self, argv, out=os.devnull, codes=(0,)):
        self.argv, self.out, self.codes = [str(a) for a in argv], out, codes

    def run(self, timeout, memory_file=None, timed=False):
        """Wall seconds and peak MiB, from start to exit. With memory_file the process runs under GNU time: a process started from
        this script alone is never reported as smaller than the script itself."""
        argv = self.argv
        if memory_file:
            argv = [GNU_TIME, "-f", "%M", "-o", memory_file, *argv]
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, self.out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
                   (os.POSIX_SPAWN_OPEN, 2, os.devnull if timed else STDERR, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)]
        begin = time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, ENVIRONMENT, file_actions=actions, setpgroup=0)
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, timeout)
        try:
            _, status, usage = os.wait4(pid, 0)
        except KeyboardInterrupt:
            os.killpg(pid, signal.SIGKILL)
            raise
        wall = time.perf_counter() - begin
        signal.setitimer(signal.ITIMER_REAL, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in self.codes:
            said = "" if timed else open(STDERR, errors="replace").read().strip()[-300:].replace("\n", " / ").replace("|", "/")
            raise Failed(f"exit code {code} of {' '.join(self.argv[:6])} {said}")
        peak = int(open(memory_file).read().split()[-1]) if memory_file else usage.ru_maxrss
        return wall, peak / 1024


class Row:
    """One line of a table: what is done unmeasured before, the commands that are timed together, and the check of the answer."""

    def __init__(self, name, commands, check=None, prepare=None, note="", per=1):
        self.name, self.commands, self.check, self.prepare, self.note, self.per = name, commands, check, prepare, note, per
        self.walls, self.peak, self.trouble = {}, 0.0, ""

    def run(self, timeout, memory_file=None, timed=False):
        if self.prepare:
            self.prepare()
        if timed:
            os.sync()                       # what was left to be written to the disk is not this row's to wait for
        commands = self.commands() if callable(self.commands) else self.commands
        results = [c.run(timeout, memory_file, timed) for c in commands]
        return sum(wall for wall, _ in results), max(peak for _, peak in results)

    def median(self):
        return statistics.median(self.walls.values())


def ratio(row, base, per_row=False):
    """Median over the rounds that both took part in; per_row divides each run by the rows that it recorded."""
    both = [r for r in row.walls if r in base.walls]
    share = base.per / row.per if per_row else 1
    return statistics.median(row.walls[r] / base.walls[r] * share for r in both) if both else None


def measure(rows, rounds, timeout):
    alive = []
    for row in rows:
        try:
            wall, row.peak = row.run(timeout, MEMORY if GNU_TIME else None)
            if row.check:
                row.check()
            row.slow = wall > LONG_S
            alive.append(row)
            say(f"  {row.name}: {seconds(wall)}{', answer right' if row.check else ''}")
        except TROUBLE as e:
            row.trouble = f"{type(e).__name__}: {e}"
            say(f"  {row.name}: left out: {row.trouble}")
    for r in range(rounds):
        turn = r % len(alive) if alive else 0
        for row in alive[turn:] + alive[:turn]:
            if row.slow and r >= LONG_ROUNDS:
                continue
            try:
                row.walls[r], peak = row.run(timeout, timed=True)
                if not GNU_TIME:
                    row.peak = max(row.peak, peak)
            except Failed as e:
                row.trouble = str(e)
                say(f"  {row.name}: round {r + 1}: {e}")
    return rows


# ---- answers -----------------------------------------------------------------------------------------------------------

def table_of(path, columns):
    with open(path, newline="") as f:
        return {r["destination"]: tuple(str(r[c]) for c in columns) for r in csv.DictReader(f)}


def same(got, expected, where):
    wrong = [k for k in expected if got.get(k) != expected[k]]
    assert not wrong, f"{where}: wrong for {len(wrong)} of {len(expected)}, e.g. {wrong[0]}: {got.get(wrong[0])}, expected {expected[wrong[0]]}"


def check_ours(answer, expected_file, extra=None):
    """headroom.csv against the expectation; a destination that the workload does not use has nothing licensed."""
    columns = ("limit_tpp", "licensed_tpp", "headroom_tpp")

    def check():
        got, expected = table_of(answer, columns), table_of(expected_file, columns)
        for destination, tpp in (extra() if extra else {}).items():
            limit, licensed, headroom = (int(x) for x in expected[destination])
            expected[destination] = (str(limit), str(licensed + tpp), str(headroom - tpp))
        same(got, expected, answer)
        more = [k for k in got if k not in expected and got[k][1] not in ("0", "")]
        assert not more, f"licensed where the workload has nothing: {more}"
    return check


def check_csv(answer, expected_file, columns=FLOOR_COLUMNS):
    return lambda: same(table_of(answer, columns), table_of(expected_file, columns), answer)


def check_text(answer, expected_file):
    """A balance report that names Headroom:CC and a number on each line; an account at zero may be left out."""
    def check():
        got = {}
        for line in open(answer):
            account = re.search(r"Headroom:([A-Z]{2})1?\b", line)
            if account:
                rest = line.replace(account.group(0), "").replace("Assets:", "").replace(",", "")
                got[account.group(1)] = (re.search(r"-?\d+", rest).group(0),)
        expected = table_of(expected_file, ("headroom",))
        same({k: got.get(k, ("0",)) for k in expected}, expected, answer)
    return check


# ---- the tables --------------------------------------------------------------------------------------------------------

class Workload:
    """One size: the generator's folder, our files made of it, and the ledgers built of both."""

    def __init__(self, options, n):
        self.n, self.options = n, options
        self.data = os.path.join(options.workload, str(n))
        self.scratch = os.path.join(options.work, str(n))
        self.files = os.path.join(self.scratch, f"files-{options.effective}")
        os.makedirs(self.scratch, exist_ok=True)
        made, script = os.path.join(self.files, "summary.json"), os.path.join(HERE, "convert.py")
        sources = [script] + [os.path.join(self.data, f) for f in ("applications.csv", "events.csv", "caps.csv", "expected_checked.csv")]
        if not os.path.exists(made) or os.path.getmtime(made) < max(os.path.getmtime(s) for s in sources):
            say(f"converting the workload of {n:,}")
            subprocess.run([sys.executable, script, self.data, self.files, "--effective", options.effective], check=True, stdout=subprocess.DEVNULL)
        self.summary = json.load(open(made))
        self.expected = os.path.join(self.data, "expected_checked.csv")
        self.unchecked = os.path.join(self.data, "expected_unchecked.csv")
        self.built = set()

    def path(self, *parts):
        return os.path.join(self.scratch, *parts)

    def file(self, name):
        return os.path.join(self.files, name)

    def ledger(self, name):
        return os.path.join(self.scratch, name, "ledger.db")

    def empty(self, name):
        shutil.rmtree(os.path.join(self.scratch, name), ignore_errors=True)
        os.makedirs(os.path.join(self.scratch, name))
        os.sync()

    def copy(self, source, name):
        shutil.rmtree(os.path.join(self.scratch, name), ignore_errors=True)
        shutil.copytree(os.path.join(self.scratch, source), os.path.join(self.scratch, name))
        os.sync()

    def megabytes(self, name):
        folder = os.path.join(self.scratch, name)
        return f"{sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)) / 2**20:.0f}"

    def ours(self, *arguments, ledger="ours", out=os.devnull, codes=(0,)):
        return Command([self.options.tppledger, "--ledger", self.ledger(ledger), *arguments], out, codes)

    def import_first(self, ledger="ours"):
        return self.ours("import", self.file("acts.csv"), self.file("applications.csv"), self.file("events.csv"), ledger=ledger, codes=(0, 3))

    def import_later(self, ledger):
        return self.ours("import", self.file("later-applications.csv"), self.file("later-events.csv"), ledger=ledger, codes=(0, 3))

    def headroom(self, day=PERIOD_END, ledger="ours", out=None):
        return self.ours("headroom", "--format", "csv", "--as-of", day, ledger=ledger, out=out or self.path(f"headroom-{day}.csv"))

    def expected_of(self, day):
        return self.file("expected.csv" if day == PERIOD_END else f"expected-{day}.csv")

    def floor(self, *arguments):
        return Command([self.options.floor, *arguments])

    def check_import(self, ledger, expected):
        out = self.path("check.csv")

        def check():
            self.headroom(ledger=ledger, out=out).run(self.options.timeout)
            check_ours(out, self.file(expected))()
        return check

    def need(self, which):
        """A ledger that exists, built once unmeasured and checked."""
        if which in self.built:
            return
        say(f"building {which} of {self.n:,}")
        self.empty(which)
        if which == "ours":
            self.import_first().run(self.options.timeout)
            self.check_import("ours", "expected.csv")()
        else:
            self.floor("load", self.data, self.ledger("floor"), self.path("floor.csv"), "--events").run(self.options.timeout)
            check_csv(self.path("floor.csv"), self.expected)()
        self.built.add(which)


def rows_of(count):
    return count["applications"] + count["events"]


def table_import(w, o):
    def check_floor():
        w.floor("report", w.ledger("floor-new"), w.path("floor-new.csv")).run(o.timeout)
        check_csv(w.path("floor-new.csv"), w.expected)()

    w.need("ours")
    floor = Row("floor: `load --events`", [w.floor("load", w.data, w.ledger("floor-new"), "--events")], check_floor, lambda: w.empty("floor-new"))
    first = Row("`tppledger import` into a new ledger", [w.import_first("new")], w.check_import("new", "expected.csv"),
                lambda: w.empty("new"), per=rows_of(w.summary["first"]))
    later = Row("`tppledger import` of a tenth more, on top", [w.import_later("later")], w.check_import("later", "later-expected.csv"),
                lambda: w.copy("ours", "later"), per=rows_of(w.summary["later"]))
    measure([floor, first, later], o.rounds, o.timeout)
    counts, more = w.summary["first"], w.summary["later"]
    title(f"Import, {w.n:,} applications with their decisions")
    print(f"{counts['applications']:,} applications, {counts['events']:,} events ({counts['issued']:,} issues recorded, {counts['refused']:,} refused), "
          f"{w.summary['acts']} acts; on top {more['applications']:,} and {more['events']:,}.\n")
    head("what", "median", "min", "against the floor", "per row against the first", "rows/s", "peak MiB", "ledger MiB", "answer")
    line(floor, "1.00", "", "", peak(floor), w.megabytes("floor-new"))
    line(first, times(ratio(first, floor)), "1.00", rate(first), peak(first), w.megabytes("new"))
    line(later, "", times(ratio(later, first, per_row=True)), rate(later), peak(later), w.megabytes("later"))
    if w.n >= LARGE:
        bar(f"import of {w.n:,} against the floor", ratio(first, floor), 3)
        bar(f"a later import on top of {w.n:,}, per row against the first", ratio(later, first, per_row=True), 1.5)
        bar("peak memory of both imports, MiB", max(first.peak, later.peak) or None, 200)


def table_record(w, o):
    w.need("ours"), w.need("floor")
    w.copy("ours", "record"), w.copy("floor", "floor-record")
    pending = list(csv.DictReader(open(w.file("pending.csv"))))
    rounds = min(o.rounds * SHORT, len(pending) // 2 - 1)
    to_issue, to_note, issued = iter(pending[::2]), iter(pending[1::2]), {}

    def issue():
        p = next(to_issue)
        issued[p["destination"]] = issued.get(p["destination"], 0) + int(p["tpp"])
        return [w.ours("record", "issue", p["application_number"], "--on", p["on"], ledger="record")]

    def note():
        p = next(to_note)
        return [w.ours("record", "note", p["application_number"], "--on", p["on"], "--reference", "asked the applicant for the purchase order", ledger="record")]

    rows = [Row("floor: `durable` 1", [w.floor("durable", w.data, w.ledger("floor-record"), 1)]),
            Row("`tppledger record issue`", issue), Row("`tppledger record note`", note)]
    measure(rows, rounds, o.timeout)
    for row in rows[1:]:
        if not row.trouble:
            try:
                out = w.path("check.csv")
                w.headroom(ledger="record", out=out).run(o.timeout)
                check_ours(out, w.file("expected.csv"), lambda: issued)()
                row.note = "right after all rounds"
            except TROUBLE as e:
                row.trouble = f"wrong after the rounds: {e}"
    title(f"One durable record on a ledger of {w.n:,} applications, {rounds} rounds")
    head("what", "median", "min", "ratio", "peak MiB", "answer")
    for row in rows:
        line(row, times(ratio(row, rows[0])), peak(row))
    if w.n >= LARGE:
        for row in rows[1:]:
            bar(f"{row.name}, {w.n:,}", ratio(row, rows[0]), 2)


def table_headroom(workloads, o):
    rows, pairs = [], {}
    for w in workloads:
        w.need("ours"), w.need("floor")
        base = Row(f"floor: `report` ({w.n:,})", [w.floor("report", w.ledger("floor"), w.path("report.csv"))], check_csv(w.path("report.csv"), w.expected))
        rows.append(base)
        for day in AS_OF:
            row = Row(f"`headroom --as-of {day}` ({w.n:,})", [w.headroom(day)], check_ours(w.path(f"headroom-{day}.csv"), w.expected_of(day)))
            row.base, pairs[w.n, day] = base, row
            rows.append(row)
    rounds = o.rounds * SHORT
    measure(rows, rounds, o.timeout)
    title(f"`headroom --format csv`, all destinations, {rounds} rounds")
    head("what", "median", "min", "against the floor of that size", "peak MiB", "answer")
    for row in rows:
        line(row, times(ratio(row, getattr(row, "base", row))), peak(row))
    small, large = min(w.n for w in workloads), max(w.n for w in workloads)
    for day in AS_OF:
        if large >= LARGE:
            bar(f"headroom as of {day} against the floor, {large:,}", ratio(pairs[large, day], pairs[large, day].base), 3)
        if small < large:
            bar(f"headroom as of {day}, {large:,} against {small:,}", ratio(pairs[large, day], pairs[small, day]), 1.5)


def script(o, name):
    inside = os.path.join(o.peers, "peers", name)
    return inside if os.path.exists(inside) else os.path.join(o.peers, name)


def frames(w, o):
    """pandas and polars keep no ledger: for them the CSV files are the ledger that exists."""
    rows = []
    for tool in ("polars", "pandas"):
        for mode, expected, note, columns in (("checked", w.expected, "", FLOOR_COLUMNS), ("groupby", w.unchecked, "plain sums, no cap check", FLOOR_COLUMNS[:4])):
            out = w.path(f"{tool}-{mode}.csv")
            rows.append(Row(f"{tool}, CSV" + (", plain sums" if note else ""), [Command([o.python, script(o, f"{tool}_report.py"), mode, w.data, out])],
                            check_csv(out, expected, columns), note=note))
    return rows


def table_peers(w, o):
    w.need("ours")
    journal, beancount = os.path.join(w.data, "ledger.journal"), os.path.join(w.data, "ledger.beancount")
    database, cache = w.path("duck.db"), os.path.join(w.data, ".ledger.beancount.picklecache")
    rows = [Row("`tppledger headroom`", [w.headroom()], check_ours(w.path(f"headroom-{PERIOD_END}.csv"), w.file("expected.csv")))]
    if o.peers:
        if os.path.exists(database):
            os.remove(database)

        def fill():
            if not os.path.exists(database):
                Command([o.python, script(o, "duck.py"), "load", w.data, database, w.path("duck-load.csv")]).run(o.timeout)
        rows.append(Row("DuckDB, its database file", [Command([o.python, script(o, "duck.py"), "report", database, w.path("duck.csv")])],
                        check_csv(w.path("duck.csv"), w.unchecked, FLOOR_COLUMNS[:4]), fill, "plain sums, no cap check"))
        rows += frames(w, o)
    if os.path.exists(journal):
        rows.append(Row("ledger, journal", [Command(["ledger", "-f", journal, "bal", "^Headroom", "--flat", "--no-total"], w.path("ledger.txt"))],
                        check_text(w.path("ledger.txt"), w.expected), note="of the decided outcome"))
        rows.append(Row("hledger, journal", [Command(["hledger", "-f", journal, "bal", "^Headroom", "--flat", "-N", "-O", "csv"], w.path("hledger.csv"))],
                        check_text(w.path("hledger.csv"), w.expected), note="of the decided outcome"))
    if os.path.exists(beancount):
        def forget():
            if os.path.exists(cache):
                os.remove(cache)
        query = [os.path.join(os.path.dirname(o.python), "bean-query"), "-f", "csv", beancount,
                 "SELECT account, sum(number) AS headroom WHERE account ~ '^Assets:Headroom' GROUP BY account"]
        for name, prepare in (("beancount, first question", forget), ("beancount, its cache kept", None)):
            out = w.path("bean-cold.csv" if prepare else "bean-warm.csv")
            rows.append(Row(name, [Command(query, out)], check_text(out, w.expected), prepare, note="of the decided outcome"))
    measure(rows, o.rounds, o.timeout)
    title(f"The same question asked of what exists, {w.n:,} applications")
    head("who", "median", "min", "ratio to tppledger", "peak MiB", "answer")
    for row in rows:
        line(row, times(ratio(row, rows[0])), peak(row))
    for row in rows[1:]:
        if row.walls and rows[0].walls:
            bar(f"tppledger against {row.name}, {w.n:,}", ratio(rows[0], row), 1)


def table_csv(w, o):
    rows = [Row("`tppledger import`, then `headroom`", [w.import_first("new"), w.headroom(ledger="new", out=w.path("new.csv"))],
                check_ours(w.path("new.csv"), w.file("expected.csv")), lambda: w.empty("new"), "kept in a durable ledger"),
            Row("floor: `load --events` with report", [w.floor("load", w.data, w.ledger("floor-new"), w.path("floor-new.csv"), "--events")],
                check_csv(w.path("floor-new.csv"), w.expected), lambda: w.empty("floor-new"), "kept in a durable store")]
    if o.peers:
        for mode, expected, note in (("checked", w.expected, "nothing kept"), ("direct", w.unchecked, "plain sums, no cap check; nothing kept")):
            out = w.path(f"duck-{mode}.csv")
            rows.append(Row("DuckDB, CSV" + ("" if mode == "checked" else ", plain sums"), [Command([o.python, script(o, "duck.py"), mode, w.data, out])],
                            check_csv(out, expected, FLOOR_COLUMNS[:4]), note=note))
        rows.append(Row("DuckDB, CSV into its file, plain sums", [Command([o.python, script(o, "duck.py"), "load", w.data, w.path("duck-new.db"), w.path("duck-new.csv")])],
                        check_csv(w.path("duck-new.csv"), w.unchecked, FLOOR_COLUMNS[:4]), note="plain sums, no cap check; kept"))
        for row in frames(w, o):
            row.note = (row.note + "; " if row.note else "") + "nothing kept"
            rows.append(row)
    measure(rows, o.rounds, o.timeout)
    title(f"The first answer from bare CSV, {w.n:,} applications")
    head("who", "median", "min", "ratio to tppledger", "peak MiB", "answer")
    for row in rows:
        line(row, times(ratio(row, rows[0])), peak(row))


# ---- printing ----------------------------------------------------------------------------------------------------------

BARS, RESULTS, TROUBLES = [], [], []


def say(text):
    print(text, file=sys.stderr, flush=True)


def seconds(s):
    return f"{s * 1000:.1f} ms" if s < 0.1 else f"{s * 1000:.0f} ms" if s < 1 else f"{s:.2f} s"


def times(x):
    return "" if x is None else f"{x:.2f}" if x < 100 else f"{x:,.0f}"


def rate(row):
    return f"{row.per / row.median():,.0f}" if row.walls else ""


def peak(row):
    return f"{row.peak:.0f}" if row.peak else ""


def title(text):
    RESULTS.append({"table": text, "rows": []})
    print(f"\n### {text}\n")


def head(*columns):
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))


def line(row, *cells):
    answer = row.trouble or "; ".join(x for x in ("right" if row.check else "", row.note) if x)
    measured = [seconds(row.median()), seconds(min(row.walls.values()))] if row.walls else ["", ""]
    print("| " + " | ".join([row.name, *measured, *cells, answer]) + " |", flush=True)
    RESULTS[-1]["rows"].append({"name": row.name, "walls_s": list(row.walls.values()), "peak_mib": row.peak, "rows": row.per, "cells": cells, "answer": answer})
    if row.trouble:
        TROUBLES.append(f"{RESULTS[-1]['table']}: {row.name}: {row.trouble}")


def bar(what, measured, most):
    BARS.append((what, measured, most))


def first_line(path, key):
    for text in open(path):
        if text.startswith(key):
            return text.split(":", 1)[1].strip()
    return "?"


def version(*argv):
    try:
        out = subprocess.run(argv, capture_output=True, text=True)
        return out.stdout.strip().splitlines()[0] if out.returncode == 0 else ""
    except (OSError, IndexError):
        return ""


def main():
    global GNU_TIME, MEMORY, STDERR, ENVIRONMENT
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tppledger", required=True, help="the program, built with --release")
    p.add_argument("--floor", required=True, help="the hand-written lower bound")
    p.add_argument("--workload", required=True, help="folder with one generated folder for each size")
    p.add_argument("--work", required=True, help="scratch folder for files and ledgers, on a real disk")
    p.add_argument("--peers", help="folder with the other tools' scripts (duck.py, pandas_report.py, polars_report.py), or its parent")
    p.add_argument("--python", default=sys.executable, help="interpreter that has duckdb, pandas, polars; bean-query is looked for beside it")
    p.add_argument("--n", default="10000,1000000", help="sizes, comma separated")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--only", default="import,record,headroom,peers,csv", help="tables, comma separated")
    p.add_argument("--effective", choices=("fixed", "decided"), default="fixed", help="when a decision takes effect: see convert.py")
    p.add_argument("--timeout", type=float, default=600.0, help="seconds for one process")
    o = p.parse_args()
    for name in ("tppledger", "floor", "workload", "work", "peers"):
        if getattr(o, name):
            setattr(o, name, os.path.abspath(getattr(o, name)))
    if os.sep in o.python:
        o.python = os.path.abspath(o.python)    # not resolved: a virtual environment is known by its link
    os.makedirs(o.work, exist_ok=True)
    MEMORY, STDERR = os.path.join(o.work, "memory"), os.path.join(o.work, "stderr")
    GNU_TIME = shutil.which("time")
    ENVIRONMENT = dict(os.environ, SOURCE_DATE_EPOCH=CLOCK)
    ENVIRONMENT.pop("TPPLEDGER_DB", None)
    wanted = o.only.split(",")
    if unknown := set(wanted) - {"import", "record", "headroom", "peers", "csv"}:
        p.error(f"no such table: {', '.join(sorted(unknown))}")
    workloads = [Workload(o, int(n)) for n in o.n.split(",")]

    print(f"{dt.date.today()}, {os.cpu_count()} cores, {first_line('/proc/cpuinfo', 'model name')}, "
          f"{int(first_line('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB; load average {os.getloadavg()[0]:.1f} at the start. "
          f"Rounds: {o.rounds} ({SHORT} times as many for commands of milliseconds).")
    tools = [version(o.tppledger, "--version")]
    if o.peers:
        tools += [f"{m} {v}" for m in ("duckdb", "polars", "pandas", "beancount") if (v := version(o.python, "-c", f"import {m}; print({m}.__version__)"))]
        tools += [version(t, "--version").split(",")[0] for t in ("ledger", "hledger")]
    print("; ".join(t for t in tools if t) + ".")
    for name, table in (("import", table_import), ("record", table_record), ("headroom", table_headroom), ("peers", table_peers), ("csv", table_csv)):
        if name in wanted:
            for w in [workloads] if table is table_headroom else workloads:
                say(name if table is table_headroom else f"{name}, {w.n:,}")
                try:
                    table(w, o)
                except TROUBLE as e:
                    TROUBLES.append(f"{name}: {type(e).__name__}: {e}")
                    say(f"  left out: {TROUBLES[-1]}")
    if BARS:
        print("\n### Bars\n")
        head("bar", "measured", "at most", "met")
        for what, measured, most in BARS:
            print(f"| {what} | {times(measured)} | {most} | {'' if measured is None else 'yes' if measured <= most else '**no**'} |")
    print(f"\nLoad average {os.getloadavg()[0]:.1f} at the end.")
    with open(os.path.join(o.work, "results.json"), "w") as f:
        json.dump({"tables": RESULTS, "bars": BARS, "troubles": TROUBLES}, f, indent=1)
    if TROUBLES:
        print("\n### Left out\n")
        for trouble in TROUBLES:
            print(f"- {trouble}")
    sys.exit(1 if TROUBLES else 0)


if __name__ == "__main__":
    main()
