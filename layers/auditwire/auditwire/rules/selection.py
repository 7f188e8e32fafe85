"""What a selector of the ``Webhook`` document selects, and the finding if that is nothing."""

from auditwire.documents.diagnostics import Severity
from auditwire.documents.nearest import nearest
from auditwire.rules.document import RuleDocument
from auditwire.rules.rule_set import Rule
from auditwire.rules.settings import Selector
from auditwire.rules.webhook_document import WebhookDocument


class Selected:
    """What one selector has selected."""

    def __init__(self, selector: Selector) -> None:
        self.selector = selector
        self.documents = 0

    def take(self, document: RuleDocument, rules: list[Rule]) -> list[Rule]:
        """The rules, if the selector selects their document."""
        if not self.selector.selects(document.labels):
            return []
        self.documents += 1
        return rules

    @property
    def wanted(self) -> str:
        """The labels that it asks for, in words."""
        return ", ".join(f"{key}: {value}" for key, value in self.selector.labels.items()) or "as its selector asks"

    def report_emptiness(self, webhook: WebhookDocument, purpose: str, documents: list[RuleDocument]) -> None:
        """Warns (AW208) if the selector has selected none of these documents."""
        if self.documents:
            return
        webhook.report.at(
            webhook.selector_nodes.get(purpose, webhook.node),
            "AW208",
            f"the {purpose} selector ({self.wanted}) selects no document, so no rule is used for {purpose}",
            self._nearest(documents) or f"the shipped {purpose} document is labelled type: {purpose}",
            severity=Severity.WARNING,
        )

    def _nearest(self, documents: list[RuleDocument]) -> str:
        """If no document has a label that the selector asks for, the label of a document that was probably meant."""
        for key, value in self.selector.labels.items():
            labelled = {document.labels[key]: document.name for document in documents if key in document.labels}
            near = None if value in labelled else nearest(value, labelled)
            if near:
                return f"did you mean {key}: {near}, as {labelled[near]} is labelled?"
        return ""
