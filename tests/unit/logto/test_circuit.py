"""The circuit: open after failures in a row, closed by one probe that succeeds."""

from __future__ import annotations

import pytest

from saas_app.errors import LogtoUnavailable
from saas_app.logto.circuit import Circuit


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit(threshold=3, pause=10, clock=clock)


def fail(circuit: Circuit, times: int) -> None:
    for _ in range(times):
        circuit.enter()
        circuit.failed()


def test_it_opens_after_failures_in_a_row_and_says_when_to_come_back(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 2)
    assert not circuit.is_open
    fail(circuit, 1)
    clock.now += 3.5

    with pytest.raises(LogtoUnavailable) as refused:
        circuit.enter()

    assert refused.value.retry_after == 7


def test_a_success_between_failures_starts_the_count_again(circuit: Circuit) -> None:
    fail(circuit, 2)
    circuit.enter()
    circuit.succeeded()
    fail(circuit, 2)

    assert not circuit.is_open


def test_after_the_pause_one_call_probes_and_the_others_wait(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 10

    circuit.enter()
    with pytest.raises(LogtoUnavailable):
        circuit.enter()
    circuit.succeeded()

    circuit.enter()
    assert not circuit.is_open


def test_a_failed_probe_opens_it_for_another_pause(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 10
    fail(circuit, 1)
    clock.now += 9

    with pytest.raises(LogtoUnavailable):
        circuit.enter()
    clock.now += 1
    circuit.enter()


def test_an_abandoned_probe_leaves_the_next_call_to_probe(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 10
    circuit.enter()
    circuit.abandoned()

    circuit.enter()
    assert circuit.is_open
