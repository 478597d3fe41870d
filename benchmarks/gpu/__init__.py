"""The report that a machine with a GPU writes by itself, one module a section.

A section's module has ``run(place, save)``, which returns what it found as a tree
that JSON can hold, and ``show(data)``, which returns the lines of Markdown that say
it. ``run`` is called in a process of its own, and may give unfinished trees to
``save`` on the way: they are what remains of it if its time runs out.
"""
