"""`python -m construct` is the command `construct`."""

from construct.cli import main

main()
