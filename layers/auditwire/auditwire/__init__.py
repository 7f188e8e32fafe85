"""auditwire: Kubernetes and KubeSphere audit webhooks become an archive and alerts.

The library of every function, the command line and the local system. The core (``condition``, ``rules``,
``events``, ``pipeline``, ``alerts`` but its clients) is pure: values in, values out; AWS, the clock and files
are passed in by the edges.
"""

__version__ = "0.1.0"
