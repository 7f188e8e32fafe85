"""Which stack a command works on: one on AWS, or that of a running ``auditwire dev``."""

from auditwire_cli.stack.aws_errors import in_one_sentence
from auditwire_cli.stack.options import on_stack
from auditwire_cli.stack.stack import Deployment, Stack
from auditwire_cli.stack.state import DEFAULT_STATE, State, read_state

__all__ = ["DEFAULT_STATE", "Deployment", "Stack", "State", "in_one_sentence", "on_stack", "read_state"]
