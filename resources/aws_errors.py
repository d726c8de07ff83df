"""What AWS's refusals of an account mean, whatever service says them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sluice.errors import CredentialsInvalid, SluiceError, StoreForbidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    if code in _FORBIDDEN:
        return StoreForbidden(operation=operation, place=place)
    return _credentials_code(code)


def credentials_meaning(error: Any) -> SluiceError | None:  # noqa: ANN401  botocore has no types
    """Return what an error of any service says of the credentials, if it is about them."""
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

    if isinstance(error, ClientError):
        return _credentials_code(str(error.response.get("Error", {}).get("Code", "")))
    return local_meaning(error)


def _credentials_code(code: str) -> SluiceError | None:
    if code in _UNKNOWN_CREDENTIALS:
        problem = "have expired" if code in _EXPIRED else f"are not known to AWS ({code})"
        return CredentialsInvalid(problem=problem)
    if code in _SKEWED:
        return CredentialsInvalid(problem="are signed by a clock that is wrong", cure="Set the clock of this machine.")
    return None


def tell_refusals(client: Any, place: str) -> None:  # noqa: ANN401  botocore makes its clients at run time
    """Make a client raise these errors by itself, for libraries that call it; `place` is for messages."""

    def refuse(parsed: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401
        code = str(parsed.get("Error", {}).get("Code", ""))
        if (meant := account_meaning(code, str(model.name), place)) is not None:
            raise meant

    client.meta.events.register(f"after-call.{client.meta.service_model.service_id.hyphenize()}", refuse)


@contextmanager
def explain_credentials() -> Iterator[None]:
    """Turn what botocore says when it finds no credentials into an error that says what to do."""
    from botocore.exceptions import BotoCoreError

    try:
        yield
    except BotoCoreError as error:
        if (meant := local_meaning(error)) is not None:
            raise meant from error
        raise


def local_meaning(error: BaseException) -> SluiceError | None:
    from botocore import exceptions as boto  # type: ignore[import-untyped]

    if isinstance(error, boto.NoCredentialsError):
        return CredentialsInvalid(problem="are nowhere to be found")
    incomplete = (boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.ProfileNotFound)
    if isinstance(error, (*incomplete, boto.TokenRetrievalError, boto.SSOError)):
        return CredentialsInvalid(problem=f"cannot be used ({type(error).__name__})")
    return None
