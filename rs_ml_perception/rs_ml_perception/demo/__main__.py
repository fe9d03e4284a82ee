"""`python -m rs_ml_perception.demo`."""

import sys

from rs_ml_perception.executables import demo

sys.exit(demo())
