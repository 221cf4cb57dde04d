from hypothesis import given
from hypothesis import strategies as st

from shared import quarantine
from tests.unit.lambda_src.world import QUARANTINE, World

TAGS = st.lists(st.text(min_size=1, max_size=8), max_size=10, unique=True).map(
    lambda keys: [{"Key": key, "Value": "v"} for key in keys]
)


@given(TAGS)
def test_other_tags_are_kept_but_for_one_too_many(tags: list[dict[str, str]]):
    plan = quarantine.plan(tags)
    assert len(plan.tags) <= 10 and quarantine.is_on(list(plan.tags))
    expected = [*tags, QUARANTINE]
    if len(tags) == 10:
        assert plan.displaced == tags[-1]
        expected.remove(plan.displaced)
    assert list(plan.tags) == expected


def test_another_value_of_the_tag_is_replaced():
    plan = quarantine.plan([{"Key": "sagelens-quarantine", "Value": "lifted"}])
    assert plan == quarantine.Plan((QUARANTINE,), None)


def test_is_on_needs_the_very_tag():
    assert quarantine.is_on([QUARANTINE])
    assert not quarantine.is_on([{"Key": "sagelens-quarantine", "Value": "lifted"}])
    assert not quarantine.is_on([]) and not quarantine.is_on(None)


def test_a_version_that_is_gone(world: World):
    version = world.put()
    world.objects.clear()
    assert quarantine.read_tags(world.clients.s3, version) is None
    assert quarantine.write(world.clients.s3, version, (QUARANTINE,)) is False
