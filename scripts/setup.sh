#!/bin/sh
# Make .venv fit a lock file, and see that programs and libraries are there: scripts/setup.sh run|dev [NAME...]
#
# A program has the name of its Debian package. What is missing is installed by apt for root and in CI; anybody else is told,
# in one line, what to type. A stamp is written only once a step is complete, so an interrupted set-up is begun again.
set -eu
cd "$(dirname "$0")/.."
venv=.venv

die() {
    printf 'simorc: %s\n' "$*" >&2
    exit 3
}

new_enough() { # PYTHON: is it there, and one that simorc runs on?
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        python=$PYTHON
        new_enough "$python" || die "PYTHON=$PYTHON is not a Python 3.11 or newer"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then
            python=$candidate
            return
        fi
    done
    command -v python3 >/dev/null || die "Python is missing, type: sudo apt-get install python3 python3-venv"
    die "Python 3.11 or newer is needed, $(command -v python3) is $(python3 -V 2>&1), name another: make PYTHON=... demo"
}

venv_package() { # Debian keeps ensurepip apart; without it venv fails half-way
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        "$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'
}

apt_get() { # quiet, save for what it said in $said
    said=$($root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 "$@" </dev/null 2>&1)
}

install() { # PACKAGE...
    if [ "$(id -u)" -eq 0 ]; then
        root=""
    elif [ -n "${CI:-}" ] && command -v sudo >/dev/null; then
        root="sudo -n"
    else
        die "not installed here, type: sudo apt-get install $*"
    fi
    command -v apt-get >/dev/null || die "not installed here, install it as this system does: $*"
    printf 'installing by apt: %s\n' "$*"
    ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 || apt_get update || die "apt-get update failed: $said"
    apt_get install --no-install-recommends "$@" || # lists may be old: once more with new ones
        { apt_get update && apt_get install --no-install-recommends "$@"; } || die "apt-get install $* failed: $said"
}

fingerprint() { # FILE...: of their content and of where the environment stands, as an environment cannot be moved
    { pwd && cat "$@"; } | sha256sum | cut -d ' ' -f 1
}

is_stamped() { # STEP FILE...
    stamp=$venv/.simorc-$1
    shift
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(fingerprint "$@")" ]
}

stamp() { # STEP FILE...
    step=$1
    shift
    fingerprint "$@" >"$venv/.simorc-$step"
}

is_usable() { # nothing in the environment comes from another lock file, and its interpreter is still there
    new_enough "$venv/bin/python" || return 1
    is_stamped run requirements/run.lock || return 1
    [ ! -f "$venv/.simorc-dev" ] || is_stamped dev requirements/dev.lock
}

pip_install() {
    "$venv/bin/python" -m pip --disable-pip-version-check install -qq "$@"
}

kind=$1
shift
missing=""
for name in "$@"; do
    command -v "$name" >/dev/null || dpkg-query --show "$name" >/dev/null 2>&1 || missing="$missing $name"
done
fresh=yes
is_usable || fresh=no
if [ $fresh = no ]; then
    find_python
    missing="$(venv_package)$missing"
fi
# shellcheck disable=SC2086  # package names hold no spaces
[ -z "$missing" ] || install $missing

if [ $fresh = no ]; then
    printf 'setting up %s from requirements/%s.lock (once; takes about a minute)\n' "$venv" "$kind"
    "$python" -m venv --clear "$venv"
    pip_install --require-hashes -r requirements/run.lock
    stamp run requirements/run.lock
fi
if [ "$kind" = dev ] && ! is_stamped dev requirements/dev.lock; then
    pip_install --require-hashes -r requirements/dev.lock
    stamp dev requirements/dev.lock
fi
if ! is_stamped project pyproject.toml src/simorc/__init__.py; then
    pip_install --no-deps --no-build-isolation --editable .
    stamp project pyproject.toml src/simorc/__init__.py
fi
# As pip does for a package from elsewhere: it starts in two thirds of the time, also where Python may write no bytecode.
"$venv/bin/python" -m compileall -q src
