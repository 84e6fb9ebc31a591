"""Every operation of the house, one file a domain. ``CATALOGUE`` is what may be asked; nothing else
is.
"""

from protocols.catalogue import (
    approvals,
    audit,
    banking,
    certificates,
    charges,
    consumers,
    days,
    emergencies,
    instruments,
    ledger,
    masters,
    own_accounts,
    payments,
    receipt_books,
    remittance,
    security,
    shifts,
    transfers,
)
from protocols.operation import Catalogue

CATALOGUE = Catalogue(
    security.OPERATIONS,
    own_accounts.OPERATIONS,
    emergencies.OPERATIONS,
    approvals.OPERATIONS,
    audit.OPERATIONS,
    masters.OPERATIONS,
    consumers.OPERATIONS,
    days.OPERATIONS,
    shifts.OPERATIONS,
    remittance.OPERATIONS,
    receipt_books.OPERATIONS,
    payments.OPERATIONS,
    instruments.OPERATIONS,
    charges.OPERATIONS,
    transfers.OPERATIONS,
    banking.OPERATIONS,
    certificates.OPERATIONS,
    ledger.OPERATIONS,
)
