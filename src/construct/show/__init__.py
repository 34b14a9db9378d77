"""Pictures and pages, made from a compiled artifact and a pass.

Every page is one file that asks nothing of the network; `theme.css` has the colours of all.
"""
