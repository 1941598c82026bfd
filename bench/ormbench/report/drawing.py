"""A finished chart, in the five forms that are written. Pure data: knows no drawing library."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart. The inline forms take their colours from the page they stand in."""

    name: str  # "ladder": also the file's name
    title: str  # the answer, in words
    note: str  # how to read it, and on how many blocks it rests
    wide: str  # inline SVG for 760 pixels
    narrow: str  # inline SVG for 360 pixels
    standalone: str  # an SVG file with its own colours, title and origin
    dark: str  # the same file in the colours of the dark theme
    png: bytes
