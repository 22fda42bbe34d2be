#!/usr/bin/env python3
"""How fast transactions are screened: whole processes from CSV to CSV on one core, at two sizes.

usage: screening.py --tppledger BIN --work SCRATCH [--n 100000,1000000] [--rounds 3]

The transactions are made by a fixed recipe: real ECCNs and TPP, fifteen destinations of all standings, four fifths of the parties at
home, a fifth elsewhere, some facts unknown. Bars: 200,000 rows a second on one core, and no more memory for more rows.
"""
import argparse
import csv
import os
import random
import shutil
import statistics
import subprocess
import time

COLUMNS = ("transaction_id on eccn tpp_per_unit performance_density memory_bandwidth_gb_s datacenter quantity activity destination "
           "consignee_headquarters parent_headquarters end_user end_use part_744 distributor certified lpp_received_tpp veu").split()
PLACES = "MY PL DE AE SA VN IN CN FR SG BR KE JP MX CH".split()
ITEMS = [("3A090.a", "15824", "19.44", "3350"), ("3A090.a", "5285", "8.68", "1008"), ("4A090.a", "126592", "19.44", "26800"),
         ("3A090.b", "2640", "3.2", "933"), ("5A992.z.1", "4992", "6.04", "2039")]


def write(path, n):
    dice = random.Random(7)
    with open(path, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(COLUMNS)
        for i in range(n):
            place = dice.choice(PLACES)
            seats = [place, place] if dice.random() < 0.8 else [dice.choice(PLACES), dice.choice(PLACES)]
            out.writerow([f"T{i}", f"2025-{dice.randint(5, 9):02}-{dice.randint(10, 19)}", *dice.choice(ITEMS), dice.choice(("yes", "no")),
                          dice.randint(1, 2000), "export", place, *seats, dice.choice(("private_sector", "government", "")),
                          dice.choice(("develop", "produce", "train_model", "other")), "no", "no", dice.choice(("yes", "no", "")),
                          dice.choice(("0", "1000000", "")), dice.choice(("none", "national", ""))])


def run(binary, path, out, folder):
    """Wall seconds and peak MiB, on the first core; in a folder without a ledger, so that none is read."""
    memory, empty = os.path.join(folder, "screen-memory"), os.path.join(folder, "empty")
    os.makedirs(empty, exist_ok=True)
    argv = [shutil.which("time"), "-f", "%M", "-o", memory, "taskset", "-c", "0",
            binary, "screen", path, "--format", "csv"]
    with open(out, "w") as sink:
        begin = time.perf_counter()
        subprocess.run(argv, stdout=sink, check=True, cwd=empty)
        return time.perf_counter() - begin, int(open(memory).read().split()[-1]) / 1024


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tppledger", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--n", default="100000,1000000")
    p.add_argument("--rounds", type=int, default=3)
    o = p.parse_args()
    o.work = os.path.abspath(o.work)
    os.makedirs(o.work, exist_ok=True)
    print("| transactions | median | rows/s on one core | peak MiB |\n|---|---|---|---|")
    figures = []
    for n in (int(n) for n in o.n.split(",")):
        path, out = os.path.join(o.work, f"transactions-{n}.csv"), os.path.join(o.work, "screened.csv")
        write(path, n)
        rounds = [run(os.path.abspath(o.tppledger), path, out, o.work) for _ in range(o.rounds)]
        with open(out, newline="") as f:
            answered = sum(1 for _ in csv.reader(f)) - 1
        assert answered == n, f"{answered} answers to {n} transactions"
        wall, peak = statistics.median(wall for wall, _ in rounds), max(peak for _, peak in rounds)
        figures.append((n / wall, peak))
        print(f"| {n:,} | {wall:.2f} s | {n / wall:,.0f} | {peak:.0f} |")
    rate, flat = figures[-1][0], figures[-1][1] - figures[0][1]
    print(f"\n200,000 rows a second: {'met' if rate >= 200_000 else 'NOT met'} ({rate:,.0f}). "
          f"Flat memory: {'met' if flat < 4 else 'NOT met'} ({flat:+.1f} MiB from the smallest to the largest).")


if __name__ == "__main__":
    main()
