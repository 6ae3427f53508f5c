#!/bin/sh
# Starts the sandbox's Python language host with a Python that has grpcio and pulumi.
# The first that does, of: AIRBYTE_AS_CODE_PYTHON, the active virtual environment, the one it was set up with,
# .venv in the current folder, python3 on PATH.
here=$(dirname "$0")
recorded=@PYTHON@

for python in "${AIRBYTE_AS_CODE_PYTHON:-}" "${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/python}" "$recorded" .venv/bin/python python3; do
    if [ -n "$python" ] && command -v "$python" >/dev/null 2>&1 &&
        "$python" -c 'import sys; from importlib.util import find_spec as f; sys.exit(sys.version_info < (3, 11) or not (f("grpc") and f("pulumi")))' 2>/dev/null
    then
        exec "$python" -u "$here/pulumi-language-python.pyz" --executor "$here/pulumi-language-python-exec" "$@"
    fi
done

echo "No Python 3.11 or newer with the packages grpcio and pulumi was found to run Pulumi programs:" \
    "$recorded is gone or lacks them. Run 'make demo' (or any other make target) to set up .venv again," \
    "or set AIRBYTE_AS_CODE_PYTHON to such a Python." >&2
exit 1
