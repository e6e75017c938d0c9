"""The teacher's desk: judges what a class has handed in, and writes one table.

    python -m aelib.grade folder/                     a folder for each student, or a notebook for each
    python -m aelib.grade --export nbgrader source/   the lessons as assignments for nbgrader

A lesson is run once, up to its last exercise; at each exercise a process is forked for each student, in which only
their own cells run. See ``handed_in`` (reading), ``room`` (running), ``report`` (the table), ``release`` (nbgrader).
"""
