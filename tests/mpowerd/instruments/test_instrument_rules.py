"""What a returned instrument costs, without a database."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mpowerd.instruments.rules import surcharge

paise = st.integers(0, 10**12)


@given(paise, paise, paise, st.integers(0, 3650), st.integers(0, 10_000))
def test_surcharge_runs_on_principal_by_days_and_never_more_than_half_a_paisa_off(
    arrears: int, current: int, lpsc: int, days: int, rate_bp: int
) -> None:
    found = surcharge({"ARREARS": arrears, "CURRENT": current, "LPSC": lpsc}, days, rate_bp)
    exact_times = (arrears + current) * rate_bp * days
    assert abs(2 * (found * 300_000 - exact_times)) <= 300_000


def test_half_a_paisa_is_rounded_upwards() -> None:
    assert surcharge({"CURRENT": 10_000}, 30, 150) == 150
    assert surcharge({"CURRENT": 100}, 1, 1_500) == 1, "0.5 paise"
    assert surcharge({"CURRENT": 100}, 1, 1_499) == 0
    assert surcharge({"DUTY": 10_000, "LPSC": 10_000}, 30, 150) == 0
