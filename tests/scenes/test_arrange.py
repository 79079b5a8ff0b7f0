"""Which objects a scene has and where they stand."""

from dataclasses import replace

import numpy as np

from tests.scenes.making import ALL, OFF, SIDE, alpha, floor_and_wall, make, placement
from transforms.scenes.draws import COUNT, ObjectUse, PictureUse, PlaceUse, draws_of
from transforms.scenes.ground import find_ground

MANY = 80


def test_draws_are_a_pure_function_of_seed_and_ids() -> None:
    several = [placement(number) for number in range(5)]
    together = draws_of(7, several)
    [alone] = draws_of(7, several[3:4])
    assert alone.noise == together[3].noise
    assert alone.picture(PictureUse.SLANT) == together[3].picture(PictureUse.SLANT)
    [other] = draws_of(8, several[3:4])
    assert other.picture(PictureUse.SLANT) != alone.picture(PictureUse.SLANT)
    values = {together[3].object(2, use) for use in ObjectUse}
    values |= {together[3].place(2, 1, use) for use in PlaceUse}
    values |= {together[3].picture(use) for use in PictureUse}
    assert len(values) == len(ObjectUse) + len(PlaceUse) + len(PictureUse)


def test_golden_draws() -> None:
    [draws] = draws_of(5, [placement(4)])
    assert COUNT == 303
    found = (draws.picture(PictureUse.NEGATIVE), draws.place(9, 3, PlaceUse.ANGLE), draws.noise)
    assert found == (0.9864055728548078, 0.8720711776179698, 9097985577666751487)


def test_one_object_without_options_stands_where_the_plan_says() -> None:
    for number in range(20):
        sample, made = placement(number), make(OFF, number)
        [paste] = made.scene.pastes
        assert (paste.x, paste.y, paste.width, paste.height, paste.flip, paste.angle) == (
            *(sample.x, sample.y, sample.width, sample.height, sample.flip),
            0.0,
        )


def test_numbers_of_objects_are_within_the_range() -> None:
    options = replace(OFF, objects=(2, 3), foreground_size=16)
    counts = [len(make(options, number).composed.labels.objects) for number in range(MANY)]
    assert set(counts) == {2, 3}
    ids = [paste.fg_id for number in range(MANY) for paste in make(options, number).scene.pastes]
    assert set(ids) == set(range(1, 7))


def test_every_labelled_object_counts_and_is_visible_enough() -> None:
    options = replace(ALL, negatives=0.0, objects=(4, 4), min_visible=0.6)
    shares = []
    for number in range(MANY):
        made = make(options, number)
        labelled = [paste for paste in made.scene.pastes if paste.labelled]
        objects = made.composed.labels.objects
        assert labelled[0].fg_id in {paste.fg_id for paste in labelled}
        assert len(objects) == len(labelled) >= 1
        shares += [found.visible for found in objects]
    assert min(shares) >= np.float32(0.6)
    assert any(share < 1 for share in shares)


def test_negatives_have_no_labelled_object() -> None:
    options = replace(OFF, negatives=0.4, distractor_share=0.5)
    empty = 0
    for number in range(200):
        made = make(options, number)
        labelled = [paste for paste in made.scene.pastes if paste.labelled]
        empty += not labelled
        assert bool(labelled) == made.composed.mask.any()
    assert 60 <= empty <= 100


def test_distractors_hide_objects_and_are_not_labelled() -> None:
    options = replace(OFF, distractor_share=1.0, foreground_size=60, min_visible=0.2)
    hidden = 0
    for number in range(40):
        made = make(options, number)
        unlabelled = [paste for paste in made.scene.pastes if not paste.labelled]
        assert len(made.composed.labels.objects) == 1
        visible = made.composed.labels.objects[0].visible
        if visible < 1:
            hidden += 1
            assert unlabelled
    assert hidden > 3


def test_objects_hang_out_by_at_most_the_truncation() -> None:
    options = replace(OFF, objects=(3, 3), truncation=0.4, foreground_size=30)
    outside = 0.0
    for number in range(MANY):
        for paste in make(options, number).scene.pastes:
            solid = alpha(paste) >= 128
            ys, xs = np.nonzero(solid)
            ys, xs = ys + paste.y, xs + paste.x
            inside = ((ys >= 0) & (ys < SIDE) & (xs >= 0) & (xs < SIDE)).mean()
            assert inside >= 0.6
            outside = max(outside, 1 - inside)
    assert outside > 0.25


def test_grounded_objects_stand_on_ground_in_its_perspective() -> None:
    options = replace(OFF, grounded=True, objects=(1, 3), truncation=0.5)
    ground = find_ground(floor_and_wall())
    sizes = []
    for number in range(MANY):
        made = make(options, number)
        assert made.scene.grounded
        contacts = [paste.contact for paste in made.scene.pastes]
        assert contacts == sorted(contacts)
        for paste in made.scene.pastes:
            rows = np.flatnonzero((alpha(paste) >= 128).any(axis=1))
            assert paste.contact == paste.y + rows[-1] + 1
            assert paste.contact > ground.horizon
            middle = paste.x + alpha(paste).shape[1] // 2
            assert ground.mask[min(paste.contact, SIDE) - 1, middle]
            tall = paste.contact - ground.horizon
            sizes.append(paste.height / tall)
            if tall > 8:
                assert 0.7 <= paste.height / tall <= 1.45
    assert max(sizes) > 1.2 and min(sizes) < 0.9


def test_without_ground_objects_are_placed_anywhere() -> None:
    wall = find_ground(np.ones((SIDE, SIDE), np.float32))
    assert not wall.found
    grounded = make(replace(OFF, grounded=True), 3, wall)
    assert not grounded.scene.grounded
    assert grounded.scene.pastes == make(OFF, 3).scene.pastes
