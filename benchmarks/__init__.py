"""Measurements of gh_artifacts_async against what people use today: ``python -m benchmarks``."""
