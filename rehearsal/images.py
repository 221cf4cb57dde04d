"""What Rekognition checks of an image before it looks at it.

Facts: "Guidelines and quotas in Amazon Rekognition" (sizes, formats) and the errors of each
operation in the Amazon Rekognition API reference.
"""

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from rehearsal.aws_json import ServiceError

STORED_BYTES = 15 * 1024 * 1024
INLINE_BYTES = 5 * 1024 * 1024
LEAST_PIXELS = 80
MOST_PIXELS = 10_000
FORMATS = ("JPEG", "PNG")


def check_size(content: bytes, *, inline: bool) -> None:
    """ImageTooLargeException above 15 MiB in S3, or 5 MiB inline."""
    limit = INLINE_BYTES if inline else STORED_BYTES
    if len(content) > limit:
        raise ServiceError(
            "ImageTooLargeException",
            f"Image size is too large, actual size is {len(content)} bytes, "
            f"but maximum is {limit} bytes.",
        )


def check_image(content: bytes, least: int = LEAST_PIXELS, most: int = MOST_PIXELS) -> None:
    """Check format and size in pixels, from the header alone.

    Raises:
        ServiceError: InvalidImageFormatException if it is no readable JPEG or PNG,
            InvalidParameterException if a side is too short, ImageTooLargeException if too long.
    """
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ServiceError(
            "InvalidImageFormatException", "Request has invalid image format"
        ) from error
    except Image.DecompressionBombError as error:
        raise ServiceError(
            "ImageTooLargeException", f"a side may have at most {most} pixels"
        ) from error
    if min(width, height) < least:
        raise ServiceError(
            "InvalidParameterException",
            f"Request has invalid parameters: the image has {width}x{height} pixels, "
            f"a side must have at least {least}",
        )
    if max(width, height) > most:
        raise ServiceError(
            "ImageTooLargeException",
            f"the image has {width}x{height} pixels, a side may have at most {most}",
        )
