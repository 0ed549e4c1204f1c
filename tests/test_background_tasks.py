"""The helper for background tasks, as it stands in a checkout: every variant, run for real."""

import ast
import asyncio
import gc
import importlib
import importlib.util
import inspect
import itertools
import logging
import os
import re
import subprocess
import sys
import textwrap
import threading
import weakref
from contextvars import ContextVar, copy_context
from pathlib import Path

import pytest

from perfmod.templates import is_ours, render_background_tasks, version

VARIANTS = {
    f"{task_errors}{'-drain' if drain else ''}": render_background_tasks(task_errors=task_errors, drain=drain)
    for task_errors, drain in itertools.product(("log", "handler"), (False, True))
}


def load(source, folder):
    path = folder / "background_tasks.py"
    path.write_text(source, encoding="utf-8", newline="\n")
    spec = importlib.util.spec_from_file_location("background_tasks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=VARIANTS)
def helper(request, tmp_path):
    return load(VARIANTS[request.param], tmp_path)


@pytest.fixture(params=[name for name in VARIANTS if name.endswith("drain")])
def draining(request, tmp_path):
    return load(VARIANTS[request.param], tmp_path)


@pytest.fixture
def folder_of_variants(tmp_path):
    for name, source in VARIANTS.items():
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(source, encoding="utf-8", newline="\n")
    return tmp_path


@pytest.fixture(autouse=True)
def log(caplog):
    """All records, whether of the helper or of asyncio's default exception handler."""
    caplog.set_level(logging.DEBUG)
    return caplog


def errors(log):
    gc.collect()  # "Task exception was never retrieved" is logged by the finalizer
    return [record for record in log.records if record.levelno >= logging.ERROR]


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


async def wait_for_ever():
    await asyncio.get_running_loop().create_future()


async def fail(error):
    raise error


class Falsy(Exception):
    def __len__(self):
        return 0


# Behaviour of every variant


def test_a_task_that_would_be_collected_survives(helper, log):
    async def main():
        bare = weakref.ref(asyncio.create_task(wait_for_ever()))
        kept = weakref.ref(helper.create_background_task(wait_for_ever()))
        await turns()
        gc.collect()
        assert bare() is None
        assert not kept().done()

    asyncio.run(main())
    assert log.text.count("Task was destroyed but it is pending!") == 1
    assert not helper._tasks


@pytest.mark.parametrize("error", [ValueError("boom"), Falsy("boom")], ids=["truthy", "falsy"])
def test_a_failure_is_reported_once_with_traceback(helper, log, error):
    async def main():
        helper.create_background_task(fail(error), name="job")
        await turns()

    asyncio.run(main())
    [record] = errors(log)
    assert "Background task 'job' failed" in record.getMessage()
    assert record.exc_info == (type(error), error, error.__traceback__)
    assert "in fail\n" in log.text
    assert not helper._tasks


def test_success_is_silent(helper, log):
    async def main():
        assert await helper.create_background_task(asyncio.sleep(0, "result")) == "result"
        await turns()

    asyncio.run(main())
    assert [record for record in log.records if record.name != "asyncio"] == errors(log) == []
    assert not helper._tasks


def test_cancelling_is_a_debug_message(helper, log):
    async def main():
        helper.create_background_task(wait_for_ever(), name="job").cancel()
        await turns()

    asyncio.run(main())
    [record] = [record for record in log.records if record.name == "background_tasks"]
    assert (record.levelname, record.getMessage()) == ("DEBUG", "Background task 'job' was cancelled")
    assert not errors(log)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=["SystemExit", "KeyboardInterrupt"])
def test_an_exit_is_no_failure(helper, log, error):
    async def main():
        helper.create_background_task(fail(error))
        await wait_for_ever()

    with pytest.raises(type(error)):
        asyncio.run(main())
    assert not errors(log)


