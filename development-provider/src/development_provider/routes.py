"""The routes of the provider: OpenID Connect, as far as the platform needs it."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from development_provider import use_cases
from development_provider.domain import (
    ALGORITHM,
    ROLES,
    Client,
    CodeRequest,
    OAuthError,
    PasscodeAttempts,
    RequestRefusedError,
    TooManyAttemptsError,
    WrongPasscodeError,
    parse_code_request,
    parse_person,
)
from development_provider.pages import STYLE, page
from development_provider.settings import ProviderSettings
from development_provider.store import Store
from development_provider.tokens import Tokens

MAX_FIELDS = 50
NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter()


async def _get_settings(request: Request) -> ProviderSettings:
    settings: ProviderSettings = request.app.state.settings
    return settings


async def _get_clients(request: Request) -> Mapping[str, Client]:
    clients: Mapping[str, Client] = request.app.state.clients
    return clients


async def _get_store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def _get_tokens(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


async def _get_attempts(request: Request) -> PasscodeAttempts:
    attempts: PasscodeAttempts = request.app.state.attempts
    return attempts


async def _read_fields(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form as pairs; none if the body is not a form."""
    try:
        text = (await request.body()).decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        return []


SettingsDep = Annotated[ProviderSettings, Depends(_get_settings)]
ClientsDep = Annotated[Mapping[str, Client], Depends(_get_clients)]
StoreDep = Annotated[Store, Depends(_get_store)]
TokensDep = Annotated[Tokens, Depends(_get_tokens)]
AttemptsDep = Annotated[PasscodeAttempts, Depends(_get_attempts)]
FieldsDep = Annotated[list[tuple[str, str]], Depends(_read_fields)]


@router.get("/.well-known/openid-configuration")
async def read_discovery(request: Request, settings: SettingsDep) -> dict[str, Any]:
    """Return the metadata of OpenID Connect Discovery 1.0.

    Browsers are sent to the issuer's address. Programs are sent to the address at which they
    call, since they may not reach the issuer's from where they run.
    """
    issuer = settings.issuer
    public = urlsplit(issuer)
    # A client that sends a wrong Host header harms itself only: nobody else reads its answer.
    called_at = request.url.netloc
    here = issuer if called_at == public.netloc else f"http://{called_at}{public.path}"
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
async def read_keys(tokens: TokensDep) -> Mapping[str, Any]:
    """Return the key by which anybody can verify the tokens of the provider."""
    return tokens.public_keys


@router.get("/authorize")
async def show_sign_in(request: Request, clients: ClientsDep) -> Response:
    """Return the page with the sign-in form."""
    try:
        code_request = parse_code_request(clients, request.query_params)
    except RequestRefusedError as error:
        return page("refused.html", status=400, reason=str(error))
    return _sign_in_page(code_request, {}, (ROLES[0],), {})


@router.post("/authorize")
async def sign_in(
    request: Request,
    settings: SettingsDep,
    clients: ClientsDep,
    store: StoreDep,
    attempts: AttemptsDep,
    fields: FieldsDep,
) -> Response:
    """Redirect to the client with a code for the person of the form, if the passcode is right."""
    try:
        code_request = parse_code_request(clients, request.query_params)
    except RequestRefusedError as error:
        return page("refused.html", status=400, reason=str(error))
    form = dict(fields)
    roles = tuple(value for name, value in fields if name == "role")
    person, errors = parse_person(form, roles)
    passcode = settings.passcode.get_secret_value()
    try:
        await use_cases.check_passcode(attempts, passcode, form.get("passcode", ""))
    except WrongPasscodeError as error:
        return _sign_in_page(code_request, form, roles, {**errors, "passcode": str(error)}, 403)
    except TooManyAttemptsError as error:
        errors = {**errors, "passcode": str(error)}
        response = _sign_in_page(code_request, form, roles, errors, 429)
        response.headers["Retry-After"] = str(error.wait_seconds)
        return response
    if person is None:
        return _sign_in_page(code_request, form, roles, errors, 422)
    code = await use_cases.issue_code(store, code_request, person)
    return RedirectResponse(code_request.callback(code=code), 303, NO_STORE)


def _sign_in_page(
    code_request: CodeRequest,
    form: Mapping[str, str],
    roles: tuple[str, ...],
    errors: Mapping[str, str],
    status: int = 200,
) -> Response:
    return page(
        "sign_in.html",
        status=status,
        returns_to=code_request.redirect_uri,
        client=code_request.client.id,
        name=form.get("name", ""),
        email=form.get("email", ""),
        chosen=roles,
        roles=ROLES,
        errors=errors,
    )


@router.post("/token")
async def grant_tokens(
    clients: ClientsDep, store: StoreDep, tokens: TokensDep, fields: FieldsDep
) -> Response:
    """Return tokens for a code, for a refresh token, or for a program itself."""
    form = dict(fields)
    try:
        client = await _authenticate(clients, form)
        body = await use_cases.grant_tokens(store, tokens, client, form)
    except OAuthError as error:
        return _error_response(error)
    return JSONResponse(dict(body), 200, NO_STORE)


@router.post("/revoke")
async def revoke_token(
    clients: ClientsDep, store: StoreDep, tokens: TokensDep, fields: FieldsDep
) -> Response:
    """Let the session of a token get no more tokens (RFC 7009)."""
    form = dict(fields)
    try:
        client = await _authenticate(clients, form)
        await use_cases.revoke_token(store, tokens, client, form.get("token", ""))
    except OAuthError as error:
        return _error_response(error)
    return Response(None, 200, NO_STORE)


async def _authenticate(clients: Mapping[str, Client], form: Mapping[str, str]) -> Client:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    return await use_cases.authenticate_client(clients, client_id, secret)


def _error_response(error: OAuthError) -> Response:
    body = {"error": error.code, "error_description": error.description}
    return JSONResponse(body, 401 if error.code == "invalid_client" else 400, NO_STORE)


@router.get("/end-session")
async def sign_out(
    request: Request, clients: ClientsDep, store: StoreDep, tokens: TokensDep
) -> Response:
    """End a session (OpenID Connect RP-Initiated Logout 1.0).

    Redirect to the client's address if that is one of the configured ones.
    """
    parameters = request.query_params
    client = clients.get(parameters.get("client_id", ""))
    if client is not None:
        await use_cases.sign_out(store, tokens, client, parameters.get("id_token_hint", ""))
        if (address := parameters.get("post_logout_redirect_uri")) in client.signed_out_uris:
            return RedirectResponse(str(address), 303, NO_STORE)
    return page("signed_out.html")


@router.get("/static/style.css")
async def read_style() -> Response:
    """Return the style sheet of the pages."""
    return Response(STYLE, media_type="text/css; charset=utf-8")
