"""Plans drawn by hypothesis, which knows no event loop, carried out on the one that is running."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


async def for_any(
    plans: SearchStrategy[T],
    carried_out: Callable[[T], Coroutine[Any, Any, Any]],
    *,
    examples: int,
    example_s: float,
) -> None:
    """Carry out so many plans, each within its time. One that fails is shown as it was drawn: to
    shrink it would take longer than a test may last.
    """
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
    )
    @given(plans)
    def any_plan(plan: T) -> None:
        asyncio.run_coroutine_threadsafe(carried_out(plan), loop).result(example_s)

    await asyncio.to_thread(any_plan)
