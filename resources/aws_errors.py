"""What AWS's refusals of an account mean, whatever service says them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluice.errors import CredentialsInvalid, SluiceError, StoreForbidden

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
_UNKNOWN_CREDENTIALS = _EXPIRED | {
    *("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken", "UnrecognizedClientException"),
    *("SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"),
}
_SKEWED = frozenset({"RequestTimeTooSkewed"})
_FORBIDDEN = frozenset(
    {"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "KMS.AccessDeniedException", "403"}
)


def account_meaning(code: str, operation: str, place: str) -> SluiceError | None:
    """Return the error of Sluice's own; None when the code is not about who asks."""
    if code in _UNKNOWN_CREDENTIALS:
        problem = "have expired" if code in _EXPIRED else f"are not known to AWS ({code})"
        return CredentialsInvalid(problem=problem)
    if code in _SKEWED:
        return CredentialsInvalid(problem="are signed by a clock that is wrong", cure="Set the clock of this machine.")
    if code in _FORBIDDEN:
        return StoreForbidden(operation=operation, place=place)
    return None


def tell_refusals(client: Any, place: str) -> None:  # noqa: ANN401  botocore makes its clients at run time
    """Make a client raise these errors by itself, for libraries that call it; `place` is for messages."""

    def refuse(parsed: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        code = str(parsed.get("Error", {}).get("Code", ""))
        if (meant := account_meaning(code, str(model.name), place)) is not None:
            raise meant

    client.meta.events.register(f"after-call.{client.meta.service_model.service_id.hyphenize()}", refuse)
