"""What a policy can order on the ward: a closed list, and how an order is read.

An amount that nobody would write is refused. One that somebody could write by mistake is carried
out, and counted as a never event where it is one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from types import MappingProxyType

from crs.errors import InvalidInput
from crs.models.cascade import GIVEN


@dataclass(frozen=True)
class Orderable:
    """Something that can be ordered.

    Attributes
    ----------
    meaning : str
        What is done.
    unit : str
        Of the amount; empty for what is ordered without one.
    least, most : float
        The smallest and the largest amount that are accepted, in that unit; 0 for what is ordered
        without one.
    """

    meaning: str
    unit: str = ""
    least: float = 0.0
    most: float = 0.0


def _drug(name: str, meaning: str) -> Orderable:
    return Orderable(meaning, GIVEN[name].unit, 0.1, GIVEN[name].most)


# Largest amounts of drugs are those of the model. That of fluids is a convention: more than 3 L
# cannot run in between two visits. Smallest amounts are what a pump or a syringe can measure.
ORDERS: Mapping[str, Orderable] = MappingProxyType(
    {
        "tocilizumab": _drug("tocilizumab", "an infusion over 1 h, started now"),
        "siltuximab": _drug("siltuximab", "an infusion over 1 h, started now"),
        "dexamethasone": _drug("dexamethasone", "one dose into a vein, now"),
        "methylprednisolone": _drug("methylprednisolone", "one dose into a vein, now"),
        "anakinra": _drug("anakinra", "one dose, now"),
        "acetaminophen": _drug("acetaminophen", "one dose, now"),
        "fluids": Orderable("fluid beyond the team's own two boluses a day, 1 L/h", "L", 0.1, 3.0),
        "antibiotics": Orderable("broad-spectrum antibiotics for the next 24 h"),
        "gm-csf": Orderable("granulocyte-macrophage colony-stimulating factor, one dose"),
        "icu": Orderable("transfer to intensive care"),
        "floor": Orderable("transfer back to the floor"),
        "blood cultures": Orderable("two sets, drawn now"),
        "blood count": Orderable("neutrophils, drawn now"),
        "inflammation panel": Orderable("C-reactive protein and ferritin, drawn now"),
        "cytokine panel": Orderable("interleukin-6 and interferon-gamma, drawn now"),
    }
)


@dataclass(frozen=True)
class Order:
    """One order.

    Attributes
    ----------
    what : str
        One of `ORDERS`.
    amount : float or None
        In the unit of `ORDERS`; None for what is ordered without an amount.
    """

    what: str
    amount: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.what, str) or self.what not in ORDERS:
            raise InvalidInput("order", self.what, "one of " + ", ".join(ORDERS))
        rule = ORDERS[self.what]
        field = f"amount of {self.what}"
        if not rule.unit:
            if self.amount is not None:
                raise InvalidInput(field, self.amount, "left out: it is ordered without one")
            return
        amount = self.amount
        number = isinstance(amount, Real) and not isinstance(amount, bool)
        if not (number and amount is not None and rule.least <= amount <= rule.most):  # nor NaN
            allowed = f"a number from {rule.least:g} to {rule.most:g} {rule.unit}"
            raise InvalidInput(field, self.amount, allowed)


def order_of(value: object) -> Order:
    """Read one order, as a record or as plain data.

    Parameters
    ----------
    value : Order, str, tuple, list or mapping
        ``"icu"``, ``("tocilizumab", 560)`` or ``{"what": "tocilizumab", "amount": 560}``.

    Returns
    -------
    Order

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    if isinstance(value, Order):
        return value
    if isinstance(value, str):
        return Order(value)
    if isinstance(value, Mapping) and "what" in value and set(value) <= {"what", "amount"}:
        return Order(value["what"], value.get("amount"))
    if isinstance(value, tuple | list) and len(value) in (1, 2):
        return Order(*value)
    raise InvalidInput("order", value, 'a name, such as "icu", or a pair, ("tocilizumab", 560)')


def orders_of(value: object) -> tuple[Order, ...]:
    """Read all orders of one visit.

    Parameters
    ----------
    value : iterable
        Orders as `order_of` reads them; each thing at most once.

    Returns
    -------
    tuple of Order

    Raises
    ------
    InvalidInput
        Names the field, the value and what is allowed.
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidInput("orders", value, "a list of orders; an empty one for none")
    orders = tuple(order_of(item) for item in value)
    names = [order.what for order in orders]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput("orders", names, f"each at most once; {name} is there twice")
    if "icu" in names and "floor" in names:
        raise InvalidInput("orders", names, "either icu or floor, not both")
    return orders
