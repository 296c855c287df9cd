"""The endpoints of OpenID Connect, as far as the platform needs them."""

import math
import secrets
from collections.abc import Mapping
from time import monotonic
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from development_provider.domain import (
    ROLES,
    Client,
    CodeRequest,
    Guesses,
    OAuthError,
    RequestRefusedError,
    read_code_request,
    read_person,
)
from development_provider.pages import STYLE, page
from development_provider.settings import ProviderSettings
from development_provider.tokens import ALGORITHM, Tokens

FIELDS = 50
NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter()


class Desk:
    """What the endpoints work with."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.settings = settings
        self.tokens = Tokens(settings)
        self.clients = {each.id: each for each in settings.clients}
        self._guesses = Guesses()

    def passcode_error(self, said: str) -> tuple[str, int, Mapping[str, str]] | None:
        """What to say of a passcode, with which status and headers; None of the right one."""
        wait = math.ceil(self._guesses.wait_seconds(monotonic()))
        if wait:
            sentence = f"Too many were wrong. Try again in {wait} s."
            return sentence, 429, {"Retry-After": str(wait)}
        passcode = self.settings.passcode.get_secret_value().encode()
        if not secrets.compare_digest(said.encode(), passcode):
            self._guesses.wrong(monotonic())
            return "That is not the passcode.", 403, {}
        self._guesses.right()
        return None

    def client(self, form: Mapping[str, str]) -> Client:
        """Who asks, as its secret shows, or OAuthError."""
        client = self.clients.get(form.get("client_id", ""))
        secret = form.get("client_secret", "").encode()
        if client is None or not secrets.compare_digest(
            secret, client.secret.get_secret_value().encode()
        ):
            raise OAuthError("invalid_client", "The client or its secret is not known.")
        return client


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(_desk)]


async def _pairs(request: Request) -> list[tuple[str, str]]:
    try:
        text = (await request.body()).decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError:
        return []


ThePairs = Annotated[list[tuple[str, str]], Depends(_pairs)]


@router.get("/.well-known/openid-configuration")
async def discovery(request: Request, desk: TheDesk) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0.

    Browsers are sent to the issuer's address, programs to the one at which they have asked: the
    issuer's may lead nowhere from where they are.
    """
    issuer = desk.settings.issuer
    public = urlsplit(issuer)
    # Whoever sends another Host header is the only one to read what comes of it.
    asked_at = request.url.netloc
    here = issuer if asked_at == public.netloc else f"http://{asked_at}{public.path}"
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{here}/token",
        "jwks_uri": f"{here}/jwks",
        "end_session_endpoint": f"{issuer}/end-session",
        "revocation_endpoint": f"{here}/revoke",
        "revocation_endpoint_auth_methods_supported": ["client_secret_post"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid", "profile", "email"],
    }


@router.get("/jwks")
async def jwks(desk: TheDesk) -> Mapping[str, Any]:
    """The key by which everybody can verify what is signed here."""
    return desk.tokens.public_keys


@router.get("/authorize")
async def ask_who(request: Request, desk: TheDesk) -> Response:
    """The form; who sends it goes back to the client with a code."""
    try:
        wanted = read_code_request(desk.clients, request.query_params)
    except RequestRefusedError as error:
        return page("refused.html", status=400, reason=str(error))
    return _form(wanted, {}, (ROLES[0],), {})


@router.post("/authorize")
async def tell_who(request: Request, desk: TheDesk, pairs: ThePairs) -> Response:
    """Give out a code for whom the form describes, if the passcode is right."""
    try:
        wanted = read_code_request(desk.clients, request.query_params)
    except RequestRefusedError as error:
        return page("refused.html", status=400, reason=str(error))
    form = dict(pairs)
    roles = tuple(value for name, value in pairs if name == "role")
    person, errors = read_person(form, roles)
    if refused := desk.passcode_error(form.get("passcode", "")):
        sentence, status, headers = refused
        answer = _form(wanted, form, roles, {**errors, "passcode": sentence}, status)
        answer.headers.update(headers)
        return answer
    if person is None:
        return _form(wanted, form, roles, errors, 422)
    code = desk.tokens.code(wanted, person)
    return RedirectResponse(wanted.back(code=code), 303, NO_STORE)


def _form(
    wanted: CodeRequest,
    form: Mapping[str, str],
    roles: tuple[str, ...],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    return page(
        "sign_in.html",
        status=status,
        returns_to=wanted.redirect_uri,
        client=wanted.client.id,
        name=form.get("name", ""),
        email=form.get("email", ""),
        chosen=roles,
        roles=ROLES,
        errors=errors,
    )


@router.post("/token")
async def token(desk: TheDesk, pairs: ThePairs) -> Response:
    """Tokens for a code, a refresh token, or a program itself."""
    form = dict(pairs)
    try:
        client = desk.client(form)
        match form.get("grant_type"):
            case "authorization_code":
                answer = desk.tokens.exchange(client, form)
            case "refresh_token":
                answer = desk.tokens.refresh(client, form)
            case "client_credentials":
                answer = desk.tokens.of_client(client, form.get("scope", ""))
            case _:
                raise OAuthError("unsupported_grant_type", "There is no such grant here.")
    except OAuthError as error:
        return _refused(error)
    return JSONResponse(dict(answer), 200, NO_STORE)


@router.post("/revoke")
async def revoke(desk: TheDesk, pairs: ThePairs) -> Response:
    """RFC 7009: the session that a token comes from gets no more of them."""
    form = dict(pairs)
    try:
        desk.tokens.revoke(desk.client(form), form.get("token", ""))
    except OAuthError as error:
        return _refused(error)
    return Response(None, 200, NO_STORE)


def _refused(error: OAuthError) -> Response:
    said = {"error": error.code, "error_description": error.description}
    return JSONResponse(said, 401 if error.code == "invalid_client" else 400, NO_STORE)


@router.get("/end-session")
async def end_session(request: Request, desk: TheDesk) -> Response:
    """OpenID Connect RP-Initiated Logout 1.0; nobody is led to an address that is not known."""
    asked = request.query_params
    client = desk.clients.get(asked.get("client_id", ""))
    if client is not None:
        desk.tokens.sign_out(asked.get("id_token_hint", ""), client.id)
        if (address := asked.get("post_logout_redirect_uri")) in client.signed_out_uris:
            return RedirectResponse(str(address), 303, NO_STORE)
    return page("signed_out.html")


@router.get("/static/style.css")
async def style() -> Response:
    """How the pages look."""
    return Response(STYLE, media_type="text/css; charset=utf-8")