@pytest.mark.parametrize("source", VARIANTS.values(), ids=VARIANTS)
def test_system_exit_ends_the_program_without_a_word(source, tmp_path):
    script = """
        async def leave():
            raise SystemExit(3)

        async def main():
            create_background_task(leave())
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    (tmp_path / "script.py").write_text(source + textwrap.dedent(script), encoding="utf-8")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


def test_the_name_is_set_and_otherwise_left(helper):
    async def main():
        assert helper.create_background_task(turns(), name="job").get_name() == "job"
        assert re.fullmatch(r"Task-\d+", helper.create_background_task(turns()).get_name())
        await turns()

    asyncio.run(main())


def test_keywords_are_passed_on(helper):
    variable = ContextVar("variable")
    context = copy_context()
    context.run(variable.set, "inside")

    async def main():
        async def read():
            return variable.get()

        assert await helper.create_background_task(read(), context=context) == "inside"

    asyncio.run(main())


def test_a_task_goes_to_the_given_loop(helper):
    loop = asyncio.new_event_loop()
    try:
        task = helper.create_background_task(asyncio.sleep(0, "result"), name="job", loop=loop)
        assert task.get_loop() is loop
        assert loop.run_until_complete(task) == "result"
    finally:
        loop.close()


def test_without_a_running_loop_it_fails_as_create_task_does(helper):
    def attempt(create):
        coro = turns()
        alive = weakref.ref(coro)
        with pytest.raises(RuntimeError) as caught, pytest.warns(RuntimeWarning, match="never awaited"):
            try:
                create(coro)
            finally:
                del coro
                sys.exc_info()[1].__traceback__ = None
        assert alive() is None
        return caught.value.args

    assert attempt(helper.create_background_task) == attempt(asyncio.create_task)
    assert not helper._tasks


class PassesKeywordsToTheFactory(asyncio.SelectorEventLoop):
    """Creates tasks as Python 3.14 does; older ones keep the name from the factory."""

    def create_task(self, coro, **keywords):
        given = {key: value for key, value in keywords.items() if value is not None}  # 3.13.0 always has a name
        return self.get_task_factory()(self, coro, **given)


@pytest.mark.parametrize("loop_class", [asyncio.SelectorEventLoop, PassesKeywordsToTheFactory])
@pytest.mark.parametrize("pass_loop", [False, True])
def test_a_task_factory_without_keywords_works(helper, loop_class, pass_loop):
    loop = loop_class()
    loop.set_task_factory(lambda loop, coro: asyncio.Task(coro, loop=loop))
    keywords = {"loop": loop} if pass_loop else {}

    async def main():
        task = helper.create_background_task(asyncio.sleep(0, "result"), name="job", **keywords)
        assert task.get_name() == "job"
        assert await task == "result"

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


# Variants


@pytest.mark.parametrize("drain", [False, True])
def test_the_handler_is_called_exactly_once(drain, tmp_path, log):
    helper = load(render_background_tasks(task_errors="handler", drain=drain), tmp_path)
    error = Falsy("boom")
    calls = []

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *call: calls.append(call))
        task = helper.create_background_task(fail(error), name="job")
        await turns()
        context = {"message": "Background task 'job' failed", "exception": error, "task": task}
        assert calls == [(loop, context)]

    asyncio.run(main())
    assert not errors(log)
    assert len(calls) == 1


def test_drain_waits_for_tasks_and_for_those_that_they_start(draining):
    done = []

    async def second():
        await asyncio.sleep(0.01)
        done.append("second")

    async def first():
        await asyncio.sleep(0.01)
        draining.create_background_task(second())
        done.append("first")

    async def main():
        draining.create_background_task(first())
        await draining.drain_background_tasks(timeout=30)
        assert done == ["first", "second"]

    asyncio.run(asyncio.wait_for(main(), 10))
    assert not draining._tasks


@pytest.mark.parametrize("timeout", [0.01, 0])
def test_drain_cancels_what_outlives_the_timeout_and_waits_for_its_end(draining, timeout, log):
    async def clean_up():
        try:
            await wait_for_ever()
        finally:
            await asyncio.sleep(0.01)
            raise ValueError("while cancelled")

    async def main():
        stuck = draining.create_background_task(wait_for_ever())
        unwilling = draining.create_background_task(clean_up())
        await turns()
        await draining.drain_background_tasks(timeout)
        assert stuck.cancelled()
        assert unwilling.done()
        assert not draining._tasks

    asyncio.run(asyncio.wait_for(main(), 10))
    [record] = errors(log)
    assert record.exc_info[0] is ValueError


def test_drain_with_nothing_to_do_returns_at_once(draining):
    asyncio.run(asyncio.wait_for(draining.drain_background_tasks(timeout=30), 5))


def test_drain_inside_a_background_task_leaves_that_task_alone(draining):
    async def shut_down():
        other = draining.create_background_task(wait_for_ever())
        await draining.drain_background_tasks(timeout=0.01)
        assert other.cancelled()
        return "shut down"

    async def main():
        assert await draining.create_background_task(shut_down()) == "shut down"

    asyncio.run(asyncio.wait_for(main(), 10))


def test_two_loops_in_two_threads_drain_only_their_own(draining):
    both_started, first_drained = threading.Barrier(2, timeout=10), threading.Event()
    outcome = {}

    async def drain_first():
        task = draining.create_background_task(wait_for_ever())
        both_started.wait()
        await draining.drain_background_tasks(timeout=0.01)
        outcome["first"] = task.cancelled()
        first_drained.set()

    async def drain_second():
        task = draining.create_background_task(wait_for_ever())
        both_started.wait()
        first_drained.wait(timeout=10)
        await turns()
        outcome["second, before"] = task.done()
        await draining.drain_background_tasks(timeout=0.01)
        outcome["second"] = task.cancelled()

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for main in (drain_first, drain_second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert outcome == {"first": True, "second, before": False, "second": True}


# Other Pythons: those on PATH, and those installed beside the one that runs the tests


def other_pythons():
    folders = [*Path(sys.base_prefix).resolve().parent.glob("*/bin"), *map(Path, os.get_exec_path())]
    found = {}
    for path in itertools.chain.from_iterable(folder.glob("python3.*") for folder in folders if folder.is_dir()):
        match = re.fullmatch(r"python3\.(\d+)(\.exe)?", path.name)
        if match and int(match[1]) >= 8:
            found.setdefault(int(match[1]), path)
    return [pytest.param(path, id=f"3.{minor}") for minor, path in sorted(found.items())]


@pytest.mark.parametrize("python", [pytest.param(sys.executable, id="current"), *other_pythons()])
def test_it_works_on_every_python_with_every_task_factory(python, folder_of_variants):
    if subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"{python} does not run")
    script = """
        import asyncio, gc, importlib, logging, sys

        class Falsy(Exception):
            def __len__(self):
                return 0

        async def fail():
            raise Falsy("at once")

        async def fail_later():
            await asyncio.sleep(0)
            raise Falsy("later")

        async def wait_for_ever():
            await asyncio.get_running_loop().create_future()

        async def leave():
            await asyncio.sleep(0)
            raise SystemExit(3)

        async def start_all(helper):
            loop = asyncio.get_running_loop()
            done = helper.create_background_task(asyncio.sleep(0, "result"), loop=loop)
            for coro in fail(), fail_later(), wait_for_ever():
                helper.create_background_task(coro, name="job")
            for _ in range(5):
                await asyncio.sleep(0)
            gc.collect()
            assert done.result() == "result"
            [waiting] = helper._tasks
            if hasattr(helper, "drain_background_tasks"):
                await helper.drain_background_tasks(timeout=0.01)
            else:
                waiting.cancel()
                await asyncio.wait([waiting])
            assert waiting.cancelled()
            assert not helper._tasks

        async def start_leaving(helper):
            helper.create_background_task(leave())
            await asyncio.sleep(60)

        async def run_with(factory, main, helper):
            asyncio.get_running_loop().set_task_factory(factory)
            await main(helper)

        def legacy(loop, coro):
            return asyncio.Task(coro, loop=loop)

        factories = {"default": None, "legacy": legacy}
        if hasattr(asyncio, "eager_task_factory"):
            factories["eager"] = asyncio.eager_task_factory

        records = []
        recorder = logging.Handler()
        recorder.emit = records.append
        logging.basicConfig(level=logging.DEBUG, handlers=[recorder])

        def logged():
            gc.collect()
            debug = [r for r in records if (r.name, r.levelname) == ("asyncio", "DEBUG")]  # "Using selector ..."
            return [(r.levelname, r.getMessage().splitlines()[0]) for r in records if r not in debug]

        for name in sys.argv[1:]:
            helper = importlib.import_module(name)
            for factory in factories.values():
                del records[:]
                asyncio.run(run_with(factory, start_all, helper))
                failed, cancelled = "Background task 'job' failed", "Background task 'job' was cancelled"
                assert logged() == [("ERROR", failed), ("ERROR", failed), ("DEBUG", cancelled)], logged()
                raised = [str(r.exc_info[1]) for r in records if r.levelname == "ERROR"]
                assert raised == ["at once", "later"], raised

                del records[:]
                try:
                    asyncio.run(run_with(factory, start_leaving, helper))
                except SystemExit as exit:
                    assert exit.code == 3
                else:
                    raise AssertionError("did not exit")
                assert not logged(), logged()

        print(*sys.version_info[:2], *factories)
    """
    (folder_of_variants / "script.py").write_text(textwrap.dedent(script), encoding="utf-8")
    modules = [path.stem for path in folder_of_variants.glob("*.py") if path.stem != "script"]
    done = subprocess.run(
        [python, "script.py", *modules], cwd=folder_of_variants, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    _, minor, *factories = done.stdout.split()
    assert factories == ["default", "legacy", "eager"][: 3 if int(minor) >= 12 else 2]


# The text


def test_template_and_parts_are_modules_themselves():
    template = importlib.import_module("perfmod.templates.background_tasks")
    drain = importlib.import_module("perfmod.templates.background_tasks_drain")
    handler = importlib.import_module("perfmod.templates.background_tasks_handler")
    assert drain._tasks is template._tasks
    assert inspect.signature(handler._report_failure) == inspect.signature(template._report_failure)
    assert Path(template.__file__).read_text(encoding="utf-8") == VARIANTS["log"]


@pytest.mark.parametrize("source", VARIANTS.values(), ids=VARIANTS)
def test_the_text_suits_any_checkout(source):
    assert source.startswith("# perfmod: background_tasks template 1\n")
    assert source.endswith("\n") and not source.endswith("\n\n")
    assert "\r" not in source
    assert max(map(len, source.splitlines())) <= 79
    ast.parse(source, feature_version=(3, 8))


def test_a_variant_holds_what_its_options_need_and_no_more():
    for name, source in VARIANTS.items():
        assert ("def drain_background_tasks(" in source) == name.endswith("drain")
        assert ("call_exception_handler" in source) == name.startswith("handler")
        assert ("_logger.error" in source) == name.startswith("log")
        assert source.count("def _report_failure(") == 1
    assert render_background_tasks() == VARIANTS["log"]


def check(folder, *command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("width", ["79", "88", "100", "120"])
def test_variants_are_formatted(folder_of_variants, width):
    check(folder_of_variants, "ruff", "format", "--isolated", "--check", "--line-length", width, ".")


def test_variants_pass_common_lint_rules(folder_of_variants):
    rules = "E,F,W,I,B,UP,SIM,RUF,C4,PIE,RET,BLE,TRY,LOG,G,N,PL,PYI,PERF"
    check(
        folder_of_variants, "ruff", "check", "--isolated", "--no-cache", "--target-version", "py38", "--select", rules
    )


def test_variants_are_strictly_typed(folder_of_variants):
    (folder_of_variants / "use.py").write_text(
        textwrap.dedent("""
            import asyncio
            from typing import assert_type

            from handler_drain import drain_background_tasks
            from log import create_background_task


            async def answer() -> int:
                return 42


            async def main() -> None:
                assert_type(create_background_task(answer(), name="answer"), asyncio.Task[int])
                create_background_task(answer(), loop=asyncio.get_running_loop())
                await drain_background_tasks()
        """)
    )
    check(folder_of_variants, "mypy", "--strict", "--config-file=", ".")


# The mark


def test_the_mark_is_recognised_in_any_encoding_of_the_file():
    source = render_background_tasks()
    crlf = source.replace("\n", "\r\n")
    for text in (source, source.encode(), crlf, crlf.encode(), "\ufeff" + source, source.encode("utf-8-sig")):
        assert is_ours(text, "background_tasks")
        assert version(text, "background_tasks") == 1


def test_other_versions_are_ours_and_other_files_are_not():
    assert version("# perfmod: background_tasks template 12", "background_tasks") == 12
    for other in ("", b"\xff\xfe", "import asyncio\n", "\n" + render_background_tasks(), "# perfmod: ignore\n"):
        assert not is_ours(other, "background_tasks")
    assert not is_ours(render_background_tasks(), "request_retry")
    assert not is_ours(render_background_tasks(), "background_task")
