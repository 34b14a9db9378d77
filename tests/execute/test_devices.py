"""Eight simulated devices, in one process and in two, give what one gives."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import hand
import jax
import pytest

from construct import ConstructError, prepare
from construct.execute import devices, jax_, sparse
from construct.execute.devices import mesh

# By number of processes: executors, kinds of prompts, and meshes of each format.
RUNS = {1: 2 * 2 * (3 + 1), 2: 2 * 2 * 2}


def free_port() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


@pytest.mark.parametrize("processes", [1, 2])
def test_eight_devices_give_the_same_as_one(processes):
    flags = f"--xla_force_host_platform_device_count={8 // processes}"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    program, port = Path(__file__).with_name("many.py"), free_port()
    with ExitStack() as stack:
        running = []
        for process in range(processes):
            one = subprocess.Popen(
                [sys.executable, program, str(processes), str(process), port],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            # In the end each is killed, if it still runs; then waited for, its pipes closed.
            stack.enter_context(one)
            stack.callback(one.kill)
            running.append(one)
        for one in running:
            out, err = one.communicate(timeout=400)
            assert one.returncode == 0, err
            # Collectives announce themselves on standard output, some in the middle of a line.
            assert "[" not in out.replace("[Gloo]", ""), out
            assert out.count(" equal\n") == RUNS[processes], out


def test_devices_that_cannot_be_shared_out_are_refused():
    with pytest.raises(ConstructError, match="cannot be cut into batch = 3 equal shards"):
        mesh([1, 2], batch=3)
    with pytest.raises(ConstructError, match="0 devices"):
        mesh([])
    assert mesh(jax.devices()[:1]).shape == {"batch": 1, "sequence": 1}


@pytest.mark.parametrize(
    ("name", "dtype"), [("numpy", "float64"), ("torch", "float32"), ("exact", "exact")]
)
def test_executors_of_one_device_refuse_a_mesh(name, dtype):
    with pytest.raises(ConstructError, match="does not take a mesh; choose one of: jax, sparse"):
        prepare(name, hand.by_hand(), dtype, mesh())


@pytest.mark.parametrize("name", ["jax", "sparse"])
def test_a_mesh_of_one_device_is_one_device(name):
    model, batch = hand.random(4)
    one, other = prepare(name, model), prepare(name, model, "float64", mesh())
    for stream in (batch, batch[0]):
        assert one(stream).stream.tolist() == other(stream).stream.tolist()
        assert one(stream).attended.tolist() == other(stream).attended.tolist()


@pytest.mark.parametrize("name", ["jax", "sparse"])
@pytest.mark.parametrize("on", [None, mesh()], ids=["one device", "mesh"])
def test_a_tpu_is_said_to_be_certified_for_nothing(name, on, monkeypatch):
    assert devices.platforms(on) == {jax.default_backend()}
    monkeypatch.setattr(devices, "platforms", lambda on: {"cpu"})
    prepare(name, hand.by_hand(), "float32", on)  # a warning would be an error
    monkeypatch.setattr(devices, "platforms", lambda on: {"tpu"})
    with pytest.warns(UserWarning, match="no number format is certified on a TPU"):
        prepare(name, hand.by_hand(), "float32", on)


@pytest.mark.parametrize(("name", "module"), [("jax", jax_), ("sparse", sparse)])
def test_a_pass_on_a_mesh_is_compiled_once_whoever_prepares_it(name, module, monkeypatch):
    made = []

    def on_mesh(*given):
        made.append(devices.on_mesh(*given))
        return made[-1]

    monkeypatch.setattr(module, "on_mesh", on_mesh)
    module._on_mesh.cache_clear()
    model, batch = hand.random(4)
    for transformer in (model, replace(model, W_U=2 * model.W_U)):
        run = prepare(name, transformer, "float64", mesh())
        for stream in batch:
            run(stream)
    module._on_mesh.cache_clear()
    [program] = made
    assert program._cache_size() == 1
