"""The use cases of the provider: sign in, exchange and refresh tokens, end a session."""

import math
import secrets
from collections.abc import Mapping
from time import monotonic
from typing import Any

from development_provider.domain import (
    Client,
    CodeGrant,
    CodeRequest,
    OAuthError,
    PasscodeAttempts,
    Person,
    TooManyAttemptsError,
    WrongPasscodeError,
)
from development_provider.store import Store
from development_provider.tokens import Tokens
from servicekit.provider import challenge_of

CODE_SECONDS = 60
_INVALID_GRANT = "invalid_grant"


async def check_passcode(attempts: PasscodeAttempts, passcode: str, entered: str) -> None:
    """Compare what a person has entered with the passcode, and count the attempt.

    Raise WrongPasscodeError, or TooManyAttemptsError when nobody may try just now.
    """
    if wait_seconds := math.ceil(attempts.wait_seconds(monotonic())):
        raise TooManyAttemptsError(wait_seconds)
    if not secrets.compare_digest(entered.encode(), passcode.encode()):
        attempts.count_wrong(monotonic())
        raise WrongPasscodeError
    attempts.count_right()


async def issue_code(store: Store, request: CodeRequest, person: Person) -> str:
    """Return a code for `person`, which can be exchanged once within CODE_SECONDS."""
    now = monotonic()
    return store.add_code(CodeGrant(request, person, now + CODE_SECONDS), now)


async def authenticate_client(clients: Mapping[str, Client], client_id: str, secret: str) -> Client:
    """Return the client with this id and secret, or raise OAuthError."""
    client = clients.get(client_id)
    if client is None or not secrets.compare_digest(
        secret.encode(), client.secret.get_secret_value().encode()
    ):
        raise OAuthError("invalid_client", "The client or its secret is not known.")
    return client


async def grant_tokens(
    store: Store, tokens: Tokens, client: Client, form: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return the body of the token response to a request of `client`, or raise OAuthError."""
    match form.get("grant_type"):
        case "authorization_code":
            return _exchange_code(store, tokens, client, form)
        case "refresh_token":
            return _refresh(store, tokens, client, form.get("refresh_token", ""))
        case "client_credentials":
            scope = form.get("scope", "")
            if scope not in client.scopes:
                raise OAuthError("invalid_scope", "The client may not ask for that.")
            return tokens.for_client(client, scope)
        case _:
            raise OAuthError("unsupported_grant_type", "There is no such grant here.")


async def sign_out(store: Store, tokens: Tokens, client: Client, id_token: str) -> None:
    """End the session of an id token of `client`, which may have expired."""
    claims = tokens.read_id_token(id_token, client.id)
    if claims is not None:
        store.end_session(claims["sid"])


async def revoke_token(store: Store, tokens: Tokens, client: Client, token: str) -> None:
    """End the session of a refresh or access token of `client` (RFC 7009).

    A token that is not valid, or another client's, changes nothing.
    """
    for claims in (tokens.read_refresh_token(token), tokens.read_access_token(token)):
        if claims is not None and claims.get("client_id") == client.id:
            store.end_session(claims["sid"])


def _exchange_code(
    store: Store, tokens: Tokens, client: Client, form: Mapping[str, str]
) -> Mapping[str, Any]:
    grant = store.take_code(form.get("code", ""), monotonic())
    if grant is None:
        raise OAuthError(_INVALID_GRANT, "The code is not known, or not any more.")
    request = grant.request
    if request.client != client or request.redirect_uri != form.get("redirect_uri"):
        raise OAuthError(_INVALID_GRANT, "The code was given for another request.")
    challenge = challenge_of(form.get("code_verifier", ""))
    if not secrets.compare_digest(challenge, request.challenge):
        raise OAuthError(_INVALID_GRANT, "The code_verifier does not fit.")
    session_id = secrets.token_hex(16)
    return tokens.for_person(client, grant.person, session_id, nonce=request.nonce)


def _refresh(store: Store, tokens: Tokens, client: Client, token: str) -> Mapping[str, Any]:
    claims = tokens.read_refresh_token(token)
    if claims is None or claims["client_id"] != client.id or store.has_ended(claims["sid"]):
        raise OAuthError(_INVALID_GRANT, "The refresh token is not good, or not any more.")
    person = Person(**{**claims["person"], "roles": tuple(claims["person"]["roles"])})
    return tokens.for_person(client, person, claims["sid"], session_ends_at=claims["exp"])
