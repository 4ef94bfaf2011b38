# The front door. Everything real is in meson.build; this only names the steps.
#   make          build into build/          make check   set up, build, run every test
#   make demo     set up, build, show it     make bench   measure against its peers
#   make soak     a day's traffic in minutes
#   make install  into PREFIX (/usr/local)   make help    all of it

BUILD  ?= build
PREFIX ?= /usr/local
MESON  ?= meson
PYTHON ?= python3
MESON_FLAGS ?=

.DEFAULT_GOAL := build
.PHONY: build deps demo check bench performance soak install clean help coverage rfcs symbols

help:
	@echo "make deps      install the Debian packages of deps.txt that are missing"
	@echo "make           build into $(BUILD)/ ($(BUILD)/src/libnw.so, $(BUILD)/tools/nwcat)"
	@echo "make demo      deps, build, then nwcat on a real server on loopback"
	@echo "make check     deps, build, then every test; ends with 'N passed, N failed, N skipped'"
	@echo "make bench     deps, build, then every measurement beside its peers (BENCH_FLAGS=--help)"
	@echo "make performance  the same, written into docs/performance.md"
	@echo "make soak      1,000,000 connects cancelled, 10,000,000 echoes: does anything grow?"
	@echo "make install   build, then install under PREFIX=$(PREFIX) (DESTDIR is honoured)"
	@echo "make coverage  write docs/coverage.md and docs/rfcs.md anew"
	@echo "make symbols   write tests/abi/symbols.txt anew from the built library"
	@echo "make clean     remove $(BUILD)/"

deps:
	@sh scripts/deps.sh

$(BUILD)/build.ninja:
	@$(MESON) setup $(BUILD) --prefix=$(PREFIX) $(MESON_FLAGS) || \
		{ echo "when something is missing above: make deps" >&2; exit 1; }

build: $(BUILD)/build.ninja
	ninja -C $(BUILD)

# deps first, also with make -j.
demo check bench performance: deps
	@$(MAKE) --no-print-directory run-$@

.PHONY: run-demo run-check run-bench run-performance
run-demo: build
	@bash scripts/demo.sh $(BUILD)

run-check: build
	@bash scripts/check.sh $(BUILD)

run-bench: build
	@bash scripts/bench.sh $(BUILD) $(BENCH_FLAGS)

soak: build
	@$(BUILD)/tests/soak/soak $(SOAK_FLAGS)

# What stands between the two marks of the page is replaced.
run-performance: build
	@bash scripts/bench.sh $(BUILD) --markdown $(BENCH_FLAGS) > $(BUILD)/performance.md
	@sed -i -e '/^<!-- measured/r $(BUILD)/performance.md' -e '/^<!-- measured/,/^<!-- end/{//!d}' docs/performance.md

install: build
	$(MESON) install -C $(BUILD) --no-rebuild
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

coverage: build rfcs
	@$(PYTHON) scripts/coverage.py $(BUILD)/src/libnw.so > docs/coverage.md

rfcs:
	@$(PYTHON) scripts/rfcs.py > docs/rfcs.md

symbols: build
	@$(PYTHON) scripts/symbols.py $(BUILD)/src/libnw.so > tests/abi/symbols.txt

clean:
	rm -rf $(BUILD)
