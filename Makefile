# SPDX-License-Identifier: MIT
#
# A thin layer on CMake and scripts/. `make help` lists what there is.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 900
SOAK_SECONDS ?= $(if $(SOAK_HOURS),$(shell expr $(SOAK_HOURS) \* 3600),3600)
SOAK_SANITIZE ?=
SOAK_BUILD = $(if $(SOAK_SANITIZE),$(BUILD)/asan,$(BUILD))
MUTANTS ?= 40
SEED ?= 1
RUN_ARGS ?=
BENCH_ARGS ?=
CMAKE_ARGS ?=

FORMAT_FILES = $(shell find include src backplanes tools examples tests fuzz bench -name '*.[ch]' -not -path '*/node_modules/*' -not -path 'tests/checks/*')

.PHONY: build run test debian13 fuzz fuzz-corpus fuzz-coverage clusterfuzzlite soak reliability mutants fleet gateway takeover monitoring interop bench bench-network bench-gateway docs dist deb packages install format lint clean help

build: ## set up and build the library and build/webtransport
	@scripts/setup.sh build
	@cmake -S . -B $(BUILD) -DWT_BUILD_TESTS=OFF $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS)

run: build ## build, then serve the playground page; RUN_ARGS are passed on
	./$(BUILD)/webtransport serve --listen localhost:4433 $(RUN_ARGS)

test: ## set up, build and run every test and check
	@scripts/setup.sh test
	@scripts/test.sh

debian13: ## run every test in a clean root of Debian 13, as root; RUN_ARGS: another command there
	@scripts/in_debian.sh 13 $(RUN_ARGS)

fuzz: ## run each fuzz target for FUZZ_SECONDS (900), two at a time, on its seeds and what earlier runs found
	@scripts/setup.sh test
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/test.sh fuzz

fuzz-corpus: ## put the best inputs that fuzzing found here into fuzz/found, within bounds, to be committed
	@scripts/setup.sh test
	@cmake -S . -B $(BUILD)/fuzz -DWT_FUZZ=ON -DCMAKE_C_COMPILER=clang
	@cmake --build $(BUILD)/fuzz -j $(JOBS)
	@scripts/fuzz.py corpus

fuzz-coverage: ## tell which functions of src/ no fuzz target reaches, with the inputs that there are
	@scripts/setup.sh test
	@scripts/fuzz.py coverage

clusterfuzzlite: ## build and run the fuzz targets as ClusterFuzzLite does, without its image
	@scripts/setup.sh test
	@tests/fuzz/test_clusterfuzzlite.sh $(BUILD)/clusterfuzzlite

soak: ## load servers for SOAK_SECONDS (3600) or SOAK_HOURS, with faults; SOAK_SANITIZE=1: with sanitizers; report in build/soak
	@scripts/setup.sh test
	@cmake -S . -B $(SOAK_BUILD) -DWT_BUILD_TESTS=ON $(if $(SOAK_SANITIZE),-DWT_SANITIZE=ON) $(CMAKE_ARGS)
	@cmake --build $(SOAK_BUILD) -j $(JOBS) --target webtransport_tool --target fleet_client --target hostile_client
	@python3 -B tests/soak/soak.py --tool $(SOAK_BUILD)/webtransport --fleet-client $(SOAK_BUILD)/tests/fleet/fleet_client \
		--hostile-client $(SOAK_BUILD)/tests/soak/hostile_client --out $(BUILD)/soak$(if $(SOAK_SANITIZE),-sanitized) --seconds $(SOAK_SECONDS) --seed $(SEED) \
		$(if $(SOAK_SANITIZE),--sanitized) $(RUN_ARGS)

reliability: ## put the figures of the last `make soak`, `make fuzz` and `make fuzz-coverage` into docs/reliability.md
	@scripts/reliability.py

mutants: ## change MUTANTS (40) places of the library, chosen by SEED (1), one at a time: do the tests notice?
	@scripts/setup.sh test
	@scripts/mutants.py --count $(MUTANTS) --seed $(SEED) --jobs $(JOBS)

takeover: ## measure 1,000 sessions while new servers take over from old ones; RUN_ARGS are passed on
	@scripts/setup.sh test
	@cmake -S . -B $(BUILD) -DWT_BUILD_TESTS=ON $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target webtransport_tool --target takeover_client
	@python3 -B tests/fleet/test_takeover.py --tool $(BUILD)/webtransport --client $(BUILD)/tests/fleet/takeover_client \
		--measure $(RUN_ARGS)

