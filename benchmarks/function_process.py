"""Runs one function in this process as Lambda does, and nothing else: no part of the local AWS is loaded here.

    .venv/bin/python benchmarks/function_process.py functions/ingest/app.py

Takes events on stdin, one JSON line each, and answers on stdout with a line of what the handler returned and printed.
`null` asks for a garbage collection.
"""

import gc
import importlib.util
import io
import json
import sys
from types import ModuleType


def load(path: str) -> ModuleType:
    """The function's module."""
    spec = importlib.util.spec_from_file_location("app", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """The command."""
    out, sys.stdout = sys.stdout, io.StringIO()
    handler = load(sys.argv[1]).handler
    for line in sys.stdin:
        event = json.loads(line)
        answer = handler(event, None) if event is not None else gc.collect()
        out.write(json.dumps({"answer": answer, "printed": sys.stdout.getvalue()}) + "\n")
        out.flush()
        sys.stdout.seek(0)
        sys.stdout.truncate()


if __name__ == "__main__":
    main()
