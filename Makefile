# Every target sets up what it needs. Python 3.11 or newer is all that has to be there.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# Container images like to set this; the program would be compiled anew by every process that the engine starts.
export PYTHONDONTWRITEBYTECODE :=

PYTHON := .venv/bin/python
READY  := .venv/.ready
CACHE  := $(or $(AIRBYTE_AS_CODE_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/airbyte-as-code)

.PHONY: help demo demo-down test test-slow test-kills bench recover verify-chart lint fmt toolchain lock clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## The whole thing on this machine: databases, Airbyte, Pulumi; then a drift, seen and mended
	@$(PYTHON) -m sandbox demo

demo-down: $(READY) ## Stop what the demo started
	@$(PYTHON) -m sandbox down

test: lint toolchain ## Everything a change has to pass
	@echo "==> pytest"
	@$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder

test-slow: toolchain ## What takes minutes: a whole workspace adopted, every connector's drift, long random stories
	@$(PYTHON) -m pytest -n auto --dist loadfile -m slow --ignore tests/recovery

test-kills: toolchain ## Kill an engine at every API call of an up, and recover (20 minutes on two idle cores)
	@$(PYTHON) -m pytest -n auto -m slow tests/recovery

N ?= 100
bench: $(READY) ## What a command costs at N connections (N=100), beside resources that do nothing
	@$(PYTHON) -m benchmarks --connections $(N) $(BENCH_OPTIONS)

STACK ?= sandbox
recover: ## After a killed pulumi command: unlock STACK (sandbox), and forget what was under way
	@if [ "$(STACK)" = sandbox ]; then . ./.sandbox/env; fi; \
	case "$$PULUMI_BACKEND_URL" in file://*) \
		backend=$${PULUMI_BACKEND_URL#file://}; \
		find "$${backend%%\?*}/.pulumi" -name '*.attrs' -size 0 -print -delete;; \
	esac; \
	pulumi cancel --yes --stack "$(STACK)" || true; \
	pulumi refresh --yes --skip-preview --clear-pending-creates --stack "$(STACK)" && \
	echo "==> recovered; now run pulumi up --stack $(STACK)"

CHART ?= https://airbytehq.github.io/charts
verify-chart: $(READY) ## Compare Airbyte's Helm chart with what is expected of it (CHART=folder, archive or repository)
	@if command -v helm >/dev/null; then bin=; else bin=$$($(PYTHON) -m sandbox.toolchain kubernetes):; fi && \
		PATH="$$bin$$PATH" $(PYTHON) -m airbyte_cli platform verify-chart "$(CHART)" $(VERIFY_OPTIONS)

lint: $(READY) ## Style and types
	@echo "==> ruff check"
	@$(PYTHON) -m ruff check .
	@echo "==> ruff format --check"
	@$(PYTHON) -m ruff format --check .
	@echo "==> mypy"
	@$(PYTHON) -m mypy

fmt: $(READY) ## Format, and fix what can be fixed
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

toolchain: $(READY) ## Make Pulumi and Kubernetes available (installed, downloaded, or built once); ONLY=pulumi for one
	@echo "==> $(or $(ONLY),pulumi and kubernetes)"
	@$(PYTHON) -m sandbox.toolchain $(ONLY)

lock: $(READY) ## Write requirements.lock anew from pyproject.toml
	@$(PYTHON) -m uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-header \
		--no-emit-index-url --no-annotate pyproject.toml --group sandbox --group dev -o requirements.lock

clean: ## Stop the sandbox, and remove all that is not in git, with the cache folder
	@if [ -e .sandbox/state.json ]; then $(MAKE) $(READY) && $(PYTHON) -m sandbox down --purge; fi
	@for path in .venv .sandbox build .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info; do \
		if [ -e "$$path" ]; then rm -rf "$$path" && echo "removed $$path"; fi; \
	done
	@find . -name __pycache__ -type d -prune -exec rm -rf {} + && echo "removed __pycache__ folders"
	@if grep -qs 'created by airbyte-as-code' "$(CACHE)/CACHEDIR.TAG"; then \
		rm -rf "$(CACHE)" && echo "removed $(CACHE)"; \
	fi

# Written last, so an interrupted set-up is taken up again; older than its sources, it is done again.
$(READY): requirements-bootstrap.txt requirements.lock pyproject.toml
	@if ! $(PYTHON) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		for candidate in python3 python3.13 python3.12 python3.11; do \
			if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
				python=$$candidate; break; \
			fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo "error: Python 3.11 or newer is needed, as python3, python3.13, python3.12 or python3.11 on PATH." >&2; \
			exit 1; \
		fi; \
		echo "==> creating .venv with $$($$python --version)"; \
		if ! $$python -m venv --clear .venv; then \
			echo "error: $$python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; \
			exit 1; \
		fi; \
	fi
	@echo "==> installing uv"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@echo "==> installing the packages of requirements.lock (about 300 MB the first time)"
	@$(PYTHON) -m uv pip sync --quiet --compile-bytecode --python $(PYTHON) --require-hashes requirements.lock
	@$(PYTHON) -m uv pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --offline -e .
	@touch $@
