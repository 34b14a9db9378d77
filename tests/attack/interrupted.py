"""Interrupts and kills of `save`, at every moment: run as a program, or as a check.

    python -m attack.interrupted FOLDER KIND [MOST] [POINT]

A *point* is a call that opens, moves, makes or removes a file, or a line of construct that
runs after the first of them. At point k of a save the process gets KeyboardInterrupt, or is
killed. Afterwards `load` has to give the old artifact or the new one, whole; and after one
more save nothing else may lie beside it. A process is forked for each point, before any
library with threads is loaded. Prints a line of JSON.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from attack.outcome import Case, Outcome

EVENTS = ("os.", "shutil.", "tempfile.", "open")
READS = ("os.listdir", "os.scandir", "os.walk", "os.fwalk")
KINDS = ("interrupt", "kill")
# A save takes milliseconds: after so many seconds it waits for itself.
HANGS = 15
# Points of one save that are tried, at most: evenly spread where there are more.
MOST = 300


class Trap:
    """Counts points from the first call that changes the file system, and springs at one."""

    def __init__(self, at: int, kind: str, folder: str) -> None:
        self.at, self.kind, self.folder = at, kind, folder
        self.passed, self.armed, self.last = 0, False, ""
        sys.addaudithook(self._event)
        sys.settrace(self._frame)

    def _event(self, event: str, arguments: tuple) -> None:
        if not event.startswith(EVENTS):
            return
        # Once it has begun: a folder is emptied by descriptors, which name no path.
        if not self.armed and self.folder not in repr(arguments):
            return
        reads = event in READS or (event == "open" and arguments[1] in ("r", "rb"))
        if self.armed or not reads:
            self.armed = True
            self._point(event)

    def _frame(self, frame: Any, event: str, _: Any) -> Any:
        if "construct" not in frame.f_code.co_filename:
            return None
        if self.armed and event == "line":
            self._point(f"{frame.f_code.co_name}:{frame.f_lineno}")
        return self._frame

    def _point(self, name: str) -> None:
        self.passed += 1
        if self.passed == self.at:
            self.last = name
            (Path(self.folder).parent / "point").write_text(name)
            if self.kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt


def forked(work: Any) -> int:
    """Run work() in a child; its exit status: 0, 1 for an exception, 9 if it was killed."""
    child = os.fork()
    if child == 0:
        signal.alarm(HANGS)
        status = 1
        try:
            work()
            status = 0
        except KeyboardInterrupt:
            status = 3
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def survey(
    folder: Path, kind: str, most: int = MOST, only: int | None = None
) -> list[dict[str, Any]]:
    """Each point, with a new target and over an old artifact: what is wrong afterwards.

    Args:
        most: how many points of a save are tried.
        only: the one that is.
    """
    from construct import affine, build, load, save

    old, new = (build([affine(name, [[2]])], m=1) for name in ("old", "new"))
    place, found = folder / "place", []
    target = place / "artifact"

    def trapped(point: int, before: bool) -> int:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        if before:
            save(old, target)

        def work() -> None:
            trap = Trap(point, kind, str(place))
            save(new, target)
            sys.settrace(None)
            (folder / "count").write_text(str(trap.passed))

        return forked(work)

    for before in (True, False):
        trapped(0, before)
        count = int((folder / "count").read_text())
        step = max(1, -(-count // most))
        for point in [only] if only else range(1, count, step):
            (folder / "point").write_text("nowhere")
            status = trapped(point, before)
            found.append({"before": before, "point": point, "status": status})
            found[-1]["name"] = (folder / "point").read_text()
            if status == -signal.SIGALRM:
                found[-1]["wrong"] = f"it hangs for {HANGS} s"
                continue
            found[-1]["wrong"] = _wrong(load, save, new, target, before)
    return found


def _wrong(load: Any, save: Any, new: Any, target: Path, before: bool) -> str | None:
    """What is wrong with the artifact after an interrupt."""
    try:
        name = load(target).tasks[0].name
        if name not in ("old", "new"):
            return f"it is of {name!r}"
    except Exception as error:
        if before:
            left = sorted(str(p.relative_to(target.parent)) for p in target.parent.rglob("*"))
            return f"load raises {type(error).__name__}: {error}; there: {left}"
    try:
        save(new, target)
        if load(target).tasks[0].name != "new":
            return "the next save does not replace it"
    except Exception as error:
        return f"the next save raises {type(error).__name__}: {error}"
    beside = sorted(p.name for p in target.parent.iterdir() if p != target)
    return f"after the next save there is also {beside}" if beside else None


def with_tests() -> dict[str, str]:
    """The environment of a process that finds this package, however this one has."""
    tests = str(Path(__file__).parents[1])
    known = [tests, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, known))}


def check_interrupts(case: Case) -> Outcome:
    """Run the survey in a process of its own."""
    import tempfile

    out = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "attack.interrupted", folder, case["kind"]]
        command += [str(case.get("most", MOST))]
        command += [str(case["point"])] if case.get("point") else []
        done = subprocess.run(command, env=with_tests(), capture_output=True, text=True)
    if done.returncode:
        out.add("crash", f"interrupts: {done.stderr[-500:]}")
        return out
    for one in json.loads(done.stdout):
        out.counts[f"saves: {case['kind']}"] += 1
        if one["wrong"]:
            over = "over an old artifact" if one["before"] else "to a new place"
            said = f"{case['kind']} at point {one['point']} ({one['name']}), {over}: {one['wrong']}"
            out.add("interrupt", said, one["point"])
    return out


if __name__ == "__main__":
    print(json.dumps(survey(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:]))))
