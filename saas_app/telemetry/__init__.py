"""Metrics for Prometheus and traces for OpenTelemetry. Both are off by default, and watch from outside."""
