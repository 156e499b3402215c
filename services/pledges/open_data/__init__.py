"""The register as open data: what programs are given, made from rows that were read. No I/O."""
