#!/bin/sh
# A review of a change of rules, as Markdown for a comment on a pull or merge request.
#
#   review-rules.sh OLD NEW EVENTS > comment.md
#
# OLD and NEW are folders of rules, before and after the change. EVENTS is an audit log to replay, such as the answer of
# `auditwire query --from 7d --format json`. The environment may set
#
#   MAX_NEW_ALERTS   how many alerts may be gained (20)
#   POLICY           the audit policy of the sender, to say which rules can match under it
#   AUDITWIRE        the command (auditwire)
#
# Exit code: 0 nothing to object, 1 a check, a test or the budget failed; the comment says which.
set -u
old=$1
new=$2
events=$3
auditwire=${AUDITWIRE:-auditwire}
failed=0

# section TITLE COMMAND...: what the command prints, folded; open if it failed.
section() {
    title=$1
    shift
    if output=$("$@" 2>&1); then
        mark="ok"
        open=""
    else
        mark="**failed**"
        open=" open"
        failed=1
    fi
    printf '<details%s><summary>%s: %s</summary>\n\n' "$open" "$title" "$mark"
    # What is printed may hold anything, but no line of it begins with four spaces less than this.
    printf '%s\n' "$output" | sed 's/^/    /'
    printf '\n</details>\n\n'
}

section "Check" "$auditwire" rules check "$new"
# Only where there are tests beside the rules.
if [ -n "$(find "$new" -name '*.test.yaml' -o -name '*.test.yml')" ]; then
    section "Tests" "$auditwire" rules test "$new"
fi
if [ -n "${POLICY:-}" ]; then
    # Rules that cannot match are worth knowing of, but no reason to refuse the change.
    before=$failed
    section "Which rules can match" "$auditwire" rules reach "$new" --policy "$POLICY"
    failed=$before
fi
"$auditwire" rules replay --events "$events" --old "$old" --new "$new" \
    --max-new-alerts "${MAX_NEW_ALERTS:-20}" --format markdown || failed=1
exit "$failed"
