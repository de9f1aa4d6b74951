"""What holds for every test."""

import os

# Set before torch and numba are imported: several processes of several threads each would fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "agg")
