"""Who may be primary is written in one place that both nodes can ask; here is how they ask."""

from cluster.arbiter.interface import Arbiter, ArbiterUnreachable, Reading, Swapped, SwapUnknown

__all__ = ["Arbiter", "ArbiterUnreachable", "Reading", "SwapUnknown", "Swapped"]
