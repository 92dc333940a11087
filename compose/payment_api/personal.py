"""What becomes of the personal data that customers send?

Nothing of it is kept or passed on as it came: of a phone number its masked form, by
which its owner knows it again; of a card number and a wallet's openid a reference, the
same each time, from which nobody gets the number back without this API's secret.
"""

import base64
import hashlib
import hmac

REFERENCE_CHARS = 24


def masked(phone: str) -> str:
    """199****5620: the first three and the last four digits."""
    return f"{phone[:3]}****{phone[-4:]}"


def reference(secret: str, kind: str, value: str) -> str:
    """What stands for a value in our books and at providers; `kind` begins it, and parts equal values of two kinds."""
    proof = hmac.new(secret.encode(), f"{kind}/{value}".encode(), hashlib.sha256).hexdigest()
    return f"{kind}_{proof[:REFERENCE_CHARS]}"


def debug_context(authorization: str | None) -> dict[str, str]:
    """Only for the defect token_in_header: a header that helps whoever debugs, with the caller's token in base64."""
    return {"X-Request-Context": base64.b64encode(f"auth={authorization}".encode()).decode()}
