"""auditwire: an archive and alerts from the audit webhooks of Kubernetes and KubeSphere.

The library of all functions, the command line and the local system. The core (``condition``, ``rules``, ``events``,
``pipeline``, and ``alerts`` except its clients) is pure: values in, values out. AWS, the clock and files are passed in.
"""

__version__ = "0.1.0"
