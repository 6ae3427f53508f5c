"""Sandboxes of fake services, in this process and in commands that a test can kill."""

import httpx

from sandbox.services import Place, Service


class Fake(Service):
    """A fake service. With `peer`, it is told the port of that other one."""

    module = "tests.sandbox.environment.fake_service"
    title = "a fake"

    def __init__(self, name: str, preferred_port: int, peer: str | None = None) -> None:
        self.name = name
        self.preferred_port = preferred_port
        self._peer = peer

    def options(self, place: Place) -> list[str]:
        return ["--peer", str(place.ports[self._peer])] if self._peer and self._peer in place.ports else []

    def environment(self, place: Place) -> dict[str, str]:
        return {f"{self.name.upper()}_PASSWORD": place.secrets.postgres_password}

    def address(self, place: Place) -> str:
        return f"http://127.0.0.1:{place.ports[self.name]}"

    def answers(self, place: Place) -> bool:
        try:
            httpx.get(self.address(place), timeout=0.5, trust_env=False)
        except httpx.HTTPError:
            return False
        return True

    def variables(self, place: Place) -> dict[str, str]:
        return {f"{self.name.upper()}_URL": self.address(place), **self.environment(place)}


def fakes(first_port: int, second_port: int) -> list[Service]:
    """Two services, of which the second needs to know the port of the first."""
    return [Fake("alpha", first_port), Fake("beta", second_port, peer="alpha")]
