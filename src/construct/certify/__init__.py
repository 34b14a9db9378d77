"""What a build may promise: the domain, the margins, the safe number formats."""

from construct.certify.choice import choose_domain
from construct.certify.margins import Margins, certify, choose_margins
from construct.spec.domain import Domain

__all__ = ["Domain", "Margins", "certify", "choose_domain", "choose_margins"]
