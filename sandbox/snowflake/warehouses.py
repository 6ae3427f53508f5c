"""A warehouse's state: started or suspended, now (docs.snowflake.com/en/user-guide/warehouses-overview).

Nothing runs in the background: the time of the last use is stored, and the state is worked out when asked for.
"""

import time

from sandbox.snowflake.access import Access
from sandbox.snowflake.catalog import Catalog, Entry, Stored
from sandbox.snowflake.errors import SnowflakeError, no_warehouse
from sandbox.snowflake.names import Name
from sandbox.snowflake.privileges import OWNERSHIP
from sandbox.snowflake.session import Session

STARTED, SUSPENDED = "STARTED", "SUSPENDED"
RESUMED_AT, USED_AT = "RESUMED_AT", "USED_AT"

_STATE = "STATE"
_DEFAULT_AUTO_SUSPEND = "600"
_TOUCH_EVERY = 1.0  # seconds: how exactly the last use is stored

SIZES = {
    "XSMALL": "X-Small",
    "SMALL": "Small",
    "MEDIUM": "Medium",
    "LARGE": "Large",
    "XLARGE": "X-Large",
    "XXLARGE": "2X-Large",
    "X2LARGE": "2X-Large",
    "2XLARGE": "2X-Large",
    "XXXLARGE": "3X-Large",
    "X3LARGE": "3X-Large",
    "3XLARGE": "3X-Large",
    "X4LARGE": "4X-Large",
    "4XLARGE": "4X-Large",
    "X5LARGE": "5X-Large",
    "5XLARGE": "5X-Large",
    "X6LARGE": "6X-Large",
    "6XLARGE": "6X-Large",
}
"""Every spelling of WAREHOUSE_SIZE, hyphens apart, to the one that SHOW WAREHOUSES gives."""


def pretty_size(size: str) -> str:
    """'XSMALL' to 'X-Small'."""
    return SIZES[size.upper().replace("-", "")]


def auto_suspend(warehouse: Entry) -> int | None:
    """Seconds without a query until it suspends itself; None for never."""
    return int(warehouse.text("AUTO_SUSPEND", _DEFAULT_AUTO_SUSPEND)) or None


def state(warehouse: Entry) -> str:
    """STARTED or SUSPENDED, as of now."""
    stored = warehouse.text(_STATE) or (SUSPENDED if warehouse.flag("INITIALLY_SUSPENDED") else STARTED)
    idle_limit = auto_suspend(warehouse)
    idle = time.time() - float(warehouse.text(USED_AT, str(warehouse.created)))
    return SUSPENDED if stored == STARTED and idle_limit and idle > idle_limit else stored


def after(verb: str, warehouse: Entry) -> Stored:
    """The properties after SUSPEND, RESUME or RESUME IF SUSPENDED.

    Raises:
        SnowflakeError: 090064 or 090063, it is in that state already.
    """
    now = state(warehouse)
    if verb == "SUSPEND":
        if now == SUSPENDED:
            raise _invalid_state(warehouse.name, "suspended", 90064)
        return warehouse.properties | {_STATE: SUSPENDED}
    if now == STARTED:
        if verb == "RESUME":
            raise _invalid_state(warehouse.name, "resumed", 90063)
        return warehouse.properties
    return warehouse.properties | _started()


def use(catalog: Catalog, access: Access, session: Session) -> None:
    """Run a query on the session's warehouse: it resumes if it may do so by itself.

    Raises:
        SnowflakeError: 000606, there is none, the role has no USAGE, or it is suspended for good.
    """
    name = (session.warehouse,)
    warehouse = catalog.find("WAREHOUSE", name)
    if not warehouse or not access.privileges(access.roles(session), "WAREHOUSE", name) & {"USAGE", OWNERSHIP}:
        raise no_warehouse()
    if state(warehouse) == SUSPENDED:
        if not warehouse.flag("AUTO_RESUME", default=True):
            raise no_warehouse()
        catalog.save("WAREHOUSE", name, warehouse.properties | _started())
    elif time.time() - float(warehouse.text(USED_AT, "0")) > _TOUCH_EVERY:
        catalog.save("WAREHOUSE", name, warehouse.properties | {USED_AT: str(time.time())})


def _started() -> Stored:
    now = str(time.time())
    return {_STATE: STARTED, RESUMED_AT: now, USED_AT: now}


def _invalid_state(name: Name, done: str, code: int) -> SnowflakeError:
    return SnowflakeError(f"Invalid state. Warehouse '{name[-1]}' cannot be {done}.", code, "22000")
