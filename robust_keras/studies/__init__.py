"""The four studies, run again: declarations, the runner, and the pages made from what it found."""
