"""What dates bring is carried out by the worker's sweep."""

from __future__ import annotations

import pytest

from kuaitui.interfaces.worker.sweeps import SWEEPS
from kuaitui.refunds.states import State
from tests.support.refunds_given import application

pytestmark = pytest.mark.django_db


def test_the_workers_sweep_ends_applications_whose_question_was_not_answered() -> None:
    made = application(State.MORE_INFORMATION)
    due_at = made.view.due_at
    assert due_at is not None

    assert SWEEPS["applications"](due_at) == 1

    assert made.state is State.EXPIRED
