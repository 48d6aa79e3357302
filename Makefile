# Each target is a thin wrapper over a CMake preset or a script, which one may as well call by hand.
PG ?= 15
TIDY ?= changed
RUNS ?= 300
SEED ?= 1
SECONDS ?= 60
JOBS ?= $(shell nproc)

.DEFAULT_GOAL := help
.PHONY: help demo build test check bench chaos fuzz e2e image image-test format clean

help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Migrations on a private PostgreSQL: applied, broken, mended (installs what it needs)
	@scripts/demo.sh

build: ## The release binary: build/release/whimbrel
	@scripts/install-packages.sh build
	cmake --preset release
	cmake --build --preset release --target whimbrel -j $(JOBS)

test: ## All tests, with a real PostgreSQL and API server (PG=13..18 picks the PostgreSQL major)
	@scripts/install-packages.sh test
	@scripts/test.sh $(PG) $(JOBS)

check: ## Format, module includes, shellcheck, clang-tidy on changed files (TIDY=all: on all)
	@scripts/install-packages.sh check
	@scripts/check.sh $(TIDY)

bench: ## Build the benchmarks and print their figures
	@scripts/install-packages.sh bench
	cmake --preset bench
	cmake --build --preset bench -j $(JOBS)
	@tests/bench/run.sh build/bench

fuzz: ## Fuzz every parser (SECONDS=60 each, TARGETS="splitter yaml" for some of them)
	@scripts/install-packages.sh fuzz
	@scripts/fuzz.sh run $(SECONDS) $(TARGETS)

chaos: ## Kill runner, server and network at random (RUNS=300, SEED=1) and at each boundary in turn
	@scripts/install-packages.sh chaos
	cmake --preset chaos
	cmake --build --preset chaos -j $(JOBS)
	@tests/chaos/run.sh build/chaos $(RUNS) $(SEED)

e2e: ## A real cluster of our own (root), or that of KUBECONFIG: install, migrate, break it (SCENARIOS=… for some)
	@scripts/install-packages.sh build e2e image-root
	cmake --preset release
	cmake --build --preset release --target whimbrel -j $(JOBS)
	@tests/e2e/run.sh $(SCENARIOS)

image: ## The image (IMAGE=name, BUILD_BASE=image; BASE=debootstrap where no registry can be reached)
	@scripts/install-packages.sh image
	@IMAGE="$(IMAGE)" BUILD_BASE="$(BUILD_BASE)" BASE="$(BASE)" JOBS=$(JOBS) scripts/image.sh

image-test: ## The image of build/release: equal bytes twice, small, no shell, both faces run (root)
	@scripts/install-packages.sh image
	@scripts/image-test.sh build/release/whimbrel

format: ## Format all sources in place
	@scripts/install-packages.sh check
	@git ls-files -z --cached --others --exclude-standard -- '*.cc' '*.h' | xargs -0 clang-format -i

clean: ## Remove everything that was built
	rm -rf build
