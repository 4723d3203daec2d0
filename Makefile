# Each target prints what it does. Python 3.11 and make are all that is needed.
PYTHON ?= python3.11
BIN := .venv/bin

setup: .venv/done ## make the environment only
.venv/done: pyproject.toml constraints.txt
	@echo "Making the environment (about 1.5 GB, a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt torch==2.13.0
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[test]' && touch $@

up: setup ## everything on this machine: make up [DOCS=path]
	@$(BIN)/python -m bot up $(if $(DOCS),--docs "$(DOCS)")

test: .venv/tests ## the tests, two files side by side
	@$(BIN)/python -m pytest -n 2 --dist loadfile
.venv/tests: .venv/done
	@$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e '.[test-s3,test-browser,onnx,reader]' && touch $@

lint: setup ## style, types, import arrows
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

eval: setup ## quality: tables and JSON
	@$(BIN)/python -m bot eval all

bench: setup ## speed and memory: tables and JSON
	@$(BIN)/python -m tests.bench

.PHONY: setup up test lint eval bench
