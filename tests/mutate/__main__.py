"""`python -m tests.mutate --count 100000 --seed 1`: nothing but diagnostics, whatever the text."""

from __future__ import annotations

import argparse
import sys

from tests.mutate.shrink import shrunk
from tests.mutate.trial import mutant
from tests.mutate.workers import MEGABYTES, SECONDS, Failure, Tally, attempt, limit_memory, run_all

_SHOWN, _LINES = 20, 60


def main() -> int:
    """Run the command; 1 if any text breaks a promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutate", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many mutants")
    parser.add_argument("--seed", default="1", help="the same seed gives the same mutants")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--start", type=int, default=0, help="the number of the first mutant")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="print this one mutant, and examine it")
    options = parser.parse_args()
    if options.only is not None:
        return _one(options.seed, options.only)
    tally, failures = Tally(), 0
    for tally in run_all(options.seed, options.count, options.jobs, options.start):
        for failure in tally.failures[failures:]:
            print(
                f"{failure.kind}: --seed {options.seed} --only {failure.number}", file=sys.stderr, flush=True
            )
        failures = len(tally.failures)
        if tally.count % 1000 == 0:
            print(f"{tally.count:,} mutants, {len(tally.failures)} failures", file=sys.stderr, flush=True)
    _report(tally, options.seed)
    return 1 if tally.failures else 0


def _one(seed: str, number: int) -> int:
    text = mutant(seed, number)
    limit_memory()
    failure, seconds, (holds, codes) = attempt(text, number)
    print(text)
    print(
        f"# {seconds:.3f} s, {'holds' if holds else 'refused'}: {' '.join(sorted(codes)) or 'nothing is said'}"
    )
    if failure is not None:
        _explain(failure, text, seed)
    return 0 if failure is None else 1


def _report(tally: Tally, seed: str) -> None:
    slowest, number = tally.slowest
    print(
        f"{tally.count:,} mutants of seed {seed} in {tally.seconds:,.0f} s: {tally.held:,} hold, the others are refused"
    )
    print(
        f"{len(tally.codes)} codes: {', '.join(f'{code} {count:,}' for code, count in sorted(tally.codes.items()))}"
    )
    print(
        f"the slowest took {slowest:.2f} s of {SECONDS:g} s (number {number}), none more than {MEGABYTES} MB"
    )
    print(f"{len(tally.failures)} failures")
    seen: set[str] = set()
    for failure in tally.failures:
        if failure.kind not in seen and len(seen) < _SHOWN:
            seen.add(failure.kind)
            _explain(failure, mutant(seed, failure.number), seed)


def _explain(failure: Failure, text: str, seed: str) -> None:
    print(f"\n== {failure.kind}\nagain: python -m tests.mutate --seed {seed} --only {failure.number}")
    print(failure.details.rstrip())
    if failure.kind != "Lost":
        lines = shrunk(text, failure.kind).split("\n")
        more = [f"… {len(lines) - _LINES} more lines"] if len(lines) > _LINES else []
        print("\n".join(["-- shrunk:", *lines[:_LINES], *more, "--"]), flush=True)


if __name__ == "__main__":
    sys.exit(main())
