"""What a plain scan of the archive costs: lines picked out by their bytes, against decoding every line.

    .venv/bin/python benchmarks/scan.py

Prints a Markdown table. Both sides inflate the same objects and prove every hit by the same decoder; CPU time, the
least of several times an object, summed over the objects.
"""

from functools import partial
from typing import Final

from archived import archived
from timing import side_by_side

from auditwire.archive.found import Found, found_in
from auditwire.archive.keys import kept_at
from auditwire.archive.needle import Needle
from auditwire.archive.search import Search
from auditwire.archive.stored_lines import inflated
from auditwire.search import Query
from auditwire.search.matching import Matcher

OBJECTS: Final = 25
SEARCHES: Final = {
    "auditID": Search(audit_id="00000000-0000-4000-8000-000000000007"),
    "user": Search(user="user-7@example.com"),
    "object": Search(object="pods/team-a-1/web-7"),
    "user of many events": Search(user="system:serviceaccount:kube-system:job-controller"),
}


def hits(content: bytes, t: str, search: Search, *, picked: bool) -> list[Found]:
    """What is found in an object; ``picked`` says whether lines are picked out before they are decoded."""
    matches, texts = search.matcher(), Matcher(Query.of(search)).texts
    lines = Needle(*texts).lines(content) if picked else content.splitlines()
    found = (found_in(line, "here", partial(kept_at, t=t)) for line in lines)
    return [each for each in found if matches(each)]


def measure() -> dict[str, float]:
    """For each search the time of picking over the time of decoding all."""
    objects = list(archived(OBJECTS))
    ratios = {}
    for name, search in SEARCHES.items():

        def scan(one: tuple[str, bytes], *, picked: bool, search: Search = search) -> list[Found]:
            return hits(inflated(one[1], "here"), one[0], search, picked=picked)

        ways = {"picked": partial(scan, picked=True), "all": partial(scan, picked=False)}
        if any(ways["picked"](one) != ways["all"](one) for one in objects):
            raise SystemExit(f"{name}: the two ways do not find the same")
        costs = side_by_side(objects, ways)
        ratios[name] = costs["picked"] / costs["all"]
    return ratios


if __name__ == "__main__":
    print("| search | picked lines / all lines |\n| --- | ---: |")
    for name, ratio in measure().items():
        print(f"| {name} | {ratio:.2f} |")
