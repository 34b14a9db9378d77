"""From formulas to sums of ReLUs: what a network can hold in place of a smooth task."""
