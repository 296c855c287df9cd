from random import Random

from frontend.example_proposals import ANGLES, SUBJECTS, examples
from frontend.pages.fields import NEW


def test_all_examples_differ_in_title_and_speaker() -> None:
    count = len(SUBJECTS) * len(ANGLES)
    all_of_them = examples(count, Random(1))

    assert count >= 40
    assert len({each.title for each in all_of_them}) == count
    assert len({each.speaker_name for each in all_of_them}) == count


def test_every_example_passes_the_form() -> None:
    for each in examples(len(SUBJECTS) * len(ANGLES), Random(2)):
        assert [field.error(getattr(each, field.name)) for field in NEW] == [None] * 4
        assert each.speaker_email.isascii()


def test_the_same_seed_gives_the_same_examples() -> None:
    assert examples(5, Random(3)) == examples(5, Random(3))
