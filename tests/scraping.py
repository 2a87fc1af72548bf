"""Reads ``/metrics`` as Prometheus does."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class Scrape:
    """The metrics at one moment."""

    families: tuple[Metric, ...]

    @classmethod
    def of(cls, text: str) -> Scrape:
        """Parse Prometheus' text format."""
        return cls(tuple(text_string_to_metric_families(text)))

    @property
    def names(self) -> set[str]:
        """The names of all samples."""
        return {sample.name for family in self.families for sample in family.samples}

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the samples with this name and these labels: 0 if there is none."""
        return sum(
            sample.value
            for family in self.families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def labels(self, label: str | None = None) -> set[str]:
        """Return the values of one label, or of all, in all samples."""
        return {
            value
            for family in self.families
            for sample in family.samples
            for name, value in sample.labels.items()
            if label in (None, name)
        }


async def scrape(port: int) -> Scrape:
    """Read the metrics at a port of this machine, on a connection of its own."""
    async with aiohttp.request("GET", f"http://127.0.0.1:{port}/metrics") as response:
        assert response.status == 200
        return Scrape.of(await response.text())
