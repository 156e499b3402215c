"""A backup: one archive of every schema, taken in one snapshot, and put back whole or not at all.

`archive` is its form, `schemas` what a schema holds, `sealed` whether the keys open it, `taking` and `restoring` the two ways,
`command` the two commands.
"""
