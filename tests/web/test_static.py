"""The style sheet and the script keep to their rules."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).parent.parent.parent / "app" / "web" / "static"
CSS = (STATIC / "app.css").read_text()


def layer(name: str) -> str:
    return CSS.split(f"@layer {name} {{")[1].split("\n@layer ")[0]


def test_colours_stand_only_in_the_token_layer() -> None:
    for name in ("reset", "base", "layout", "parts"):
        found = re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(", layer(name))
        assert found == [], name


def test_every_token_that_is_used_exists() -> None:
    used = set(re.findall(r"var\((--[a-z0-9-]+)", CSS))
    assert used <= set(re.findall(r"(--[a-z0-9-]+):", layer("tokens")))


def test_nothing_is_important_and_the_sheet_stays_short() -> None:
    assert "!important" not in CSS
    assert CSS.count("\n") <= 450


def test_the_script_stays_short_and_makes_no_html_from_text() -> None:
    script = (STATIC / "app.js").read_text()
    assert script.count("\n") <= 300
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(each * 2 for each in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_colour_is_readable_on_every_ground() -> None:
    pattern = r"--([a-z0-9-]+): light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)"
    tokens = {name: (light, dark) for name, light, dark in re.findall(pattern, layer("tokens"))}
    for theme in (0, 1):
        for text in ("text", "text-2", "text-3", "accent", "error", "warning", "info", "ok"):
            for ground in ("bg", "surface", "sunken", "code"):
                ratio = contrast(tokens[text][theme], tokens[ground][theme])
                assert ratio >= 4.5, (text, ground, theme, ratio)
        for name in ("error", "warning", "info", "ok", "accent"):
            assert contrast(tokens[name][theme], tokens[f"{name}-soft"][theme]) >= 4.5, (name, theme)
        assert contrast(tokens["on-accent"][theme], tokens["accent"][theme]) >= 4.5
        assert contrast(tokens["line-strong"][theme], tokens["surface"][theme]) >= 3
