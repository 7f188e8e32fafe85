"""Holds the AWS calls of every local system against the roles of template.yaml.

permissions    statements of a role → whether they allow a call
calls          what functions call, recorded in IAM's terms
service_calls  what AWS itself calls in a function's name
use            roles and calls → what is allowed, what of it was used, what was refused
observer       all of that for one local system, left in a folder
check          the plugin of pytest that judges it at the end of a run
command        the command line with the observer, for tests that start it as a process
"""
