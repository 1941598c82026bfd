"""Measures what ORM, Core and bare driver cost for async Python on a real database.

The package reads as a sentence: plan -> cells -> slices -> trials -> results ->
statistics -> report. Imports point one way, in that order.
"""

__version__ = "0.1.0"
