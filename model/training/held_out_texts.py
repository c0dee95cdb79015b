"""Texts of the held-out sets that training never has: accents, look-alikes, formulas, amounts."""

import random
from collections.abc import Container

from model.training import forms
from model.training.prepare_terms import accented, held_out, terms

KINDS = ("accents", "look_alikes", "formulas", "small", "worn", "unknown")
_KANJI, _KANA = range(0x4E00, 0x9FA6), range(0x3042, 0x30FB)
_FORMULAS = (
    "E = mc²", "a² + b² = c²", "F = ma", "πr²", "V = 4/3 πr³", "C = 2πr", "λ = h/p", "E = hν",
    "ω = 2πf",
    "θ = 45°", "∠A = 60°", "∠ABC = 90°", "AB ∥ CD", "AB ⊥ CD", "△ABC ≌ △DEF", "A ∩ B", "A ∪ B",
    "x ∈ A",
    "∑x = 12", "√2 ≈ 1.414", "π ≈ 3.14159", "x ≤ y", "x ≥ 0", "a ≠ b", "p < 0.05", "n ≥ 30",
    "μ = 0",
    "σ² = 1", "α = 0.05", "χ² = 3.84", "ρ = 1.29 kg/m³", "Δx → 0", "ΔG < 0", "η = 85%", "φ(x)",
    "ψ(t)",
    "sin²θ + cos²θ = 1", "tan α = 1", "cos β = 0.5", "e = mc²", "H₂SO₄", "CO₂", "CaCO₃", "Al₂O₃",
    "x₁ + x₂",
    "y = kx + b", "f(x) = x²", "∫f(x)dx", "lim x→∞", "∵ a = b", "∴ b = c", "⊙O", "R = 10 Ω", "5 kΩ",
    "20 μm", "50 μg", "10 μL", "25 ℃", "±5%", "±0.01", "3 × 10⁸ m/s", "6.02 × 10²³", "10⁻⁹", "½",
    "¾",
    "β-胡萝卜素", "α-淀粉酶", "γ-球蛋白", "β-内酰胺酶", "β受体", "α粒子", "γ射线", "TNF-α", "TGF-β",
    "IL-1β", "IFN-γ", "δ = 0.2", "ε > 0", "ζ", "τ = RC", "Φ = BS", "Ω", "Σ", "Λ", "Ψ", "Θ", "Γ",
    "Π",
    "A ≈ B", "a ≡ b", "y ∝ x", "0 ≤ x ≤ 1", "a · b", "6 ÷ 2 = 3", "7 × 8 = 56", "90° − θ", "∞",
    "x² − 1",
)  # fmt: skip


class HeldOutTexts:
    """Texts by kind, within a charset."""

    def __init__(self, charset: Container[str]) -> None:
        self._charset = charset
        self._accented = [word for _, word in accented(charset) if held_out(word)]
        self._terms = [word for word in terms(charset) if held_out(word)]
        every = (chr(point) for part in (_KANJI, _KANA) for point in part)
        self._outside = [c for c in every if c not in charset]

    def generate(self, rng: random.Random, kind: str) -> str:
        """Return a text of one of KINDS; but for "unknown", all of it is in the charset."""
        if kind == "unknown":
            return self._unknown(rng)
        makers = (self._accents, self._look_alikes, self._formula, _amount, forms.generate)
        make = dict(zip(KINDS, makers, strict=False))[kind]
        while True:
            text = "".join(c for c in make(rng) if c == " " or c in self._charset)
            if text := " ".join(text.split()):
                return text

    def _accents(self, rng: random.Random) -> str:
        """Return European words with accents."""
        line = " ".join(rng.choices(self._accented, k=rng.randint(1, 4)))
        style = rng.random()
        return line.upper() if style < 0.3 else line.title() if style < 0.5 else line

    def _look_alikes(self, rng: random.Random) -> str:
        """Return Chinese words with characters that resemble others, and names of substances."""
        words = rng.choices(self._terms, k=rng.randint(1, 5))
        return rng.choice(("", "、", "，")).join(words)[:24]

    def _formula(self, rng: random.Random) -> str:
        """Return a formula or a term whose characters are all in the charset."""
        known = [f for f in _FORMULAS if all(c == " " or c in self._charset for c in f)]
        return rng.choice(known)

    def _unknown(self, rng: random.Random) -> str:
        """Return characters that the charset lacks, sometimes beside a word that it has."""
        outside = rng.choices(self._outside, k=rng.randint(1, 5))
        word = rng.choice(self._terms) if rng.random() < 0.6 else ""
        return "".join(outside) + word


def _amount(rng: random.Random) -> str:
    """Return an amount, a number, or an item with its price."""
    return rng.choice((forms.amount, forms.amount, forms.number, forms.item))(rng)
