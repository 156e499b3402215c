"""A post from its first word to its deliveries: `things` is what the two-person rule knows of it, `writing` every change that a person
makes, `sources` what a change of its source does, `planning` what its standing means for what leaves,
`asking` what it asks of people besides decisions.
"""
