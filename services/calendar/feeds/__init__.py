"""Dates written for programs: iCalendar, JSCalendar, linked data. Pure: frozen dates in, text out.

The lines of iCalendar are written here and not by the library `icalendar`: of 20,000 dates it would take some 12 s, these some 0.5 s,
and its VTIMEZONE holds every change of clocks from 1970 to 2038. Two readers that know nothing of this writer hold it to the standard.
"""
