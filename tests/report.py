"""Add up what the phases of `make test` wrote: ``python tests/report.py FOLDER PHASE...``; the last line is the sum.

A phase leaves PHASE.xml (JUnit). One that left none did not run, and counts as an error; so does one without a test.
Seconds are those that one waits; a phase that runs two processes spends up to twice as many.
"""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

SLOWEST = 10
REASONS = 6  # per phase, the most frequent
BUDGET = 25  # minutes for `make test` on two cores, environments included; told, not failed on: a machine may be busy


def read(path: Path) -> tuple[Counter, list[tuple[float, str]], Counter, float]:
    """Counts by outcome, (seconds, test) pairs, how often each reason for skipping was given, the phase's seconds."""
    counts, times, reasons = Counter(), [], Counter()
    root = ElementTree.parse(path)
    for case in root.iter("testcase"):
        outcome = next((tag for tag in ("failure", "error", "skipped") if case.find(tag) is not None), "passed")
        counts[outcome] += 1
        times.append((float(case.get("time") or 0), f"{case.get('classname')}::{case.get('name')}"))
        if outcome == "skipped":
            reasons[case.find("skipped").get("message") or "no reason given"] += 1
    return counts, times, reasons, sum(float(suite.get("time") or 0) for suite in root.iter("testsuite"))


def report(folder: Path, phases: list[str]) -> tuple[list[str], bool]:
    """The lines to print, and whether all is well."""
    lines, total, all_times = ["", f"{'phase':14}{'passed':>8}{'skipped':>9}{'failed':>8}{'seconds':>9}"], Counter(), []
    waited = 0.0
    for phase in phases:
        path = folder / f"{phase}.xml"
        if not path.is_file():
            lines.append(f"{phase:14} DID NOT RUN")
            total["error"] += 1
            continue
        counts, times, reasons, seconds = read(path)
        failed = counts["failure"] + counts["error"]
        lines.append(f"{phase:14}{counts['passed']:8}{counts['skipped']:9}{failed:8}{seconds:9.0f}")
        lines += [f"{'':14} skipped {count}: {reason}" for reason, count in reasons.most_common(REASONS)]
        if not counts["passed"] + counts["skipped"] + failed:
            lines.append(f"{phase:14} RAN NO TEST")
            total["error"] += 1
        total += counts
        waited += seconds
        all_times += [(time, f"{phase}: {name}") for time, name in times]
    lines += ["", f"slowest {SLOWEST}"]
    lines += [f"{time:8.1f} s  {name}" for time, name in sorted(all_times, reverse=True)[:SLOWEST]]
    failed = total["failure"] + total["error"]
    summary = f"{failed} failed, " * bool(failed) + f"{total['passed']} passed, {total['skipped']} skipped"
    if waited > 60 * BUDGET:
        lines += ["", f"longer than the {BUDGET} minutes that `make test` may take"]
    lines += ["", f" {summary} in {waited:.0f}s ".center(80, "=")]
    return lines, not failed


if __name__ == "__main__":
    text, well = report(Path(sys.argv[1]), sys.argv[2:])
    print("\n".join(text))
    sys.exit(0 if well else 1)
