#!/usr/bin/env bash
# Makes the virtual environment, brings Node into it, and installs the CDK command line.
# usage: tools/setup.sh PYTHON VENV
set -euo pipefail
python=$1
venv=$2

say() { if [ -t 2 ]; then printf '\033[2m· %s\033[0m\n' "$*"; else printf '· %s\n' "$*"; fi >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

command -v "$python" >/dev/null || fail "no $python found: install Python 3.11 or later, or name one: make PYTHON=python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old: Python 3.11 or later is needed, for example make PYTHON=python3.12"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "this Python cannot make virtual environments: install its venv package (Debian: apt-get install python3-venv)"

say "virtual environment with $("$python" --version)"
"$python" -m venv "$venv"
say "Python packages (one to three minutes the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt --requirement requirements.txt --requirement requirements-dev.txt \
    --requirement requirements-ml.txt
# aws_cdk runs on Node: let it find this one even where the environment is not activated.
"$venv/bin/python" - <<'PTH'
import pathlib, sysconfig
line = 'import os, sys; os.environ.setdefault("JSII_NODE", os.path.join(sys.prefix, "bin", "node"))\n'
pathlib.Path(sysconfig.get_path("purelib"), "sagelens_node.pth").write_text(line)
PTH
say "native packages of the functions"
"$venv/bin/python" constructs/sagelens/packages.py >/dev/null
say "CDK command line and type checker"
# The machine's own certificates count too: many networks have a proxy of their own.
NODE_USE_SYSTEM_CA=1 PATH="$PWD/$venv/bin:$PATH" npm ci --loglevel=error --no-audit --no-fund >/dev/null
say "ready"
