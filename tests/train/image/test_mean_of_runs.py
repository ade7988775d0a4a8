"""Several runs of one recipe: what differs, what does not, and the mean of their weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from firstread.domain.errors import BadConfiguration
from firstread.train.history import Progress
from firstread.train.image.loop import Trained, fit
from firstread.train.image.mean_of_runs import fit_runs, how_it_learnt, mean
from firstread.train.recipe import open_recipe
from tests.train.conftest import SMALL
from tests.train.learning_for_tests import pixels, recipe, weights


def test_one_run_is_the_network_itself(tmp_path):
    alone = fit(recipe(), [pixels()], state=tmp_path / "alone")
    learnt = fit_runs(recipe(), [pixels()], state=tmp_path / "runs")
    found = learnt.network.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in weights(alone).items())


def test_runs_begin_alike_and_learn_in_another_order(tmp_path):
    # So slow that each ends where it began: what differs then is the start, and there is none.
    still = recipe(rate=1e-9, weight_decay=0.0)
    first, second = (fit(still, [pixels()], state=tmp_path, run=run) for run in (0, 1))
    for name, value in weights(first).items():
        assert torch.allclose(value, weights(second)[name], atol=1e-6)
    assert first.history[0].loss != second.history[0].loss
    assert len(list(tmp_path.glob("*.pt"))) == 2


def test_the_pack_gets_the_mean_of_their_weights(tmp_path):
    told: list[Progress] = []
    said: list[str] = []
    near = recipe(runs=2, rate=0.001)
    learnt = fit_runs(near, [pixels()], state=tmp_path, report=told.append, say=said.append)
    first, second = (weights(run) for run in learnt.runs)
    found = learnt.network.state_dict()
    assert any(not torch.equal(first[name], second[name]) for name in first)
    for name, value in found.items():
        assert torch.allclose(value, (first[name] + second[name]) / 2, atol=1e-6)
    assert said[0] == "Run 1 of 2"
    assert said[2].startswith("Validation loss of the mean of the weights: 0.")
    assert [row.epoch for row in told] == [*range(1, 7)] * 2
    assert told[5].left_s > 0
    assert told[11].left_s == 0


def test_runs_that_end_far_apart_have_no_mean(tmp_path):
    said: list[str] = []
    learnt = fit_runs(recipe(runs=2, rate=0.1), [pixels()], state=tmp_path, say=said.append)
    assert "the pack gets the best of them alone" in said[-1]
    (best,) = learnt.runs
    single = [
        fit(recipe(rate=0.1), [pixels()], state=tmp_path, run=run).history[-1].validation_loss
        for run in (0, 1)
    ]
    assert best.history[-1].validation_loss == min(single)
    found = learnt.network.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in weights(best).items())


def test_more_runs_keep_the_first_and_the_same_runs_give_the_same_bits(tmp_path):
    near, nearer = recipe(rate=0.001), recipe(runs=2, rate=0.001)
    one = fit_runs(near, [pixels()], state=tmp_path / "kept")
    told: list[Progress] = []
    both = fit_runs(nearer, [pixels()], state=tmp_path / "kept", report=told.append)
    assert len(told) == 6
    again = fit_runs(nearer, [pixels()], state=tmp_path / "anew")
    assert all(
        torch.equal(value, weights(both.runs[0])[name])
        for name, value in weights(one.runs[0]).items()
    )
    found = again.network.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in both.network.state_dict().items())


def test_a_mean_of_one_form_is_a_network_of_that_form(tmp_path):
    trained = fit(recipe(epochs=1), [pixels()], state=tmp_path)
    found = mean([trained.network, trained.network]).state_dict()
    assert all(torch.allclose(found[name], value) for name, value in weights(trained).items())


@pytest.mark.parametrize("network", ["", '[network]\nfamily = "residual"\n\n'])
def test_networks_that_begin_with_nothing_have_no_mean(tmp_path, network: str):
    path = tmp_path / "squares.toml"
    head, _, rest = SMALL.partition("[network]")
    rest = rest[rest.index("[augment]") :].replace("[schedule]", "[schedule]\nruns = 2")
    path.write_text(f"{head}{network}{rest}")
    with pytest.raises(BadConfiguration, match=r"runs' takes the mean"):
        open_recipe(path)


def test_the_card_tells_how_often_and_how_long_it_learnt(tmp_path):
    trained = fit(recipe(), [pixels()], state=tmp_path)
    row = replace(trained.history[-1], took_s=600.0)
    run = Trained(network=trained.network, history=(row,) * 6, kept_epoch=6, device="a processor")
    assert how_it_learnt(()) == ""
    assert how_it_learnt([run]) == (
        "It learnt 6 epochs in 60 minutes on a processor, and has the weights of epoch 6."
    )
    assert how_it_learnt([run, replace(run, kept_epoch=4)]) == (
        "It learnt 2 times 6 epochs, each time in another order, in 120 minutes on a processor, "
        "and has the mean of the weights of epoch 4 and 6."
    )
