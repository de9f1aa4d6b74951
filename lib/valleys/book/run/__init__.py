"""Running chapters: values of their parameters, what they may be, and the processes that execute
them.
"""
