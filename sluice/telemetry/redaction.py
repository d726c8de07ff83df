"""Takes secrets out of text that is logged; what is taken out is a little more than needed."""

from __future__ import annotations

import re

HIDDEN = "***"

_IN_URL = re.compile(r"(?<=://)([^\s/@:'\"]*):[^\s/'\"]+@")
_NAMED = re.compile(
    r"""(?ix) ((?<!\d:)\b (?!secretsmanager:)
        [\w-]{0,40}(?:passwo?r?d|passphrase|secret|token|api[_-]?key|access[_-]?key|credential)[\w-]{0,40}
        ["']? \s*[=:]\s* ["']?) (?!\*\*\*) [^\s"'&,;)}\]]+"""
)
_AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/._~=-]{8,}")
_SIGNATURE = re.compile(r"(?i)\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^\s&\"']+")


def redacted(text: str) -> str:
    """Return the text without passwords in URLs, values of what is named like a secret, and authorizations."""
    for pattern, shown in (
        (_IN_URL, rf"\1:{HIDDEN}@"),
        (_AUTHORIZATION, rf"\1 {HIDDEN}"),
        (_SIGNATURE, rf"\1{HIDDEN}"),
        (_NAMED, rf"\1{HIDDEN}"),
    ):
        text = pattern.sub(shown, text)
    return text