fleet: ## run 300 clients of three servers behind a balancer while servers come and go; RUN_ARGS are passed on
	@scripts/setup.sh test
	@cmake -S . -B $(BUILD) -DWT_BUILD_TESTS=ON $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target webtransport_tool --target fleet_client
	@python3 -B tests/fleet/test_fleet.py --tool $(BUILD)/webtransport --client $(BUILD)/tests/fleet/fleet_client $(RUN_ARGS)

gateway: ## test the gateway with 1 GiB and 10,000 streams for each kind of back end
	@scripts/setup.sh test
	@cmake -S . -B $(BUILD) $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target webtransport_tool
	@PATH=$$PATH:/usr/sbin python3 -B tests/e2e/gateway/run.py --full $(BUILD)/webtransport $(BUILD)/gateway

monitoring: ## let Prometheus read servers at work for 20 s, and answer all that the dashboard asks
	@scripts/setup.sh test
	@cmake -S . -B $(BUILD) $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target webtransport_tool
	@[ -x build/monitoring/bin/pip ] || python3 -m venv build/monitoring
	@build/monitoring/bin/pip install -q --disable-pip-version-check -r tests/monitoring/requirements.txt
	@build/monitoring/bin/python -B tests/monitoring/grafana_model.py
	@python3 -B tests/monitoring/live.py $(BUILD)/webtransport

interop: ## run the cases with other implementations, both ways; writes docs/interop.md
	@scripts/setup.sh interop
	@scripts/setup.sh browsers
	@cmake -S . -B $(BUILD) -DWT_BUILD_TESTS=ON $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target interop_peer --target interop_endpoint --target webtransport_tool
	@tests/interop/run.py --native $(BUILD)/tests/interop/interop_peer --tool $(BUILD)/webtransport \
		--endpoint $(BUILD)/tools/interop/interop_endpoint --markdown docs/interop.md
	@tests/interop/run.py --no-setup --native $(BUILD)/tests/interop/interop_peer --through $(BUILD)/webtransport \
		--peer webtransport-go --peer native
	@node tests/browser/through_gateway.mjs $(BUILD)/webtransport
	@node tests/browser/envoy.mjs $(BUILD)/webtransport build/interop/envoy/envoy
	@bash tests/interop/test_tls.sh $(BUILD)/webtransport build/interop/webtransport-go/peer

bench: ## measure this server and others, side by side; writes docs/benchmarks.md; BENCH_ARGS are passed on
	@scripts/setup.sh bench
	@cmake -S . -B $(BUILD) -DWT_BUILD_BENCH=ON $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target webtransport_tool bench_floor bench_wsload bench_wsfan
	@bench/run.py --build $(BUILD) $(BENCH_ARGS)

bench-network: ## measure servers over emulated links, as root; writes docs/networks.md; BENCH_ARGS are passed on
	@scripts/setup.sh bench
	@cmake -S . -B $(BUILD) -DWT_BUILD_BENCH=ON $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target webtransport_tool bench_network_link bench_network_blast bench_network_client
	@bench/network/run.py --build $(BUILD) $(BENCH_ARGS)

bench-gateway: ## measure the gateway, websockify and Envoy, side by side; writes a part of docs/benchmarks.md; BENCH_ARGS are passed on
	@scripts/setup.sh bench
	@cmake -S . -B $(BUILD) -DWT_BUILD_BENCH=ON $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target webtransport_tool bench_gateway_backend bench_gateway_tcpload
	@bench/gateway/run.py --build $(BUILD) $(BENCH_ARGS)

docs: ## make the documentation's site in build/docs: guide, API and manual pages; checks all of its links
	@scripts/setup.sh docs
	@cmake -S . -B $(BUILD) $(CMAKE_ARGS)
	@cmake --build $(BUILD) -j $(JOBS) --target webtransport_documentation
	@docs/site/build.py $(BUILD)/manual $(BUILD)/docs

dist: ## make the release tarball of what is committed, with its checksum, in build/dist
	@packaging/dist.sh

deb: ## build the Debian packages of what is committed, in build/deb, and check them with lintian
	@scripts/setup.sh deb
	@packaging/deb.sh

packages: ## build the packages for Debian 12 and 13 in clean roots, try them in bare ones, as root; RUN_ARGS: releases
	@packaging/packages.sh $(RUN_ARGS)

install: build ## install below PREFIX (and DESTDIR)
	DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

format: ## rewrite the C files in the house format
	@scripts/setup.sh test
	clang-format -i $(FORMAT_FILES)

lint: ## check format, clang-tidy and the rules of the tree
	@scripts/setup.sh test
	@scripts/lint.sh $(FORMAT_FILES)

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
