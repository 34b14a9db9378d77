"""`python -m attack`: run the attack, print counts, worst figures and the smallest input."""

import argparse
import json
import sys
import time
from pathlib import Path

from attack.campaign import ATTACKS, CHECKS, Campaign
from attack.outcome import Case, Outcome
from attack.shrink import shrink


def main() -> int:
    """0 if nothing was found, 1 if something was."""
    options = _options()
    if options.replay:
        return replay(options.replay)
    campaign = Campaign(options.seed, tuple(options.only or ATTACKS))
    try:
        campaign.run(options.seconds, _progress, first=options.first)
    except KeyboardInterrupt:
        print("\ninterrupted; what was done so far:", file=sys.stderr)
    _print(campaign)
    if not campaign.first:
        return 0
    _print_findings(campaign, options)
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m attack", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=list(ATTACKS), metavar="NAME")
    parser.add_argument("--first", action="store_true", help="stop at the first finding")
    parser.add_argument("--shrink", type=float, default=60, help="seconds for a smallest input")
    parser.add_argument("--save", type=Path, default=Path("attack-finding.json"))
    parser.add_argument("--replay", type=Path, metavar="FILE")
    return parser.parse_args()


def replay(file: Path) -> int:
    """Run a saved case again."""
    case: Case = json.loads(file.read_text())
    found = CHECKS[case["check"]](case)
    for finding in found.findings:
        print(finding)
    print(f"{len(found.findings)} findings")
    return int(bool(found.findings))


def _progress(campaign: Campaign) -> None:
    if sys.stderr.isatty():
        gone = time.monotonic() - campaign.started
        rounds, found = sum(campaign.rounds.values()), len(campaign.outcome.findings)
        sys.stderr.write(f"\r{gone:6.0f} s  {rounds} rounds  {found} findings ")
        sys.stderr.flush()


def _print(campaign: Campaign) -> None:
    out = campaign.outcome
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    gone = time.monotonic() - campaign.started
    print(f"seed {campaign.seed}, {gone:.0f} s, rounds by attack:")
    for name in campaign.names:
        spent, cases = campaign.spent.get(name, 0.0), out.counts[f"cases of {name}"]
        print(f"  {name:<12}{campaign.rounds.get(name, 0):>7}{cases:>8} cases{spent:>8.0f} s")
    print("counts:")
    for kind, count in sorted(out.counts.items()):
        if not kind.startswith("cases of"):
            print(f"  {kind:<40}{count:>10}")
    print("worst error of an answer, in proved bounds:")
    for name, share in sorted(out.worst.items()):
        print(f"  {name:<40}{share:>10.3f}")
    print(_full(out))


def _full(out: Outcome) -> str:
    """Whether float32 ran at its limit in votes."""
    ran = out.counts["with all mK votes"] and out.counts["full: float32 at mK = 2896"]
    return f"float32 at mK = 2896, every vote cast: {ran or 'NOT'} prompts"


def _print_findings(campaign: Campaign, options: argparse.Namespace) -> None:
    print(f"\n{len(campaign.outcome.findings)} findings; the first of each kind:")
    for (name, _), (seconds, _, finding) in campaign.first.items():
        print(f"  {name} after {seconds:.0f} s: {str(finding)[:600]}")
    (_, _), (_, case, finding) = min(campaign.first.items(), key=lambda one: one[1][0])
    case = shrink(case, finding, CHECKS[case["check"]], options.shrink)
    options.save.write_text(json.dumps(case, indent=1) + "\n")
    found = [f for f in CHECKS[case["check"]](case).findings if f.kind == finding.kind]
    print(f"\nsmallest input ({options.save}; --replay runs it again):")
    text = json.dumps(case)
    print(text if len(text) < 3000 else text[:3000] + " ...")
    print(*found[:1] or [finding])


if __name__ == "__main__":
    sys.exit(main())
