# Every target makes .venv first when it is missing, and does nothing twice.
PYTHON ?= python3
SIZE ?= paper
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install book pdf results student student-site times bench test test-all lint format lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

install: .venv/.installed ## create .venv with the exact versions of requirements.lock

.venv/.installed: requirements.lock pyproject.toml tools/install.py
	@$(PYTHON) tools/install.py

book: install ## build the site into _build/html from the results that come with it (SIZE=quick or smoke: compute everything anew)
	@$(BIN)/python -m valleys run --size $(SIZE)
	@$(BIN)/python -m valleys build --size $(SIZE) $(if $(REPOSITORY),--repository $(REPOSITORY))

pdf: install ## build the site, and the whole book as a PDF beside it, linked from every page (needs chromium)
	@$(BIN)/python -m valleys pdf --check
	@$(BIN)/python -m valleys run --size $(SIZE)
	@$(BIN)/python -m valleys pdf --size $(SIZE) $(if $(REPOSITORY),--repository $(REPOSITORY))

results: install ## bring results/paper, which comes with the book, up to date with the code: hours after a change of the networks
	@$(BIN)/python -m valleys ship

student: install ## write dist/student, without solutions, and dist/instructor, with all of them and a course for nbgrader, and a zip file of each
	@$(BIN)/python -m valleys editions

student-site: install ## build the site without solutions into dist/student-site (SIZE as for book)
	@$(BIN)/python -m valleys run --size $(SIZE) --no-exercises
	@$(BIN)/python -m valleys build --size $(SIZE) --student

times: install ## measure how long each chapter takes, into params/times.yml, on an idle machine: a quarter of an hour (TIMES="--kind anew": hours)
	@$(BIN)/python tools/times.py $(TIMES)

bench: install ## measure the speed of what the book computes with, and print a table
	@$(BIN)/python tools/bench.py

test: install ## units, refusals, all chapters from the results that come with the book, the site in a browser
	@$(PYTEST) -m "not slow"

test-all: install ## every test there is: also live runs of all chapters, the PDF, the student and the public site, clusters and kills
	@$(PYTEST)

lint: install ## check style, formatting, types, which room imports which, and that notebooks carry no outputs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/basedpyright
	@$(BIN)/nbstripout --keep-id --verify chapters/*.ipynb exercises/*.ipynb

format: install ## put style and formatting in order
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/nbstripout --keep-id chapters/*.ipynb exercises/*.ipynb

lock: install ## resolve pyproject.toml anew into requirements.lock and environment.yml
	@$(BIN)/python tools/lock.py

clean: ## remove what was built and computed; .venv and downloaded data stay
	@rm -rf _build dist results/cache .pytest_cache .ruff_cache .hypothesis
