"""What the terminal says below its table: of other products, drivers and scenarios, in short."""

from collections.abc import Iterator

from ormbench.report import gaps, questions
from ormbench.report.cards import DRIVER, ORM_OR_CORE
from ormbench.report.comparison_words import short_ratio
from ormbench.report.findings import Card, Findings
from ormbench.report.terminal_lines import packed, wrapped

_REASON_LINES = 2  # of why a product was left out


def beside(findings: Findings, width: int) -> Iterator[str]:
    """Lines about drivers, products left out and other scenarios; none where nothing is to say."""
    card = next((one for one in findings.cards if one.question == DRIVER and one.measured), None)
    if card:
        yield from _drivers(findings, card, width)
    for product, reason in gaps.absent(findings):
        yield from wrapped(product, f"left out: {reason}", width)[:_REASON_LINES]
    lane, others = questions.elsewhere(findings)
    if others:
        texts = [f"{one.candidate.scenario} {short_ratio(one)}" for one in others]
        label = f"{lane}/{questions.reference_name(findings)} elsewhere:"
        yield from wrapped(label, ", ".join(texts), width)


def _drivers(findings: Findings, card: Card, width: int) -> Iterator[str]:
    lanes = card.detail.partition(" (")[0].removesuffix(f" of {findings.focus}")
    yield from wrapped("driver", f"{card.verdict}   {lanes}", width)
    for product, text in card.others:
        yield from wrapped("driver", f"on {product} {text}", width)


def other_products(findings: Findings, width: int) -> Iterator[str]:
    """A line for each product beside the focus's that has words of its own; one for the others."""
    card = next((one for one in findings.cards if one.question == ORM_OR_CORE), None)
    says = dict(card.others) if card else {}
    silent = []
    for product, server in findings.servers[1:]:
        if product in says:
            yield from wrapped(product, f"{server}, {says[product]}", width)
        else:
            silent.append(f"{product} {server}")
    yield from packed(silent, width, " ")
