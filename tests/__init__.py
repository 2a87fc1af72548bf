"""The test suite: unit, integration, contract, browser and rules."""
