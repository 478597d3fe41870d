"""Cases of every schedule."""

SCHEDULES = {}
