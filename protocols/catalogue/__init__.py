"""Every operation of the house, one file a domain. ``CATALOGUE`` is what may be asked; nothing else
is.
"""

from protocols.catalogue import banking, consumers, days, payments, security
from protocols.operation import Catalogue

CATALOGUE = Catalogue(
    security.OPERATIONS,
    consumers.OPERATIONS,
    days.OPERATIONS,
    payments.OPERATIONS,
    banking.OPERATIONS,
)
