"""Draws a bar chart as plain SVG, readable on a light and on a dark page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 760
_LABELS: Final = 150  # pixels to the left of the bars
_VALUES: Final = 70  # pixels to the right of the longest bar
_ROW: Final = 20
_BAR: Final = 14
_GROUP: Final = 34  # pixels for the title of a group
_TOP: Final = 44

_STYLE: Final = """
  .page { fill: #ffffff } text { font: 12px system-ui, sans-serif; fill: #1f2933 }
  .title { font-size: 14px; font-weight: 600 } .group { font-weight: 600 } .quiet { fill: #52606d }
  .main { fill: #2563eb } .before { fill: #9aa5b1 } .other { fill: #c3d3f5 }
  .goal { stroke: #d97706; stroke-width: 3 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9da7b3 }
    .main { fill: #5b8def } .before { fill: #6e7681 } .other { fill: #2d4373 } .goal { stroke: #fbbf24 }
  }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar and its label. ``kind`` is its color: ``main``, ``before`` or ``other``. ``goal`` gets a mark."""

    label: str
    value: float
    kind: str
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Bars below a title."""

    title: str
    bars: Sequence[Bar]


def draw(title: str, unit: str, groups: Sequence[Group]) -> str:
    """Return a chart as an SVG document. All bars have one scale, which begins at 0."""
    longest = max(max(bar.value, bar.goal or 0) for group in groups for bar in group.bars)
    scale = (_WIDTH - _LABELS - _VALUES) / longest
    parts, y = [], _TOP
    for group in groups:
        parts.append(f'<text class="group" x="12" y="{y + 22}">{escape(group.title)}</text>')
        y += _GROUP
        for bar in group.bars:
            parts += _row(bar, y, scale)
            y += _ROW
    height = y + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}"'
        f' height="{height}" role="img" aria-labelledby="title">'
    )
    return "\n".join(
        [
            head,
            f'<title id="title">{escape(title)}</title>',
            f"<style>{_STYLE}</style>",
            f'<rect class="page" width="{_WIDTH}" height="{height}" rx="8"/>',
            f'<text class="title" x="12" y="24">{escape(title)}</text>',
            f'<text class="quiet" x="12" y="42">{escape(unit)}</text>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _row(bar: Bar, y: int, scale: float) -> list[str]:
    width, middle = max(bar.value * scale, 1), y + _BAR - 3
    parts = [
        f'<text class="quiet" x="{_LABELS - 8}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>',
        f'<rect class="{bar.kind}" x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>',
    ]
    end = width
    if bar.goal is not None:
        at = _LABELS + bar.goal * scale
        parts.append(f'<line class="goal" x1="{at:.1f}" x2="{at:.1f}" y1="{y - 3}" y2="{y + _BAR + 3}"/>')
        end = max(end, bar.goal * scale) if abs(bar.goal * scale - width) < 40 else end
    parts.append(f'<text x="{_LABELS + end + 6:.1f}" y="{middle}">{bar.value:.1f}</text>')
    return parts
