"""The codes of the rules that the kinds' own models hold to, beyond types and lengths; each has a sentence `fault.<code>`.

Kept here by name so that a code without a sentence is found by a test and not by a partner; what is none of these is told as
`wrong`.
"""

KIND_RULES = frozenset(
    {
        "amount-not-positive",
        "amount-without-financial",
        "control-character",
        "country-missing",
        "due-before-start",
        "end-before-start",
        "financial-without-amount",
        "languages-differ",
        "mail-address",
        "matched-id-without-matching",
        "matching-without-matched-id",
        "not-a-day",
        "not-a-moment",
        "not-a-whole-period",
        "not-an-amount",
        "not-suggested",
        "objective-out-of-range",
        "one-line",
        "original-missing",
        "outside-the-compact",
        "partnership-without-participants",
        "periods-out-of-order",
        "refugees-only",
        "region-missing",
        "too-many-decimal-places",
        "unknown-country",
        "unknown-currency",
        "unknown-zone",
        "web-address",
        "web-address-too-long",
        "web-address-with-user",
        "year-out-of-range",
    }
)
