"""The circuit breaker: opens after consecutive failures, closes after one successful probe."""

from __future__ import annotations

import pytest

from saas_app.errors import LogtoUnavailable
from saas_app.logto.circuit import Circuit
from tests.unit.clock import Clock


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


@pytest.mark.parametrize(("failures", "is_open"), [(2, False), (3, True)])
def test_the_circuit_opens_after_three_consecutive_failures(
    circuit: Circuit, failures: int, is_open: bool
) -> None:
    fail(circuit, failures)
    assert circuit.is_open is is_open


def test_an_open_circuit_says_when_to_retry(circuit: Circuit, clock: Clock) -> None:
    fail(circuit, 3)
    clock.now += 3.5

    with pytest.raises(LogtoUnavailable) as refused:
        circuit.enter()

    assert refused.value.retry_after == 7


def test_a_success_resets_the_count_of_failures(circuit: Circuit) -> None:
    fail(circuit, 2)
    circuit.enter()
    circuit.succeeded()
    fail(circuit, 2)

    assert not circuit.is_open


@pytest.fixture
def _probing(circuit: Circuit, clock: Clock) -> None:
    """The circuit has opened, its pause is over, and one call is probing."""
    fail(circuit, 3)
    clock.now += 10
    circuit.enter()


@pytest.mark.usefixtures("_probing")
def test_during_a_probe_other_calls_are_rejected(circuit: Circuit) -> None:
    with pytest.raises(LogtoUnavailable):
        circuit.enter()


@pytest.mark.usefixtures("_probing")
def test_a_successful_probe_closes_the_circuit(circuit: Circuit) -> None:
    circuit.succeeded()
    circuit.enter()
    assert not circuit.is_open


@pytest.mark.usefixtures("_probing")
def test_a_failed_probe_opens_the_circuit_for_another_pause(circuit: Circuit, clock: Clock) -> None:
    circuit.failed()
    clock.now += 9

    with pytest.raises(LogtoUnavailable):
        circuit.enter()
    clock.now += 1
    circuit.enter()


@pytest.mark.usefixtures("_probing")
def test_after_an_abandoned_probe_the_next_call_probes(circuit: Circuit) -> None:
    circuit.abandoned()

    circuit.enter()
    assert circuit.is_open
