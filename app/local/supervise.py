"""Keep a few programs running under one terminal, relay what they say, and stop them in order."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.local.process import NotReady, Process

LONGEST_PAUSE = 30.0  # seconds before a program that keeps dying is tried again
STEADY = 60.0  # seconds a program has to run for its earlier deaths to be forgotten


@dataclass
class Member:
    process: Process
    began: float = 0.0
    deaths: int = 0
    due: float | None = None  # when to start it again
    said: bytes = b""  # the beginning of a line
    kept: list[str] | None = None  # where its lines are kept instead of being relayed

    @property
    def out(self) -> int | None:
        stream = self.process.child.stdout if self.process.child else None
        return stream.fileno() if stream and not stream.closed else None


class Supervisor:
    """One thread and no clock of its own: somebody calls `turn()` for as long as things shall run."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.members: list[Member] = []
        self.selector = selectors.DefaultSelector()
        self.restarts = False  # while everything starts, a death is a reason to give up
        self.stopping = False

    def start(self, process: Process) -> None:
        self.members.append(member := Member(process))
        self.begin(member)

    def adopt(self, process: Process) -> None:
        """Mind a program that runs already."""
        self.members.append(Member(process, began=time.monotonic()))

    def listen(self, process: Process) -> Callable[[], str]:
        """Start a program that ends by itself; the answer gives all it has said, once it has ended."""
        member = Member(process, kept=[])
        self.begin(member)

        def words() -> str:
            self.drain(member)
            return "\n".join(member.kept or [])

        return words

    def begin(self, member: Member) -> None:
        member.process.start()
        member.began, member.due = time.monotonic(), None
        if (out := member.out) is not None:
            os.set_blocking(out, False)
            self.selector.register(out, selectors.EVENT_READ, member)

    def turn(self, seconds: float = 0.25) -> None:
        """Relay what was said, for up to `seconds`, and start again what died."""
        if not self.selector.get_map():
            time.sleep(seconds)
        for key, _ in self.selector.select(seconds):
            self.relay(key.data)
        for member in self.members if not self.stopping else ():
            if member.process.stands_still():
                self.say(f"{member.process.name} runs but does not work any more; it is killed.")
                member.process.kill()
            if not member.process.is_running:
                self.revive(member)

    def relay(self, member: Member) -> None:
        if (out := member.out) is None:
            return
        if chunk := os.read(out, 65536):
            *lines, member.said = (member.said + chunk).split(b"\n")
        else:
            lines, member.said = [member.said] if member.said else [], b""
            self.forget(member)
        for line in (line.decode(errors="replace") for line in lines):
            if member.kept is not None:
                member.kept.append(line)
            else:
                self.say(f"{member.process.name:>9} │ {line}")

    def forget(self, member: Member) -> None:
        """Stop reading from a program that has ended."""
        if (out := member.out) is not None and member.process.child and member.process.child.stdout:
            self.selector.unregister(out)
            member.process.child.stdout.close()

    def revive(self, member: Member) -> None:
        now = time.monotonic()
        if member.due is not None:
            if now >= member.due:
                self.begin(member)
            return
        name, code = member.process.name, member.process.child.returncode if member.process.child else None
        self.drain(member)
        if not self.restarts:
            raise NotReady(f"{name} ended {how(code)} while it started; its last words stand above.")
        member.deaths = member.deaths + 1 if now - member.began < STEADY else 1
        pause = min(2.0 ** (member.deaths - 1), LONGEST_PAUSE)
        member.due = now + pause
        self.say(f"{name} ended {how(code)}; it is started again in {pause:.0f} s.")

    def drain(self, member: Member) -> None:
        """Relay what a program that has ended still left to read."""
        while any(key.data is member for key, _ in self.selector.select(0)):
            self.relay(member)
        self.forget(member)

    def stop(self, groups: Sequence[tuple[float, Sequence[str]]], in_a_hurry: Callable[[], bool]) -> None:
        """Stop the named programs group by group, each with its seconds; who takes longer is killed."""
        self.stopping = True
        for seconds, names in groups:
            group = [member for member in self.members if member.process.name in names]
            self.members = [member for member in self.members if member not in group]
            for member in group:
                member.process.ask_to_stop()
            deadline = time.monotonic() + seconds
            while any(member.process.is_running for member in group):
                if time.monotonic() > deadline or in_a_hurry():
                    break
                self.turn(0.05)
            for member in group:
                if member.process.is_running:
                    self.say(f"{member.process.name} did not stop in time and is killed.")
                member.process.kill()
                self.forget(member)


def how(code: int | None) -> str:
    return f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
