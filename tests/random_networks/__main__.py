"""`python -m tests.random_networks`: random valid networks, each held to every promise of netspec."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from time import monotonic

from netspec.backend import Builds, Learns
from tests.having import having
from tests.random_networks.one import Outcome
from tests.random_networks.workers import Work, outcomes


def main() -> int:
    """Run, print every failure as it comes and the counts at the end; 1 if anything failed."""
    asked = _parser().parse_args()
    numbers = [asked.only] if asked.only is not None else list(range(asked.start, asked.start + asked.count))
    work = Work(asked.seed, asked.batches, tuple(asked.backends.split(",")), not asked.whole)
    began, kinds, rounding = monotonic(), Counter[str](), 0
    for done, outcome in enumerate(outcomes(work, numbers, asked.jobs), start=1):
        if outcome.rounding:
            rounding += 1
            print(f"--- {asked.seed}/{outcome.number}: rounding: {outcome.rounding[0]}", flush=True)
        if outcome.kind:
            kinds[f"{outcome.kind} (a backend's refusal)" if outcome.refused else outcome.kind] += 1
            if not outcome.refused:
                print(_told(outcome, asked), flush=True)
        if done % 50 == 0:
            print(f"{done} of {len(numbers)}, {monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    failed = sum(count for kind, count in kinds.items() if "refusal" not in kind)
    print(f"{len(numbers)} networks, {failed} failed, {monotonic() - began:.0f} s")
    if rounding:
        print(f"{rounding:6} differ by rounding that the network itself makes large")
    for kind, count in kinds.most_common():
        print(f"{count:6} {kind}")
    return 1 if failed else 0


def _told(outcome: Outcome, asked: argparse.Namespace) -> str:
    again = f"python -m tests.random_networks --seed {asked.seed} --only {outcome.number} --batches {asked.batches}"
    return f"--- {asked.seed}/{outcome.number}: {outcome.words}\n# {again}\n{outcome.text}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.random_networks", description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="how many networks")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other networks")
    parser.add_argument("--start", type=int, default=0, help="the number of the first network")
    parser.add_argument("--only", type=int, help="run the network of this number")
    parser.add_argument(
        "--batches", choices=["all", "2"], default="2", help="all: 1, 2, 3 and an axis' length"
    )
    parser.add_argument(
        "--backends", default=",".join(having(Builds, Learns)), help="names, joined by commas"
    )
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--whole", action="store_true", help="do not shrink what fails")
    return parser


if __name__ == "__main__":
    sys.exit(main())
