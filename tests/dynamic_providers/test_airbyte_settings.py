"""Connection settings from stack config, with references to the environment."""

import pytest

from dynamic_providers.airbyte.errors import SettingsError
from dynamic_providers.airbyte.settings import Settings, resolve_reference

CONFIG = {"airbyteUrl": "https://airbyte.example.com", "airbyteClientId": "id", "airbyteClientSecret": "${SECRET}"}


def test_a_reference_is_read_from_the_environment() -> None:
    assert resolve_reference("${NAME}", {"NAME": "value"}) == "value"
    assert resolve_reference("text with ${NAME}", {}) == "text with ${NAME}"


def test_a_reference_to_nothing_names_the_variable_and_the_config_key() -> None:
    with pytest.raises(SettingsError, match=r"airbyteClientSecret: .*SECRET, which is not set"):
        Settings.from_config(CONFIG.get, {})


@pytest.mark.parametrize(
    "written",
    [
        "https://airbyte.example.com",
        "https://airbyte.example.com/",
        "https://airbyte.example.com/api",
        "https://airbyte.example.com/api/v1/",
        "https://airbyte.example.com/api/public/v1",
    ],
)
def test_the_address_may_be_written_with_or_without_the_apis_path(written: str) -> None:
    settings = Settings.from_config({**CONFIG, "airbyteUrl": written}.get, {"SECRET": "s"})
    assert settings.url == "https://airbyte.example.com"


def test_a_server_below_a_path_keeps_it() -> None:
    settings = Settings.from_config({**CONFIG, "airbyteUrl": "https://x.example/airbyte/api/v1"}.get, {"SECRET": "s"})
    assert settings.url == "https://x.example/airbyte"


def test_what_is_missing_is_said_with_the_command_that_sets_it() -> None:
    with pytest.raises(SettingsError, match="pulumi config set airbyteUrl"):
        Settings.from_config(lambda key: None, {})
    with pytest.raises(SettingsError, match="airbyteClientSecret is not set"):
        Settings.from_config({"airbyteUrl": "http://x", "airbyteClientId": "id"}.get, {})
    with pytest.raises(SettingsError, match="is no address"):
        Settings.from_config({"airbyteUrl": "localhost:8000"}.get, {})


def test_the_secret_is_not_in_the_settings_text() -> None:
    assert "hunter22" not in repr(Settings("http://x", "id", "hunter22"))
