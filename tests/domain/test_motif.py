"""What a picture shows, whatever was asked of it: when it is surely something else."""

from hypothesis import given
from hypothesis import strategies as st

from firstread.domain.motif import OTHER, motif_of

TITLES = {"chest-xray": "a chest X-ray", "red-cell": "one red cell", OTHER: "something else"}
LEAST = {"chest-xray": 0.1, "red-cell": 0.02}


def shown(chances, *, own="red-cell", doubted=False):
    return motif_of(chances, own=own, titles=TITLES, least=LEAST, doubted=doubted)


def test_what_is_surely_something_else_is_named():
    found = shown({"chest-xray": 0.95, "red-cell": 0.01, OTHER: 0.04})
    assert (found.is_own, found.is_named, found.title) == (False, True, "a chest X-ray")
    assert found.own == "one red cell"


def test_what_may_be_of_the_packs_own_stays_so_though_another_is_likelier():
    found = shown({"chest-xray": 0.95, "red-cell": 0.03, OTHER: 0.02})
    assert (found.is_own, found.code, found.probability) == (True, "red-cell", 0.03)


def test_where_the_pack_itself_doubts_it_what_is_much_likelier_counts():
    chances = {"chest-xray": 0.8, "red-cell": 0.1, OTHER: 0.1}
    assert shown(chances).is_own
    assert shown(chances, doubted=True).code == "chest-xray"
    assert shown({"chest-xray": 0.5, "red-cell": 0.4, OTHER: 0.1}, doubted=True).is_own


def test_what_nobody_reads_has_no_name():
    found = shown({"chest-xray": 0.01, "red-cell": 0.0, OTHER: 0.99})
    assert (found.is_own, found.is_named) == (False, False)


@given(st.lists(st.floats(0.001, 1), min_size=3, max_size=3))
def test_a_picture_that_is_not_the_packs_own_is_never_called_so(weights):
    chances = {code: each / sum(weights) for code, each in zip(TITLES, weights, strict=True)}
    for own, least in LEAST.items():
        found = shown(chances, own=own)
        assert found.is_own == (chances[own] >= least)
        assert (found.code == own) == found.is_own
        assert found.probability == round(chances[found.code], 6)
