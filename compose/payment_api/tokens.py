"""Who is calling? A bearer token names its user and proves it; nothing is looked up."""

import hashlib
import hmac

from compose.payment_api.errors import ApiError

_SCHEME = "Bearer "


def user_of(authorization: str | None, secret: str) -> str:
    """The user of an Authorization header `Bearer <user>.<hex HMAC-SHA256(secret, user)>`, or a 401."""
    user, _, proof = _bearer(authorization).rpartition(".")
    wanted = hmac.new(secret.encode(), user.encode(), hashlib.sha256).hexdigest()
    if not user or not hmac.compare_digest(proof.encode(), wanted.encode()):
        raise unauthorized()
    return user


def check_operator(authorization: str | None, token: str) -> None:
    """Raise a 401 unless the header carries the operator's token."""
    if not hmac.compare_digest(_bearer(authorization).encode(), token.encode()):
        raise unauthorized()


def unauthorized() -> ApiError:
    """The one answer to every token that is missing, malformed or wrong: it says nothing about which."""
    return ApiError(401, "unauthorized", "A valid bearer token is required.")


def _bearer(authorization: str | None) -> str:
    if authorization is None or not authorization.startswith(_SCHEME):
        raise unauthorized()
    return authorization[len(_SCHEME) :]
