"""
UnavailableError        what an answer needs beside the archive cannot be read now
TooMuchError            an answer that cannot be given whole, and is not given in part
├── TooLargeError       it is larger than what answers may be here
└── BrokenOffError      there was no time for the rest of it
"""


class UnavailableError(Exception):
    """What an answer needs beside the archive cannot be read now. The message names it and the reason."""


class TooMuchError(Exception):
    """Why an answer is not given, as a sentence that says what to do."""


class TooLargeError(TooMuchError):
    """An answer is larger than what answers may be here."""

    def __init__(self) -> None:
        super().__init__(
            "the answer is larger than what a deployed console can send: 6 MB, with gzip and in base64; "
            "narrow the search, or use `auditwire query --export`, which has no such limit"
        )


class BrokenOffError(TooMuchError):
    """An export took too long. Where it is already being sent, the connection ends before the answer, so nobody takes
    a part for the whole."""

    def __init__(self) -> None:
        super().__init__(
            "the export takes longer than it may here; "
            "narrow its time range, or use `auditwire query --export`, which has no such limit"
        )
