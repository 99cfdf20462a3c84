# SPDX-License-Identifier: MIT
#
# The front door. Each target installs what it lacks (scripts/setup) and calls Meson.
#
#   BUILD=DIR  the build folder (build)          OPTIONS="..."  more options for meson setup
#   CC=...     the compiler (cc)                 DESTDIR=, PREFIX=  for install

BUILD ?= build
PREFIX ?= /usr/local
HOURS ?= 1
OPTIONS ?=

.DEFAULT_GOAL := build
.PHONY: build help run test check kernel soak coverage size tiny bench bench-engines lint format
.PHONY: kernel-linux bench-linux install clean

# The groups of packages that what was asked for needs: installed, or named, all at once.
NEEDS = build
run: NEEDS = build $(if $(CMD),,demo)
test soak: NEEDS = build test
bench bench-engines: NEEDS = build bench
lint: NEEDS = build lint

build: ## build the libraries and the ashlar command
	@scripts/setup $(NEEDS)
	@scripts/configure $(BUILD) --prefix $(abspath $(PREFIX)) $(OPTIONS)
	@ninja -C $(BUILD)

help: ## print this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: build ## run a program on Ashlar: make run CMD="python3 x.py"; without CMD, a demo
ifdef CMD
	@$(BUILD)/ashlar run -- $(CMD)
else
	@scripts/run-demo $(BUILD)
endif

test: build ## the tests to run while working: two minutes
	@scripts/setup test
	@env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL ASHLAR_TEST=quick \
		meson test -C $(BUILD) --no-rebuild --num-processes $$(($$(nproc) + 2)) \
		--suite unit --suite variant --suite misuse --suite env --suite once --suite model \
		--suite thread --suite lint || \
		{ scripts/results.py --failed $(BUILD)/meson-logs/testlog.json; exit 1; }

check: ## every test, in stages with their times: about twenty minutes
	@scripts/setup build test kernel guest
	@scripts/check $(STAGES)

kernel: ## boot the test kernels in QEMU, each processor: a minute or two
	@scripts/setup build kernel
	@kernel/boot.py --out $(abspath $(BUILD))/kernel

soak: build ## random and threaded tests with new seeds for HOURS=1 hours; TESTS=thread/fork
	@scripts/setup test
	@scripts/soak $(BUILD) $(HOURS) $(TESTS)

coverage: ## lines of the core that the tests on the simulated machine run
	@scripts/setup build
	@scripts/coverage

size: ## code and static RAM on a small machine, beside newlib's malloc
	@scripts/setup tiny
	@kernel/tiny/size $(BUILD)

tiny: ## boot the tests of the small machine (Cortex-M) in QEMU
	@scripts/setup tiny
	@kernel/tiny/run $(BUILD)

bench: build ## compare with other allocators; numbers and plots
	@scripts/setup bench
	@bench/run

bench-engines: build ## recorded traces of programs through each engine: memory, time, waste
	@scripts/setup bench
	@bench/engines.py --build $(BUILD)

lint: build ## every rule of the house: layers, symbols, headers, style, analysis
	@scripts/setup lint
	@lint/run $(BUILD)

format: ## let clang-format set the C files
	@scripts/setup lint
	@git ls-files -z '*.c' '*.h' | xargs -0 clang-format -i

kernel-linux: ## Ashlar inside Debian's Linux, in QEMU: its tests, and instructions beside SLUB
	@scripts/setup build guest
	@scripts/kernel-linux

bench-linux: ## Linux 6.1 with SLAB, SLUB and SLOB beside Ashlar, in QEMU; ONLY=slub; long at first
	@scripts/setup linux
	@scripts/bench-linux $(if $(ONLY),--only $(ONLY))

install: build ## install under PREFIX, below DESTDIR if set
	@[ -n "$(DESTDIR)" ] || [ -w "$(PREFIX)" ] || [ ! -e "$(PREFIX)" ] || \
		{ echo "install: $(PREFIX) may not be written: as root, or with PREFIX= or DESTDIR=" >&2; exit 1; }
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild --quiet
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig
	@echo "installed: $(DESTDIR)$(abspath $(PREFIX))/bin/ashlar, libraries, headers, ashlar.pc, manual pages"

clean: ## remove what was built
	rm -rf $(BUILD) build-check
