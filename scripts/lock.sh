#!/bin/sh
# Write requirements/*.lock: names, versions, hashes; nothing that names a host. Needs the development environment.
# Wheels that lie about on this machine (find-links, further indexes) stay out, so that the hashes are the registry's own.
set -eu
cd "$(dirname "$0")/.."

compile() {
    env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null .venv/bin/python -m piptools compile --quiet \
        --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate --no-config --no-reuse-hashes \
        --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links "$@"
}

groups() { # NAME...: the requirements of dependency groups
    .venv/bin/python -c 'import sys, tomllib
groups = tomllib.load(sys.stdin.buffer)["dependency-groups"]
for name in sys.argv[1:]:
    print(*groups[name], sep="\n")' "$@" <pyproject.toml
}

compile --all-build-deps --output-file requirements/run.lock "$@" pyproject.toml
groups dev judges | compile --constraint requirements/run.lock --output-file requirements/dev.lock "$@" - pyproject.toml
