"""Every kind of wrong field under vision, its place, and the words that answer it."""

from collections.abc import Callable

import pytest

MODEL = "arn:aws:rekognition:us-east-1:123456789012:project/shelf/version/v1/17"
RefusedOnce = Callable[..., None]


def named(text: str) -> str:
    """Return YAML with a right name in line 1, so that `text` begins in line 2."""
    return f"name: x\n{text}"


def moderation(bands: str) -> str:
    """Return YAML whose line 2 gives these bands to every moderation label."""
    return named(f'vision: {{policy: {{moderation: {{"*": {bands}}}}}}}')


# A row is one kind of error: YAML, the line and path of its only error, then words in it.
CASES = {
    "Region without Rekognition": (
        named("region: eu-north-1"),
        "2",
        "region: has no Amazon Rekognition, which vision needs",
        "or vision: null",
    ),
    "quota and time-out too small": (
        named("vision:\n  function: {timeout_seconds: 3}\n  quotas: {DetectModerationLabels: 1}"),
        "4",
        "vision.quotas.DetectModerationLabels: lets no call fit into half",
        "at least 1.67; or a timeout_seconds of at least 5",
    ),
    "quota and time-out too small for two": (
        named("vision:\n  function: {timeout_seconds: 3}\n  backfill: {quota_share: 0.2}"),
        "2",
        "vision.quotas.DetectModerationLabels: lets no call fit into half",
        "at least 8.33; or a timeout_seconds of at least 5",
    ),
    "share of a backfill": (
        named("vision: {backfill: {quota_share: 0.9}}"),
        "2",
        "vision.backfill.quota_share:",
        "given:   0.9",
        "a number from 0.2 to 0.8",
    ),
    "folders of a backfill that overlap": (
        named("vision:\n  prefix: in/\n  backfill: {prefixes: [in/old/]}"),
        "4",
        'vision.backfill.prefixes[0]: overlaps with "in/", whose objects would be looked at twice',
        "a folder apart from in/",
    ),
    "policy too large": (
        named(
            'vision:\n  policy:\n    moderation:\n      "*": {accept: [0, 100]}\n'
            + "".join(
                f'      "label {number:080}": {{accept: [0, 100]}}\n' for number in range(1500)
            )
        ),
        "3",
        "vision.policy: takes",
        'given:   "1501 labels"',
    ),
    "prefix": (named("vision: {prefix: incoming}"), "2", "vision.prefix:", 'end with "/"'),
    "prefix at the root": (named("vision: {prefix: /in/}"), "2", "vision.prefix:", "slash"),
    "prefix wildcard": (named('vision: {prefix: "*/"}'), "2", "vision.prefix:", "wildcard"),
    "unknown analysis": (
        named("vision: {analyses: {modration: {}, moderation: {}}}"),
        "2",
        "vision.analyses.modration:",
        "did you mean moderation?",
    ),
    "analysis on or off": (
        named("vision:\n  analyses:\n    moderation:"),
        "4",
        "vision.analyses.moderation:",
        "null could mean on or off",
    ),
    "no analysis of videos": (
        named("vision: {video: {analyses: {}}}"),
        "2",
        "vision.video.analyses:",
        "no analysis is on",
    ),
    "videos among the images": (
        named("vision: {video: {prefix: incoming/videos/}}"),
        "2",
        "vision.video.prefix:",
        "overlaps with the images' prefix (incoming/)",
    ),
    "confidence hides a band from videos": (
        named("vision: {video: {analyses: {moderation: {minimum_confidence: 70}}}}"),
        "2",
        "vision.video.analyses.moderation.minimum_confidence:",
        'for "*", reject begins at 60',
    ),
    "policy of a cue that is not looked for": (
        named(
            "vision:\n  video: {analyses: {segments: {types: [shot]}}}\n  policy:\n"
            '    segments: {"*": {accept: [0, 100]}, BlackFrames: {accept: [0, 100]}}'
        ),
        "5",
        "vision.policy.segments.BlackFrames:",
        "segments never finds this",
    ),
    "segments that are too unsure": (
        named("vision: {video: {analyses: {segments: {minimum_confidence: 40}}}}"),
        "2",
        "vision.video.analyses.segments.minimum_confidence:",
        "a number from 50 to 100",
    ),
    "no analysis": (named("vision: {analyses: {}}"), "2", "vision.analyses:", "no analysis is on"),
    "confidence": (
        named("vision: {analyses: {moderation: {minimum_confidence: 101}}}"),
        "2",
        "vision.analyses.moderation.minimum_confidence:",
        "given:   101",
        "a number from 0 to 100",
    ),
    "confidence as text": (
        named('vision: {analyses: {moderation: {minimum_confidence: "60"}}}'),
        "2",
        "is text, not a number",
        "remove the quotes: 60",
    ),
    "confidence hides a band": (
        named(
            "vision:\n  analyses: {moderation: {minimum_confidence: 60}}\n  policy:\n"
            '    moderation: {"*": {accept: [0, 50], review: [50, 80], reject: [80, 100]}}'
        ),
        "3",
        "vision.analyses.moderation.minimum_confidence:",
        'for "*", review begins at 50',
    ),
    "policy without analysis": (
        named('vision: {policy: {labels: {"*": {accept: [0, 100]}}}}'),
        "2",
        "vision.policy.labels:",
        'there is a policy for "labels", but that analysis is off',
    ),
    "policy of nothing": (
        named("vision: {policy: {smell: {}}}"),
        "2",
        "vision.policy.smell:",
        "unknown key",
    ),
    "policy of a measure that there is not": (
        named(
            "vision:\n  analyses: {image_quality: {}}\n  policy:\n    image_quality:\n"
            '      "*": {accept: [0, 100]}\n      Blured: {accept: [0, 80], review: [80, 100]}'
        ),
        "7",
        "vision.policy.image_quality.Blured:",
        "did you mean Blurred?",
        '"*", "Blurred", "Dark", "Overexposed", "Flat"',
    ),
    "policy of a face's attribute that is not asked for": (
        named(
            "vision:\n  analyses: {faces: {}}\n  policy:\n    faces:\n"
            '      "*": {accept: [0, 100]}\n      Sunglasses: {accept: [0, 80], review: [80, 100]}'
        ),
        "7",
        "vision.policy.faces.Sunglasses:",
        "faces never finds this",
    ),
    "policy of a pattern that there is not": (
        named(
            "vision:\n  analyses: {text: {patterns: {phone: x}}}\n  policy:\n    text:\n"
            '      "*": {accept: [0, 100]}\n      fone: {accept: [0, 80], review: [80, 100]}'
        ),
        "7",
        "vision.policy.text.fone:",
        "did you mean phone?",
    ),
    "faces in detail of which nothing is kept": (
        named("vision: {analyses: {faces: {attributes: all}}}"),
        "2",
        "vision.analyses.faces.attributes:",
        "store: counts keeps none",
    ),
    "what to keep of faces": (
        named("vision: {analyses: {faces: {store: everything}}}"),
        "2",
        "vision.analyses.faces.store:",
        '"nothing", "counts", "attributes"',
    ),
    "pattern": (
        named('vision: {analyses: {text: {patterns: {phone: "[0-9"}}}}'),
        "2",
        "vision.analyses.text.patterns.phone:",
        "is no regular expression: unterminated character set",
    ),
    "name of a pattern": (
        named('vision: {analyses: {text: {patterns: {Text: "x"}}}}'),
        "2",
        "vision.analyses.text.patterns.Text:",
        'not "Text"',
    ),
    "region of an image": (
        named("vision: {analyses: {text: {regions: [[0.5, 0, 0.6, 1]]}}}"),
        "2",
        "vision.analyses.text.regions[0]:",
        "is no part of the image",
    ),
    "region of three numbers": (
        named("vision: {analyses: {text: {regions: [[0.5, 0, 0.6]]}}}"),
        "2",
        "vision.analyses.text.regions[0]:",
        "four numbers",
    ),
    "labels": (
        named("vision: {analyses: {labels: {maximum: 1001}}}"),
        "2",
        "vision.analyses.labels.maximum:",
        "from 1 to 1,000",
    ),
    "label filter twice": (
        named("vision: {analyses: {labels: {include: [Car, Car]}}}"),
        "2",
        "vision.analyses.labels.include[1]:",
        "already in the list",
    ),
    "custom labels without a model": (
        named("vision: {analyses: {custom_labels: {}}}"),
        "2",
        "vision.analyses.custom_labels.models:",
        "is required",
    ),
    "custom labels with no model": (
        named("vision: {analyses: {custom_labels: {models: []}}}"),
        "2",
        "vision.analyses.custom_labels.models: has too few entries",
        "at least 1 entry",
    ),
    "model": (
        named("vision: {analyses: {custom_labels: {models: [Shelf 1]}}}"),
        "2",
        "vision.analyses.custom_labels.models[0]:",
        "a name of custom_models, or the ARN of a project version",
    ),
    "model that is not configured": (
        named(
            "vision:\n  analyses: {custom_labels: {models: [shelv]}}\n"
            "  custom_models: {shelf: {}, label: {}}"
        ),
        "3",
        "vision.analyses.custom_labels.models[0]:",
        "is no model of custom_models; did you mean shelf?",
        "shelf, label; or a project version's ARN",
    ),
    "model without any configured": (
        named("vision: {analyses: {custom_labels: {models: [shelf]}}}"),
        "2",
        "a name of custom_models; or a project version's ARN",
    ),
    "inference units": (
        named(
            "vision:\n  custom_models:\n    shelf: {inference_units: 3, most_inference_units: 2}"
        ),
        "4",
        "vision.custom_models.shelf.most_inference_units:",
        "is less than inference_units (3)",
        "a whole number from 3 to 5, or null",
    ),
    "gate": (
        named("vision: {custom_models: {shelf: {gate: {f1: 80}}}}"),
        "2",
        "vision.custom_models.shelf.gate.f1:",
        "a number from 0 to 1",
    ),
    "model's folder": (
        named("vision: {custom_models: {shelf: {prefix: shelf}}}"),
        "2",
        "vision.custom_models.shelf.prefix:",
        'end with "/"',
    ),
    "model of another Region": (
        named(
            f"region: eu-west-1\nvision: {{analyses: {{custom_labels: {{models: ['{MODEL}']}}}}}}"
        ),
        "3",
        "vision.analyses.custom_labels.models[0]:",
        "is a model in us-east-1, but images are analysed in eu-west-1",
    ),
    "model of another partition": (
        named(
            "region: us-gov-west-1\n"
            f"vision: {{analyses: {{custom_labels: {{models: ['{MODEL}']}}}}}}"
        ),
        "3",
        "vision.analyses.custom_labels.models[0]:",
        "is in partition aws, but Region us-gov-west-1 is in aws-us-gov",
    ),
    "model of another account": (
        named(
            "account: '210987654321'\n"
            f"vision: {{analyses: {{custom_labels: {{models: ['{MODEL}']}}}}}}"
        ),
        "3",
        "vision.analyses.custom_labels.models[0]:",
        "is a model of account 123456789012",
    ),
    "quota too small for several models": (
        named(
            "vision:\n  function: {timeout_seconds: 3}\n  quotas: {DetectCustomLabels: 2}\n"
            f"  analyses: {{custom_labels: {{models: ['{MODEL}', '{MODEL}0']}}}}"
        ),
        "4",
        "vision.quotas.DetectCustomLabels: at 2 calls an image lets no call fit into half",
        "at least 3.33; or a timeout_seconds of at least 5",
    ),
    "policy without *": (
        named("vision: {policy: {moderation: {Alcohol: {accept: [0, 100]}}}}"),
        "2",
        'vision.policy.moderation."*":',
        'lacks "*"',
    ),
    "label": (
        named(
            'vision: {policy: {moderation: {"*": {accept: [0, 100]}, " a": {accept: [0, 100]}}}}'
        ),
        "2",
        'vision.policy.moderation." a":',
        "no space at either end",
    ),
    "decision": (
        moderation("{accept: [0, 60], refuse: [60, 100]}"),
        "2",
        'vision.policy.moderation."*".refuse:',
        "accept, review, reject",
    ),
    "bands empty": (moderation("{}"), "2", 'moderation."*":', "has no band"),
    "bands gap": (
        moderation("{accept: [0, 60], reject: [70, 100]}"),
        "2",
        'moderation."*".reject:',
        "no band holds 60 to 70",
    ),
    "bands overlap": (
        moderation("{accept: [0, 60], reject: [50, 100]}"),
        "2",
        'moderation."*".reject:',
        "overlaps accept [0, 60] from 50 to 60",
    ),
    "bands begin late": (
        moderation("{accept: [10, 60], reject: [60, 100]}"),
        "2",
        'moderation."*".accept:',
        "no band holds 0 to 10",
    ),
    "bands end early": (
        moderation("{accept: [0, 60], reject: [60, 99]}"),
        "2",
        'moderation."*".reject:',
        "no band holds 99 to 100",
    ),
    "bands in the wrong order": (
        moderation("{reject: [0, 60], accept: [60, 100]}"),
        "2",
        'moderation."*".reject:',
        "lies below accept",
    ),
    "band without width": (
        moderation("{accept: [0, 60], review: [60, 60], reject: [60, 100]}"),
        "2",
        'moderation."*".review:',
        "is empty",
    ),
    "band of one number": (
        moderation("{accept: [0], reject: [0, 100]}"),
        "2",
        'moderation."*".accept:',
        "two numbers",
    ),
    "band out of range": (
        moderation("{accept: [0, 60], reject: [60, 101]}"),
        "2",
        'moderation."*".reject[1]:',
        "from 0 to 100",
    ),
    "band of NaN": (moderation("{accept: [0, .nan]}"), "2", '"*".accept[1]:', "finite", ".nan"),
    "band infinite": (moderation("{accept: [0, .inf]}"), "2", '"*".accept[1]:', ".inf"),
    "quota of no operation": (
        named("vision: {quotas: {DetectModerationLabel: 5}}"),
        "2",
        "vision.quotas.DetectModerationLabel:",
        "did you mean DetectModerationLabels?",
    ),
    "quota zero": (
        named("vision: {quotas: {DetectModerationLabels: 0}}"),
        "2",
        "vision.quotas.DetectModerationLabels:",
        "above 0",
    ),
    "review share": (
        named("vision:\n  review_share: {least: 0.5, most: 0.4}"),
        "3",
        "vision.review_share.most: is not above least (0.5)",
        "a number above least, at most 1",
    ),
    "review share above one": (
        named("vision: {review_share: {most: 30}}"),
        "2",
        "vision.review_share.most:",
        "a number from 0 to 1",
    ),
    "record days": (named("vision: {record_days: 0}"), "2", "vision.record_days:", "or null"),
    "record days not whole": (
        named("vision: {record_days: 1.5}"),
        "2",
        "vision.record_days:",
        "is a number, not a whole number",
    ),
    "timeout": (
        named("vision: {function: {timeout_seconds: 901}}"),
        "2",
        "vision.function.timeout_seconds:",
        "from 3 to 900",
    ),
    "memory": (
        named("vision: {function: {memory_mb: 64}}"),
        "2",
        "vision.function.memory_mb:",
        "from 128 to 10,240",
    ),
    "receives": (
        named("vision: {queue: {max_receives: 4}}"),
        "2",
        "vision.queue.max_receives:",
        "from 5 to 1,000",
    ),
    "dead letters": (
        named("vision: {queue: {retention_days: 7, dead_letter_retention_days: 7}}"),
        "2",
        "vision.queue.dead_letter_retention_days:",
        "is not longer than retention_days (7)",
    ),
    "retry": (
        named("vision: {retry: {first_seconds: 60, most_seconds: 30}}"),
        "2",
        "vision.retry.most_seconds:",
        "less than first_seconds (60)",
    ),
    "retry beyond 12 hours": (
        named("vision: {retry: {denied_seconds: 43201}}"),
        "2",
        "vision.retry.denied_seconds:",
        "43,200",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_field_is_one_error_at_its_line(case: str, refused_once: RefusedOnce) -> None:
    refused_once(*CASES[case])
