"""A sandbox in place of X: checks signatures, keeps a timeline with a page, refuses the same text twice, misbehaves when told to."""
