"""`python -m construct` is the command `construct`."""

from construct_icl import main

main()
