"""What all tests share: property tests on a busy machine may take their time, whatever it costs to import a library."""

from hypothesis import HealthCheck, settings

settings.register_profile("limr", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("limr")
