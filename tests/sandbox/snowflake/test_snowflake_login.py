"""Who gets in, and as whom."""

from collections.abc import Callable

import pytest
import snowflake.connector

from tests.sandbox.snowflake.harness import KeyPair, Server, Session, new_key

Loader = Callable[..., Session]


def refusal(server: Server, user: str, key: KeyPair | None = None, **settings: object) -> tuple[int | None, str]:
    with pytest.raises(snowflake.connector.errors.Error) as caught:
        server.connect(user, key, **settings)
    return caught.value.errno, str(caught.value.msg)


def test_right_key_opens_a_session_with_the_defaults_of_the_user(loader: Loader) -> None:
    session = loader()
    assert session.run("SELECT CURRENT_USER(), CURRENT_ROLE(), CURRENT_WAREHOUSE()") == [
        ("LOADER", "LOADER_ROLE", "ADMIN_WH")
    ]


def test_wrong_key_is_refused(server: Server, loader: Loader) -> None:
    number, text = refusal(server, "LOADER", new_key())
    assert number == 390144
    assert "JWT token is invalid" in text


def test_key_of_another_user_is_refused(server: Server, loader: Loader, admin_key: KeyPair) -> None:
    assert "JWT token is invalid" in refusal(server, "LOADER", admin_key)[1]


def test_unknown_user_is_refused_like_a_wrong_key(server: Server, user_key: KeyPair) -> None:
    assert "JWT token is invalid" in refusal(server, "NOBODY", user_key)[1]


def test_second_public_key_works_too_so_that_keys_can_be_rotated(
    server: Server, admin: Session, loader: Loader
) -> None:
    new = new_key()
    admin.run(f"ALTER USER LOADER SET RSA_PUBLIC_KEY_2 = '{new.public_base64}'")
    assert server.connect("LOADER", new).run("SELECT 1") == [(1,)]
    admin.run("ALTER USER LOADER UNSET RSA_PUBLIC_KEY_2")
    assert "JWT token is invalid" in refusal(server, "LOADER", new)[1]


def test_password_login_works_for_a_person_and_not_with_a_wrong_password(server: Server, admin: Session) -> None:
    admin.run("CREATE USER ANNA PASSWORD = 'corre''ct horse' MUST_CHANGE_PASSWORD = false")
    assert server.connect("anna", password="corre'ct horse").run("SELECT CURRENT_USER()") == [("ANNA",)]
    assert "Incorrect username or password" in refusal(server, "ANNA", password="incorrect")[1]
    assert "Incorrect username or password" in refusal(server, "NOBODY", password="incorrect")[1]
    admin.run("DROP USER ANNA")


def test_service_user_cannot_have_or_use_a_password(server: Server, admin: Session, loader: Loader) -> None:
    _, text = admin.error("ALTER USER LOADER SET PASSWORD = 'secret-1'")
    assert "Cannot set PASSWORD on users with TYPE=SERVICE" in text
    assert "Incorrect username or password" in refusal(server, "LOADER", password="secret-1")[1]
    # given a person with a password, when it is made a service user, then the password must go first
    admin.run("CREATE USER BOB PASSWORD = 'secret-2'")
    assert "TYPE=SERVICE" in admin.error("ALTER USER BOB SET TYPE = SERVICE")[1]
    admin.run("DROP USER BOB")


def test_disabled_user_is_refused_until_enabled(server: Server, admin: Session, loader: Loader) -> None:
    admin.run("ALTER USER LOADER SET DISABLED = TRUE")
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="locked"):
        loader()
    admin.run("ALTER USER LOADER SET DISABLED = FALSE")
    assert loader().run("SELECT 1") == [(1,)]


def test_role_that_is_not_granted_is_refused_at_login_and_by_use_role(loader: Loader) -> None:
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="'SYSADMIN' specified in the connect string"):
        loader(role="SYSADMIN")
    number, text = loader().error("USE ROLE SYSADMIN")
    assert number == 3002
    assert "Requested role 'SYSADMIN' is not assigned to the executing user" in text


def test_network_policy_lets_in_only_listed_addresses(admin: Session, loader: Loader) -> None:
    admin.run("CREATE NETWORK POLICY OFFICE ALLOWED_IP_LIST = ('10.0.0.0/8')")
    admin.run("ALTER USER LOADER SET NETWORK_POLICY = OFFICE")
    with pytest.raises(snowflake.connector.errors.DatabaseError, match=r"127\.0\.0\.1 is not allowed to access"):
        loader()
    admin.run("ALTER NETWORK POLICY OFFICE SET ALLOWED_IP_LIST = ('10.0.0.0/8', '127.0.0.1')")
    assert loader().run("SELECT 1") == [(1,)]
    admin.run("ALTER NETWORK POLICY OFFICE SET BLOCKED_IP_LIST = ('127.0.0.0/8')")
    with pytest.raises(snowflake.connector.errors.DatabaseError, match="is not allowed to access"):
        loader()
    assert "policy is attached" in admin.error("DROP NETWORK POLICY OFFICE")[1]
    admin.run("ALTER USER LOADER UNSET NETWORK_POLICY")
    admin.run("DROP NETWORK POLICY OFFICE")


def test_invalid_public_key_is_refused_when_it_is_set(admin: Session) -> None:
    number, text = admin.error("CREATE USER CARL RSA_PUBLIC_KEY = 'bm90IGEga2V5'")
    assert number == 394303
    assert "Invalid public key" in text
    assert admin.rows("SHOW USERS LIKE 'CARL'") == []


def test_secondary_roles_add_privileges_but_do_not_create(
    admin: Session, loader: Loader, request: pytest.FixtureRequest
) -> None:
    admin.run("CREATE ROLE READER")
    request.addfinalizer(lambda: admin.run("DROP ROLE READER"))
    admin.run("GRANT ROLE READER TO USER LOADER")
    admin.run("GRANT USAGE, CREATE SCHEMA ON DATABASE RAW TO ROLE READER")
    session = loader()
    session.run("USE DATABASE RAW")
    assert session.error("CREATE SCHEMA RAW.MINE")[0] == 3001
    session.run("USE SECONDARY ROLES NONE")
    assert session.error("USE DATABASE RAW")[0] == 2003
