"""Who somebody is and what they may do: tokens that desk signs, the cut-offs that void them, and the check at every staff address.

`tokens` signs and reads them, `people` keeps the cut-offs that desk tells by `person.changed.v1`, `require` stands at the addresses.
"""
