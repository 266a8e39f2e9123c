"""What holds for every test: Hypothesis does not measure time, for these machines are noisy.

`make test` tries few examples of each property, so that it stays quick; HYPOTHESIS_PROFILE=thorough tries many more.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores, since each waits for servers and processes for a quarter of its time."""
    return (os.cpu_count() or 1) + 1
