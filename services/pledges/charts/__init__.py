"""Charts as geometry: from figures to places and lengths in per cent and units of text, which a template draws. No I/O, no words.

Lengths across are per cent of the chart's breadth, so that bars shrink with the page and letters do not; lengths down are pixels.
"""
