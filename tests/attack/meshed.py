"""Prompts over a mesh of eight simulated devices: a program of its own, or a check.

    python -m attack.meshed < CASE      prints what it found as JSON

The number of devices is fixed when JAX starts, so that a process is started for each case.
"""

import json
import subprocess
import sys

from attack.interrupted import with_tests
from attack.outcome import Case, Finding, Outcome

DEVICES = 8


def check_mesh(case: Case) -> Outcome:
    """Run the case in a process that has eight devices."""
    out = Outcome()
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    done = subprocess.run(
        [sys.executable, "-m", "attack.meshed"],
        input=json.dumps(case),
        env={**with_tests(), "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        out.add("crash", f"mesh: {done.stderr[-500:]}")
        return out
    # Collectives announce themselves on standard output.
    found = json.loads(done.stdout[done.stdout.index("\n{") + 1 :])
    out.findings = [Finding(*one) for one in found["findings"]]
    out.counts.update(found["counts"])
    for name, share in found["worst"].items():
        out.measure(f"mesh, {name}", share)
    return out


def main() -> None:
    """One case from standard input."""
    from attack.targets import check_prompts
    from construct.execute.devices import mesh

    case = json.load(sys.stdin)
    out = check_prompts({**case, "batch": True, "mesh": mesh(batch=case["batch"])})
    out.counts["prompts on 8 devices"] += out.counts.pop("prompts in a batch", 0)
    findings = [[one.kind, one.text, one.at] for one in out.findings]
    print()
    print(json.dumps({"findings": findings, "counts": out.counts, "worst": out.worst}))


if __name__ == "__main__":
    main()
