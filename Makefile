# What can be done with this checkout: "make help" tells. Every target is safe to run again and again.
# The work is done by the small programs in tools/, this file only says which and in which order.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
STEP := tools/step
RUN := tools/with-env

# A scenario is a folder with a molecule.yml: a new one is found without a change here.
SCENARIOS := $(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml))

# What "make matrix" tries on the other releases of Debian.
FIREWALLS := nftables firewalld ufw

# For the user to change:
#   PYTHON         the Python that .venv is made with (3.11 or newer)
#   BASE_DEBIAN12  the image that test hosts of that release are made from, instead of debian:bookworm;
#                  BASE_DEBIAN11, BASE_DEBIAN13 and BASE_DEBIAN14 likewise
#   FUZZ_SECONDS, FUZZ_SEED  how long "make fuzz" tries, and which policies
#   MINUTES, SEED  how long "make campaign" tries (60), and which faults (by chance)
#   FAULT          the one fault that "make campaign" is to try again, such as ufw:631000017
#   PYTEST_ARGS    more arguments for the unit tests, such as -k ufw
#   MOLECULE_ARGS  more arguments for "molecule test", such as --destroy=never
#   FIREWALLS      which of the firewalls "make matrix" tries, such as FIREWALLS=ufw
export PYTHON BASE_DEBIAN11 BASE_DEBIAN12 BASE_DEBIAN13 BASE_DEBIAN14 FUZZ_SECONDS FUZZ_SEED MINUTES SEED FAULT

.PHONY: help env engine images lint sanity importer unit parse fuzz agreement campaign matrix molecule test demo bench tested build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { gsub("%", "NAME", $$1); printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  Scenarios: $(SCENARIOS)"

env: ## Make the Python environment .venv with everything that tests and checks need
	@$(STEP) "Python environment in .venv" tools/env

engine: ## See that a Docker engine answers; install and start one where that is possible
	@$(STEP) "Docker engine" tools/engine

images: engine ## Build the container images of the test hosts
	@$(STEP) "Images of the test hosts" tests/images/build

lint: env ## Check style: ansible-lint (profile production, with yamllint), ruff, the changelog
	@$(STEP) "Style" $(RUN) tools/lint

sanity: env ## Run ansible-test sanity over a copy of the checkout
	@$(STEP) "ansible-test sanity (a minute or two)" $(RUN) tools/sanity

importer: build ## Run the importer that Galaxy runs over an upload
	@$(STEP) "galaxy-importer over the tarball" $(RUN) tools/importer

unit: env ## Run the unit tests
	@$(STEP) "Unit tests" $(RUN) tools/unit $(PYTEST_ARGS)

parse: env images ## Let the real nft take some hundred generated rulesets
	@$(STEP) "Generated rulesets and the real nft" $(RUN) tools/parse

fuzz: env images ## Try generated policies and hostile inputs for FUZZ_SECONDS (600), with FUZZ_SEED (by chance)
	@$(STEP) "Fuzz" $(RUN) tools/fuzz

molecule: $(addprefix molecule-,$(SCENARIOS)) ## Run the Molecule scenarios of "make test", one after the other

molecule-%: env images ## Run one Molecule scenario, such as molecule-nftables
	@$(STEP) "Molecule scenario $* (some minutes)" $(RUN) tools/scenario $* $(MOLECULE_ARGS)

agreement: env images ## Hold what the info module says of a print server against a real cupsd; takes DEBIAN=13
	@$(STEP) "What is said of a real cupsd (two minutes)" $(RUN) tools/agreement

faults-wide: env images ## Kill the module before every single step, on both releases of Debian (hours)
	@PRINTFLEET_FAULTS=wide $(STEP) "Faults at every step" $(RUN) tools/scenario faults $(MOLECULE_ARGS)
	@PRINTFLEET_FAULTS=wide PRINTFLEET_FAULTS_NFTABLES=debian13 PRINTFLEET_FAULTS_FIREWALLD=debian12 \
		PRINTFLEET_FAULTS_UFW=debian12 $(STEP) "Faults at every step, the releases turned round" \
		$(RUN) tools/scenario faults $(MOLECULE_ARGS)

matrix: env images ## Run the scenarios of the three firewalls whole, on Debian 11 and 14 (half an hour)
	@tests/images/build host:debian11 host:debian14
	@export PRINTFLEET_OLDER=debian11 PRINTFLEET_NEWER=debian14; failed=0; for firewall in $(FIREWALLS); do \
		$(STEP) "Scenario $$firewall on Debian 11 and 14" $(RUN) tools/scenario $$firewall $(MOLECULE_ARGS) || failed=1; \
	done; exit $$failed

campaign: env images ## Break hosts at random for MINUTES (60) with SEED (by chance), or by one FAULT again
	@$(STEP) "Faults drawn at random" $(RUN) tools/campaign

test: ## Run everything: env, engine, images, lint, sanity, importer, unit, parse, scenarios
	@tools/test-all $(SCENARIOS)

demo: env images ## Show it: a print server before and after, and a page printed through the open port
	@$(STEP) "Demo" $(RUN) tools/demo

bench: env images ## Measure how long the role takes, beside a ping and beside other modules
	@$(STEP) "Benchmark" $(RUN) tools/bench

tested: # The scenarios of "make test", a line each; for .ci/run
	@printf '%s\n' $(SCENARIOS)

build: env ## Build the collection's tarball into .cache/build
	@$(STEP) -q build "Tarball of the collection in .cache/build" $(RUN) ansible-galaxy collection build --force --output-path .cache/build

clean: ## Remove what was built: environment, caches, containers and images of the tests
	@$(STEP) "Clean up" tools/clean
