"""The machine that everything runs on, and its PHPs."""

from __future__ import annotations

from auditor.facts.origin import NEVER, Fact, MiB, derived


class Php(Fact, frozen=True):
    """One PHP command line, as its php.ini files set it up."""

    name: str = ""
    """Its version ("8.2"), or "" for the only or default one."""
    memory_limit: MiB = 128.0
    """MiB at which PHP ends a script for good; PHP's built-in limit is 128, NEVER for -1."""
    pcntl: bool = True
    """Whether pcntl is loaded, without which there are no time-outs and no graceful stop."""
    pcntl_disabled: tuple[str, ...] = ()
    """pcntl functions a worker needs that `disable_functions` forbids."""
    socket_timeout: float = 60.0
    """`default_socket_timeout` in seconds."""

    @derived("pcntl", "pcntl_disabled")
    def pcntl_fault(self) -> str:
        """What keeps a worker from setting an alarm and taking signals, as a clause; "" where nothing does."""
        if not self.pcntl:
            return "pcntl is not loaded"
        return f"disable_functions forbids {', '.join(self.pcntl_disabled)}" if self.pcntl_disabled else ""


class Host(Fact, frozen=True):
    """The machine."""

    name: str = ""
    """Host name where known."""
    memory: MiB = 0.0
    """RAM."""
    cgroup_memory: MiB = NEVER
    """The memory limit of the container or slice, NEVER without one."""
    cpus: int = 1
    """Processors."""
    users: tuple[str, ...] = ()
    """Names in etc/passwd."""
    homes: tuple[tuple[str, str], ...] = ()
    """User name and home folder, from etc/passwd."""
    rotated: tuple[str, ...] = ()
    """Files and patterns that logrotate rotates."""

    @derived("memory", "cgroup_memory")
    def usable_memory(self) -> MiB:
        """What processes can have at most: RAM, or the cgroup's limit where that is less."""
        return min(self.memory, self.cgroup_memory)
