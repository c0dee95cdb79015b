"""What a request body holds."""

from dataclasses import dataclass, field

from handlers.bodies.body_errors import MalformedImage

Image = bytes | MalformedImage


@dataclass(frozen=True, slots=True)
class Body:
    """The images, each its bytes or what is wrong with it, and the parameters that came along."""

    images: list[Image]
    parameters: list[tuple[str, str]] = field(default_factory=list)
