"""How nbgrader releases, collects and grades the exercises; run it in this folder."""

c = get_config()  # noqa: F821  nbgrader hands it to this file
c.CourseDirectory.course_id = "valleys"
c.ClearSolutions.enabled = False  # solutions are gone already; signatures and docstrings stay
c.Execute.timeout = 600  # seconds a cell, after which a hand-in is not waited for
