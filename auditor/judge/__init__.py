"""Judging: the rules' language, the rulebook, and each rule weighed against each subject."""
