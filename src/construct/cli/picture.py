"""Pictures as files: `--picture FILE`."""

from pathlib import Path

from construct.cli.outputs import file_to_write, refuse_inside
from construct.cli.outputs import write as write

# How every picture of construct starts; no other file is written over.
OWN = b'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="construct"'


def refuse_other_files(name: str, artifact: str) -> Path:
    """The file to write; it must be called .svg, and not hold anything else yet.

    Raises:
        ConstructError: naming the file.
    """
    path = file_to_write(name, (".svg",), _is_picture, "a picture")
    refuse_inside(path, artifact)
    return path


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(OWN)) == OWN
    except OSError:
        return False


def print_written(path: Path, of: str) -> None:
    """What was drawn, and where it is."""
    from construct.cli.show import console, table

    console().print(table([("picture", of), ("written to", str(path))]))
