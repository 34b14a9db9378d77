"""An artifact that is replaced: whatever interrupts it, the old or the new one is there."""

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from construct import ConstructError, affine, artifact, build, load, save
from construct.artifact import swap

CALLS = ("mkdir", "open", "rename", "fsync", "unlink", "rmdir", "scandir")


def made(shift):
    return build([affine("f", [[1]], [shift])], m=1)


ONE, TWO, THREE = (made(shift) for shift in (1, 2, 3))


def shift(construction):
    return construction.tasks[0].b[0]


class Interrupts:
    """Counts the system calls of a save, and raises KeyboardInterrupt at some of them."""

    def __init__(self, patch, at=(), after=False):
        self.count, self.at, self.after = 0, at, after
        for name in CALLS:
            patch.setattr(os, name, self.wrap(getattr(os, name)))
        patch.setattr(swap, "open", self.wrap(open), raising=False)

    def wrap(self, call):
        def interrupted(*args, **options):
            self.count += 1
            now = self.count in self.at
            if now and not self.after:
                raise KeyboardInterrupt
            result = None
            try:
                result = call(*args, **options)
            except OSError:
                if not now:
                    raise
            if now:
                if hasattr(result, "close"):
                    result.close()
                raise KeyboardInterrupt
            return result

        return interrupted


def found(target):
    try:
        return shift(load(target))
    except ConstructError as error:
        return str(error)[:11]


def is_found_again(target, older):
    """The artifact is there or comes back, and the next save leaves nothing beside it."""
    there = found(target)
    assert there in ({1, 2} if older else {"cannot read", 2})
    assert target.is_dir() == (there != "cannot read")
    save(THREE, target)
    assert os.listdir(target.parent) == [target.name]
    assert found(target) == 3


def start(target, older):
    target.parent.mkdir()
    if older:
        save(ONE, target)


def calls_of_a_save(folder, monkeypatch, older):
    start(folder / "a", older)
    with monkeypatch.context() as patch:
        counted = Interrupts(patch)
        save(TWO, folder / "a")
    return counted.count


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("older", [False, True], ids=["none", "older"])
def test_an_interrupt_at_every_system_call_leaves_the_old_or_the_new_artifact(
    tmp_path, monkeypatch, older, after
):
    count = calls_of_a_save(tmp_path / "count", monkeypatch, older)
    assert count > (20 if older else 12)
    for at in range(1, count + 1):
        target = tmp_path / f"{at}" / "a"
        start(target, older)
        with monkeypatch.context() as patch:
            Interrupts(patch, {at}, after)
            with pytest.raises(KeyboardInterrupt):
                save(TWO, target)
        is_found_again(target, older)


