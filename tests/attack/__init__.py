"""The standing attack: random artifacts, prompts, files and interrupts against a reckoning.

    make attack SECONDS=1800 SEED=1
    python -m attack --seconds 60 --only merged --seed 1
    python -m attack --replay FILE

`reckoning` says, in Fractions and with no line of construct, what has to come out (`domain`,
`curves`: of formulas). `attacks`, `smooth` (formulas, scratch tokens, the flat gate) and `claims`
draw cases; `targets`, `sampled`, `claims`, `interrupted` and `meshed` check them;
`shrink` makes the first finding of a kind small; `plants` checks the attack itself.
"""
