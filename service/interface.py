"""What the OpenAPI document is built from, as one state of the settings has it."""

from handlers.openapi.interface import FunctionFacts, Interface
from service.routes import load_handler
from settings import Function, Settings


def interface_of(settings: Settings, *, development_certificate: bool) -> Interface:
    """Return the facts of the settings that a client can see.

    Raises:
        HandlerError: a function's handler does not exist or cannot be called.

    """
    limits, model, engine = settings.limits, settings.model, settings.engine
    return Interface(
        origin=settings.plain_port.origin,
        development_certificate=development_certificate,
        functions=tuple(_function(function) for function in settings.enabled_functions),
        per_address=limits.per_address,
        per_key=limits.per_key,
        failed_authentications=limits.failed_authentications,
        certificates=settings.tls.client_certificates,
        proxied=bool(settings.proxy.trusted),
        cors=bool(settings.cors.origins),
        max_images=model.max_images,
        max_pages=model.max_pages,
        max_pixels=model.max_pixels,
        pdf_dpi=model.pdf_dpi,
        decode_timeout_s=engine.decode_timeout_s,
        read_timeout_s=engine.read_timeout_s,
    )


def _function(function: Function) -> FunctionFacts:
    return FunctionFacts(
        path=function.path,
        handler=load_handler(function.path, function.handler),
        scope=function.scope,
        key_header=function.key_header,
        loopback_without_key=function.loopback_without_key,
        methods=function.methods,
        limits=function.limits,
        max_body_bytes=function.max_body_bytes,
        body_timeout_s=function.body_timeout_s,
        timeout_s=function.timeout_s,
    )
