"""no_grad, enable_grad and detect_anomaly hold for one context: a thread, a task, a decorated function."""

import asyncio
import threading

import numpy as np
import pytest

from autograd import AnomalyError, Tensor, detect_anomaly, enable_grad, gradients, no_grad
from autograd.modes import MODE, in_scope


def recording():
    return (Tensor(1.0, requires_grad=True) * 2).requires_grad


# ---- blocks ----


def test_no_grad_records_nothing():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with no_grad():
        results = x * 2, 2 * x, x + x, -x, np.exp(x), x.sum(), x[0], x @ x, np.stack([x, x])
    assert not any(y.requires_grad for y in results)
    assert all(isinstance(y, Tensor) for y in results)
    assert recording()


def test_a_leaf_made_under_no_grad_is_a_leaf():
    with no_grad():
        x = Tensor(1.0, requires_grad=True)
    (x * 3).backward()
    assert x.grad == 3.0


def test_blocks_nest_and_end_with_an_exception():
    with no_grad():
        assert not recording()
        with enable_grad():
            assert recording()
            with no_grad():
                assert not recording()
            assert recording()
        assert not recording()
        with pytest.raises(KeyError), enable_grad():
            raise KeyError
        assert not recording()
    assert recording()


def test_one_block_object_can_be_entered_again():
    block = no_grad()
    with block:
        assert not recording()
    assert recording()


def test_backward_works_under_no_grad():
    x = Tensor(3.0, requires_grad=True)
    y = x * x
    with no_grad():
        y.backward()
    assert x.grad == 6.0


def test_gradients_with_create_graph_record_under_no_grad():
    """create_graph is asked for by name, so it wins."""
    x = Tensor(3.0, requires_grad=True)
    y = x * x * x
    with no_grad():
        (g,) = gradients(y, [x], create_graph=True)
    assert gradients(g, [x])[0] == 18.0


# ---- decorators ----


def test_decorators():
    @no_grad()
    def plain(x, *, k):
        """Doc."""
        assert not recording()
        return x * k

    @enable_grad()
    def recorded(x):
        return x * 2

    x = Tensor(1.0, requires_grad=True)
    assert plain.__name__ == "plain" and plain.__doc__ == "Doc."
    for _ in range(2):
        assert not plain(x, k=2).requires_grad
        assert recording()
    with no_grad():
        assert recorded(x).requires_grad


def test_a_decorated_function_may_call_itself():
    @no_grad()
    def down(n):
        return recording() if n == 0 else down(n - 1)

    assert down(5) is False
    assert recording()


def test_a_decorated_function_that_raises_restores_the_mode():
    @no_grad()
    def fails():
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert recording()


# ---- threads ----


def infinity():
    with np.errstate(all="ignore"):
        return np.log(Tensor(0.0, requires_grad=True))


def in_a_thread(f):
    result = []
    thread = threading.Thread(target=lambda: result.append(f()))
    thread.start()
    thread.join()
    return result[0]


def test_a_block_in_one_thread_is_not_seen_in_another():
    with no_grad():
        assert in_a_thread(recording) is True
    with detect_anomaly():
        assert in_a_thread(lambda: np.isinf(infinity().data))
    with in_scope("outer"):
        assert in_a_thread(lambda: MODE.get().scope) == ()


def test_threads_that_switch_at_the_same_time_do_not_disturb_each_other():
    barrier = threading.Barrier(4)
    wrong = []

    def work(quiet):
        for _ in range(50):
            barrier.wait()
            if quiet:
                with no_grad():
                    barrier.wait()
                    wrong.append(recording())
                    barrier.wait()
            else:
                barrier.wait()
                wrong.append(not recording())
                barrier.wait()

    threads = [threading.Thread(target=work, args=(k % 2,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) == 200 and not any(wrong)


def train(seed):
    rng = np.random.default_rng(seed)
    x, t = rng.standard_normal((16, 8)), rng.standard_normal((16, 3))
    parameters = [Tensor(rng.standard_normal(s) * 0.3, requires_grad=True) for s in ((8, 12), (12,), (12, 3), (3,))]
    w1, b1, w2, b2 = parameters
    for _ in range(60):
        for p in parameters:
            p.zero_grad()
        h = np.maximum(x @ w1 + b1, 0)
        loss = np.mean((np.tanh(h @ w2 + b2) - t) ** 2)
        loss.backward()
        with no_grad():
            for p in parameters:
                p.data = p.data - 0.1 * p.grad
    return [p.data.tobytes() for p in parameters]


def test_eight_threads_train_eight_models_to_the_same_bits_as_one():
    serial = [train(seed) for seed in range(8)]
    parallel = [None] * 8

    def work(seed):
        parallel[seed] = train(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert parallel == serial


# ---- asyncio ----


def test_a_block_in_one_task_is_not_seen_in_another():
    async def quiet(entered, leave):
        with no_grad():
            entered.set()
            await leave.wait()
            return recording()

    async def main():
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(entered, leave))
        await entered.wait()
        here = recording()
        with no_grad():
            inherited = await asyncio.create_task(asyncio.sleep(0, recording()))
        leave.set()
        return here, await task, inherited, recording()

    assert asyncio.run(main()) == (True, False, False, True)


def test_anomaly_detection_in_one_task_is_not_seen_in_another():
    async def careful(entered, leave):
        with detect_anomaly():
            entered.set()
            await leave.wait()
            with pytest.raises(AnomalyError):
                infinity()

    async def main():
        entered, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(careful(entered, leave))
        await entered.wait()
        infinity()
        leave.set()
        await task

    asyncio.run(main())


# ---- generators ----


def test_a_generator_advanced_inside_a_block_sees_the_block():
    def twice():
        yield recording()
        yield recording()

    steps = twice()
    with no_grad():
        assert next(steps) is False
    assert next(steps) is True


def test_a_block_around_a_whole_generator_is_restored():
    def steps():
        with no_grad():
            yield recording()

    assert list(steps()) == [False]
    assert recording()


def test_a_decorated_generator_runs_in_the_mode_and_its_caller_does_not():
    @no_grad()
    def steps():
        received = yield recording()
        try:
            yield received, recording()
        except KeyError:
            yield "caught", recording()
        return recording()

    def outer():
        result = yield from steps()
        yield "returned", result

    run = outer()
    assert next(run) is False and recording()
    assert run.send(5) == (5, False) and recording()
    assert run.throw(KeyError) == ("caught", False) and recording()
    assert next(run) == ("returned", False) and recording()


def test_two_decorated_generators_may_take_turns_and_be_dropped():
    @no_grad()
    def quiet():
        while True:
            yield recording()

    @enable_grad()
    def loud():
        while True:
            yield recording()

    a, b = quiet(), loud()
    assert [next(a), next(b), next(a), next(b), recording()] == [False, True, False, True, True]
    a.close()
    assert next(b) and recording()


def test_a_decorated_coroutine_runs_in_the_mode():
    @no_grad()
    async def quiet():
        await asyncio.sleep(0)
        return recording()

    async def main():
        results = await asyncio.gather(quiet(), asyncio.sleep(0, "other"), quiet())
        return *results, recording()

    assert asyncio.run(main()) == (False, "other", False, True)


def test_a_decorated_asynchronous_generator_is_refused():
    async def steps():
        yield 1

    with pytest.raises(TypeError, match="inside it"):
        no_grad()(steps)


def test_anomaly_detection_as_a_decorator():
    @detect_anomaly()
    def careful():
        return infinity()

    for _ in range(2):
        with pytest.raises(AnomalyError):
            careful()
    assert MODE.get().watchers is None
