"""The guard with a clock that runs fast: `python -m tests.acceptance.fast run`, where FAST says how fast."""

import os
import sys
from functools import partial

import guard.clock
import guard.service
from guard.__main__ import main

if __name__ == "__main__":
    speed = float(os.environ["FAST"])
    guard.clock.Clock = partial(guard.clock.Clock, speed)  # type: ignore[misc,assignment] # the one wrapped class
    guard.service.PULSE_S = 0.05  # type: ignore[misc] # nearly as fast as the clock
    sys.exit(main(sys.argv[1:]))
