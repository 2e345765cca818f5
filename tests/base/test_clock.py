from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.base import clock


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_no_microsecond_is_lost_on_the_way_to_an_integer_and_back(at: datetime) -> None:
    assert clock.from_micros(clock.to_micros(at)) == at


def test_the_day_is_the_one_in_utc() -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    assert clock.day_of(clock.to_micros(midnight)) == date(2026, 11, 22)
    assert clock.day_of(clock.to_micros(midnight) - 1) == date(2026, 11, 21)
