"""Which events are one issue: pure functions from an Event to a Grouping that says why.

    group(event) -> Grouping          by the current configuration; older ones by their name
    grouped(event, config, older)     in a project with rules of its own, and with what else follows from them
    show(data, config)                what rules say of the frames of a stored event
    explain(data, tags, config)       the same with its trees, from a stored event, for the page that says why

A configuration is never changed once released: every change of a hash makes new issues. A new one gets a new
name in `configs`; while a project moves to it, the store looks up the old one's hashes as well.
"""

from app.grouping.configs import CURRENT
from app.grouping.engine import explain, group, grouped, show

__all__ = ["CURRENT", "explain", "group", "grouped", "show"]
