"""Why the local system does not start or go on.

LocalError                        every reason that the command line shows as one sentence
├── AlreadyRunningError           one process holds one in-process AWS at a time
├── DeployError                   template.yaml cannot be deployed as it is
│   ├── UnknownTypeError          a resource type without a shim
│   ├── UnknownPropertyError      a property that its shim does not know: it would be lost without notice
│   ├── MissingPropertyError      a property that its shim cannot do without
│   └── SkippedResourceError      a resource that should exist after the deployment and does not
└── FunctionError                 a function did not give an answer
    ├── InitError                 its module could not be loaded
    ├── InvocationError           its handler raised, or answered something that is not JSON
    └── LimitError                it took longer, or more memory, than the template gives it
"""


class LocalError(Exception):
    """Base of every error of the local system; the message is one sentence for the user."""


class AlreadyRunningError(LocalError):
    """A local system is running in this process, and the in-process AWS has one state for the whole process."""


class DeployError(LocalError):
    """The template cannot be deployed as it is."""


class UnknownTypeError(DeployError):
    """A resource type without a shim."""


class UnknownPropertyError(DeployError):
    """A property that the shim of its resource type does not know."""


class MissingPropertyError(DeployError):
    """A property that the shim of its resource type cannot do without."""


class SkippedResourceError(DeployError):
    """A resource of the template that does not exist after the deployment."""


class FunctionError(LocalError):
    """A function did not give an answer."""


class InitError(FunctionError):
    """The module of a function could not be loaded; the log has the traceback."""


class InvocationError(FunctionError):
    """A handler raised an exception or answered something that is not JSON; the log has the traceback."""


class LimitError(FunctionError):
    """A call took longer, or more memory, than the template gives the function: Lambda would have ended it."""
