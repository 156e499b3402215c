"""Finds links as X does: with a scheme or without, by the list of top-level domains, in any script."""

import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_PACKAGE = "twitter_text"


def _finder() -> Callable[[str], list[dict[str, Any]]]:
    # The package's own start reads a table of emoji (of 2019, which we do not use) by `pkg_resources`, which Python has no longer from 3.12
    # on. So its part for links is imported without it.
    if _PACKAGE not in sys.modules:
        spec = find_spec(_PACKAGE)
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("twitter-text-parser is not installed; install what the lock names")
        package = ModuleType(_PACKAGE)
        package.__path__ = list(spec.submodule_search_locations)
        sys.modules[_PACKAGE] = package
    from twitter_text.extract_urls import extract_urls_with_indices

    found: Callable[[str], list[dict[str, Any]]] = extract_urls_with_indices
    return found


_find = _finder()


def links(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each link begins and ends, in characters of `text`, in order."""
    for found in _find(text):
        start, end = found["indices"]
        yield start, end
