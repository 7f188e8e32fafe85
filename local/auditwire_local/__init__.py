"""auditwire on one machine: template.yaml deployed into an in-process AWS and served on loopback.

``with LocalSystem.start() as system:`` is all that ``auditwire dev`` and the tests need. The only owner of moto and of
the SAM translator.
"""

from auditwire_local.errors import LocalError
from auditwire_local.options import ClusterCredential, Options
from auditwire_local.status import ArchivePlace, Status
from auditwire_local.system import LocalSystem

__all__ = ["ArchivePlace", "ClusterCredential", "LocalError", "LocalSystem", "Options", "Status"]