def test_a_second_interrupt_of_the_clean_up_is_no_worse(tmp_path, monkeypatch):
    count = calls_of_a_save(tmp_path / "count", monkeypatch, True)
    for at in range(1, count + 1):
        for second in range(at + 1 + at % 3, at + 12, 4):
            target = tmp_path / f"{at}-{second}" / "a"
            start(target, True)
            with monkeypatch.context() as patch:
                Interrupts(patch, {at, second}, after=second % 2 == 0)
                with pytest.raises(KeyboardInterrupt):
                    save(TWO, target)
            is_found_again(target, True)


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from construct import affine, build, load, save

    EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir",
              "os.listdir", "fcntl.flock", "shutil.rmtree"}

    def made(shift):
        return build([affine("f", [[1]], [shift])], m=1)

    def killed_at(number, target, construction):
        \"\"\"Whether a save was killed at its call of that number.\"\"\"
        child = os.fork()
        if not child:
            seen = []
            def hook(event, args):
                if event in EVENTS:
                    seen.append(event)
                    if len(seen) == number:
                        os.kill(os.getpid(), signal.SIGKILL)
            sys.addaudithook(hook)
            save(construction, target)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    folder, older = Path(sys.argv[1]), sys.argv[2] == "older"
    one, two, three, number = made(1), made(2), made(3), 0
    while True:
        number += 1
        target = folder / str(number) / "a"
        target.parent.mkdir()
        if older:
            save(one, target)
        if not killed_at(number, target, two):
            break
        try:
            found = load(target).tasks[0].b[0]
        except Exception as error:
            found = None
            assert "cannot read" in str(error), error
        assert found in ((1, 2) if older else (None, 2)), (number, found)
        save(three, target)
        assert os.listdir(target.parent) == ["a"], (number, os.listdir(target.parent))
        assert load(target).tasks[0].b[0] == 3
    print(number)
    """
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("older", ["none", "older"])
def test_a_kill_at_every_system_call_leaves_the_old_or_the_new_artifact(tmp_path, older):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path, older], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > (25 if older == "older" else 15)


def interrupted_between_the_renames(target, monkeypatch):
    """As a kill there leaves it: the clean-up does not come to it either."""

    def rename(*args, real=os.rename):
        real(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename)
        patch.setattr(swap, "_tidy", lambda *args: None)
        with pytest.raises(KeyboardInterrupt):
            save(TWO, target)


def test_what_lost_its_name_gets_it_back_and_the_left_overs_go(tmp_path, monkeypatch):
    target = tmp_path / "a"
    save(ONE, target)
    interrupted_between_the_renames(target, monkeypatch)
    assert not target.exists()
    assert len(os.listdir(tmp_path)) == 2
    assert shift(load(target)) == 2
    assert target.is_dir()
    save(THREE, target)
    assert os.listdir(tmp_path) == ["a"]


def test_a_new_one_that_is_not_whole_is_not_taken(tmp_path, monkeypatch):
    target = tmp_path / "a"
    save(ONE, target)
    interrupted_between_the_renames(target, monkeypatch)
    [fresh] = tmp_path.glob(".a.new-*")
    (fresh / "model.safetensors").write_bytes(b"half")
    assert shift(load(target)) == 1


def test_another_process_s_work_in_progress_is_left_alone(tmp_path):
    target = tmp_path / "a"
    working = tmp_path / f".a.new-{'0' * 16}"
    working.mkdir()
    (working / "config.json").write_text("half")
    with_lock = swap._Lock(working)
    assert with_lock.take()
    save(ONE, target)
    assert working.is_dir()
    with_lock.close()
    save(TWO, target)
    assert os.listdir(tmp_path) == ["a"]


def test_a_whole_folder_that_another_process_is_about_to_name_is_not_taken(tmp_path):
    working = tmp_path / f".a.new-{'0' * 16}"
    save(ONE, tmp_path / "b")
    os.rename(tmp_path / "b", working)
    with_lock = swap._Lock(working)
    assert with_lock.take()
    with pytest.raises(ConstructError, match="cannot read"):
        load(tmp_path / "a")
    with_lock.close()
    assert shift(load(tmp_path / "a")) == 1


@pytest.mark.parametrize(
    "name", [".a.new", ".a.old-1", f".b.new-{'0' * 16}", f"a.old-{'0' * 16}", f".a.old-{'g' * 16}"]
)
def test_folders_of_other_names_are_left_alone(tmp_path, name):
    (tmp_path / name).mkdir()
    save(ONE, tmp_path / "a")
    assert sorted(os.listdir(tmp_path)) == sorted([name, "a"])


def test_a_folder_with_other_files_is_no_left_over(tmp_path):
    mine = tmp_path / f".a.old-{'0' * 16}"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    save(ONE, tmp_path / "a")
    assert (mine / "notes.txt").read_text() == "mine"


TOGETHER = textwrap.dedent(
    """
    import os, sys
    from construct import affine, build, load, save

    target = sys.argv[1]
    save(build([affine("f", [[1]], [0])], m=1), target)
    children = []
    for shift in (1, 2, 3):
        child = os.fork()
        if not child:
            made = build([affine("f", [[1]], [shift])], m=1)
            for _ in range(15):
                save(made, target)
            os._exit(0)
        children.append(child)
    running = True
    for _ in range(100):
        assert load(target).tasks[0].b[0] in (0, 1, 2, 3)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    assert load(target).tasks[0].b[0] in (1, 2, 3)
    assert os.listdir(os.path.dirname(target)) == ["a"], os.listdir(os.path.dirname(target))
    """
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_processes_that_save_and_load_one_name_do_not_disturb_each_other(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER, tmp_path / "a"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_what_another_is_renaming_is_not_taken_for_something_else(tmp_path):
    target, failed = tmp_path / "a", []
    save(ONE, target)

    def again():
        try:
            save(TWO, target)
        except ConstructError as error:
            failed.append(error)

    with swap.locked(tmp_path):
        os.rename(target, tmp_path / "b")
        target.write_text("no artifact")
        saving = threading.Thread(target=again)
        saving.start()
        saving.join(0.3)  # it waits for the lock; where it did not, it has failed by now
        target.unlink()
        os.rename(tmp_path / "b", target)
    saving.join()
    assert not failed
    assert shift(load(target)) == 2


def test_without_locks_nothing_of_others_is_removed_and_what_is_whole_comes_back(
    tmp_path, monkeypatch
):
    target = tmp_path / "a"
    save(ONE, target)
    interrupted_between_the_renames(target, monkeypatch)
    monkeypatch.setattr(swap, "fcntl", None)
    save(THREE, tmp_path / "b")
    assert shift(load(target)) == 2
    save(THREE, target)
    assert shift(load(target)) == 3
    assert len(list(tmp_path.glob(".a.old-*"))) == 1


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_path_without_a_name_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConstructError, match="is not the name of a folder"):
        save(ONE, Path(name))


def test_whole_is_what_load_would_read(tmp_path):
    save(ONE, tmp_path / "a")
    assert artifact._is_whole(tmp_path / "a")
    (tmp_path / "a" / "config.json").unlink()
    assert not artifact._is_whole(tmp_path / "a")


def test_a_lock_that_an_interrupt_has_left_held_is_not_waited_for(tmp_path):
    """A traceback may keep it: the process that holds it takes it again, and others wait."""
    left = swap.locked(tmp_path)
    left.__enter__()  # never left
    made = build([affine("f", [[1]])], m=1)
    assert load(save(made, tmp_path / "a")).sizes == made.sizes
    with swap.locked(tmp_path):
        probe = swap._Lock(tmp_path)
        assert not probe.take()
        probe.close()
    probe = swap._Lock(tmp_path)
    assert probe.take()
    probe.close()
