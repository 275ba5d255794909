# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc: one Makefile, out-of-tree objects in build/, `make help` tells the targets.

VERSION     := 0.1.0
BUILD       ?= build
PREFIX      ?= /usr/local
CNI_BIN_DIR ?= /opt/cni/bin
DESTDIR     ?=
INSTALL     ?= install
ifeq ($(origin CC),default)
CC          := gcc
endif
CLANG       ?= clang

PLUGINS     := awsvpc task-bridge task-host task-none task-ipam loopback
plugin_dir   = $(patsubst task-%,%,$(1))

# ---- flags -------------------------------------------------------------------------------------
WARN_BOTH := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wold-style-definition -Wpointer-arith -Wwrite-strings -Wcast-qual -Wvla -Wformat=2 -Wundef \
  -Wnull-dereference -Wswitch-enum
WARN_GCC  := -Wduplicated-cond -Wlogical-op -Wimplicit-fallthrough=5
IS_CLANG  := $(findstring clang,$(shell $(CC) --version 2>/dev/null | head -1))
WARN      := $(WARN_BOTH) $(if $(IS_CLANG),-Wimplicit-fallthrough,$(WARN_GCC)) $(if $(WERROR),-Werror)

PKGS      := libnl-3.0 libcjson uuid libnftables
DEPS_INC  := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
HARDEN    := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
ifdef SAN
  OPT     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
else ifdef COV
  OPT     := -O1 -g --coverage -fprofile-abs-path
else
  OPT     := -O2 -g $(HARDEN)
endif
CFLAGS    := -std=gnu11 -D_GNU_SOURCE -DTASKVPC_VERSION='"$(VERSION)"' -Iinclude -Ilib $(DEPS_INC) \
  $(OPT) -ffile-prefix-map='$(CURDIR)'=. -fPIE -fvisibility=hidden -ffunction-sections -fdata-sections $(WARN)
LDFLAGS   := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,pack-relative-relocs -Wl,--as-needed -Wl,--gc-sections

# libnl and libuuid are linked statically where Debian ships the archives: a third less start time.
archive    = $(filter /%,$(shell $(CC) -print-file-name=lib$(1).a 2>/dev/null))
LIBS      := $(foreach l,nl-3 uuid,$(or $(call archive,$(l)),-l$(l))) -lcjson

# ---- what is built -----------------------------------------------------------------------------
lib_src   := $(wildcard lib/*/*.c)
lib_obj   := $(lib_src:%.c=$(BUILD)/obj/%.o)
lib       := $(BUILD)/libtaskvpc.a
bins      := $(PLUGINS:%=$(BUILD)/bin/%) $(BUILD)/bin/taskvpc

unit_src  := $(wildcard test/unit/test_*.c)
unit_bins := $(unit_src:test/unit/%.c=$(BUILD)/test/%)
netns_src := $(wildcard test/netns/test_*.c)
netns_bins := $(netns_src:test/netns/%.c=$(BUILD)/test/%)
golden_bin := $(BUILD)/test/test_golden
soak_bin   := $(BUILD)/test/store_soak
disturb_bin := $(BUILD)/test/disturb
cni_tests  := $(sort $(wildcard test/cni/*.sh))
cli_tests  := $(sort $(wildcard test/cli/*.sh))
e2e_tests  := $(sort $(wildcard test/e2e/*.sh))

comma := ,
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' $(1) $(2))

.PHONY: all help install uninstall deps demo test check test-docs test-unit test-golden test-netns test-soak \
	test-cni enumerate generate test-cli test-lab test-e2e test-go test-hardening test-install test-san test-kernel test-package test-valgrind coverage mutation deb fresh bench fuzz test-fuzz lint layers fmt docs clean deps-build deps-demo deps-lint tests
SHELL := /bin/bash
.SECONDARY:
all: $(bins) ## build the plugins and taskvpc into build/bin

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

$(BUILD)/obj/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(CFLAGS_EXTRA) -MMD -MP -c $< -o $@

$(lib): $(lib_obj)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

# Each links the modes of all, because it takes down what others left; what it does not use is dropped.
plugin_src = plugins/$(call plugin_dir,$(1))/main.c plugins/modes.c $(filter-out %/main.c,$(wildcard plugins/*/*.c))
plugin_obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(call plugin_src,$(1)))
define plugin_rule
$(BUILD)/bin/$(1): $(call plugin_obj,$(1)) $(lib)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) $(OPT) $(LDFLAGS) -o $$@ $$^ $(LIBS)
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin_rule,$(p))))

cli_obj := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard cli/*.c))
$(cli_obj): CFLAGS_EXTRA += -DTASKVPC_BIN_DIR='"$(CNI_BIN_DIR)"'
$(BUILD)/bin/taskvpc: $(cli_obj) $(lib)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS)

# ---- tests -------------------------------------------------------------------------------------
ifdef COV
$(bins) $(unit_bins) $(netns_bins) $(golden_bin): $(BUILD)/obj/test/coverage/exit.o
$(bins) $(unit_bins) $(netns_bins) $(golden_bin): LDFLAGS += -Wl,--wrap=_exit
endif

modes_obj := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out %/main.c,$(wildcard plugins/*/*.c)))
unit_more := $(BUILD)/obj/test/unit/store_conformance.o
drawings  := $(BUILD)/obj/test/netns/drawings.o
netns_more := $(BUILD)/obj/test/netns/fixture.o $(BUILD)/obj/test/netns/scene.o $(drawings) $(modes_obj)

$(BUILD)/obj/test/%.o $(BUILD)/obj/plugins/%.o: CFLAGS_EXTRA += -Iplugins -Itest/netns -Itest/unit
$(unit_more) $(foreach d,unit/test_ netns/ golden/,$(BUILD)/obj/test/$(d)%.o): CFLAGS_EXTRA += -include test/cmocka_range.h

define link_test
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
endef
$(unit_bins): $(BUILD)/test/%: $(BUILD)/obj/test/unit/%.o $(unit_more) $(lib)
	$(link_test)
$(netns_bins): $(BUILD)/test/%: $(BUILD)/obj/test/netns/%.o $(netns_more) $(lib)
	$(link_test)
$(golden_bin): $(BUILD)/test/%: $(BUILD)/obj/test/golden/%.o $(drawings) $(modes_obj) $(lib)
	$(link_test)
$(soak_bin): $(BUILD)/test/%: $(BUILD)/obj/test/unit/%.o $(lib)
	$(link_test)

# Names of system calls, as this machine numbers them.
$(BUILD)/obj/test/syscalls.h:
	@mkdir -p $(@D)
	$(Q)echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
	  sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/[__NR_\1] = "\1",/p' >$@
$(BUILD)/obj/test/disturb.o: $(BUILD)/obj/test/syscalls.h
$(BUILD)/obj/test/disturb.o: CFLAGS_EXTRA += -I$(BUILD)/obj/test
$(disturb_bin): $(BUILD)/obj/test/disturb.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^

run_suite = test/suite.sh $(1)

test: deps ## install what is needed, then every suite
	@$(MAKE) --no-print-directory all check

check: test-docs test-hardening test-install test-unit test-golden test-netns test-soak test-cni test-cli test-lab test-e2e test-fuzz test-san ## every suite, nothing installed

test-docs: all ## the documents say what the binaries say, and mutations have their places
	@test/docs.sh
	@test/mutation/run.sh --stale

test-hardening: all ## the binaries are what a hardened build makes
	@test/hardening.sh

test-install: all ## what make install makes, a second one replaces, and uninstall removes
	@test/install.sh

test-unit: $(unit_bins) ## pure parts and the store (cmocka)
	@$(call run_suite,$(unit_bins))

test-golden: $(golden_bin) ## records and the plans drawn from them
	@$(call run_suite,$(golden_bin))

test-netns: $(netns_bins) ## plans against the real kernel, in namespaces of their own
	@$(call run_suite,$(netns_bins))

test-soak: $(soak_bin) ## the store under 20 000 SIGKILLs
	@$(call run_suite,$(soak_bin))

test-cni: all $(disturb_bin) ## the plugins as a runtime calls them
	@$(call run_suite,$(cni_tests))

enumerate: all $(disturb_bin) ## SIGKILL and an error at each system call of each verb and mode: all of crash.sh and faults.sh
	@test/enumerate.sh

generate: all ## thousands of configurations drawn by a seed: do STATUS, ADD, CHECK and packets agree? SEED= COUNT=
	@SEED=$${SEED:-$$(($$(date +%-j) * 10000))} COUNT=$${COUNT:-3000} TEST_TIMEOUT=$${TEST_TIMEOUT:-14400} test/cni/generator.sh

test-cli: all ## the command taskvpc, as people call it
	@$(call run_suite,$(cli_tests))

test-lab: all ## the demo proves its claims, and the lessons of docs/lab print what they say
	@test/demo.sh >$(BUILD)/demo.txt 2>&1 && echo "demo.sh: 1 passed, 0 failed" || \
	  { cat $(BUILD)/demo.txt; echo "demo.sh: 0 passed, 1 failed"; exit 1; }
	@test/lab.sh

test-e2e: all ## containerd and podman, chains with the reference plugins
	@$(call run_suite,$(e2e_tests))

# The reference plugins and the runtimes of Debian are older than those of today.
peers := $(abspath $(BUILD))/peers
go_tests := $(wildcard test/go/[!p]*.sh) test/e2e/cri.sh test/e2e/containerd.sh test/e2e/chain.sh
test-go: all ## nerdctl, containerd, CRI and chains of today, built with Go (five minutes the first time)
	@test/go/peers.sh $(peers) || { [ $$? = 77 ] && exit 0 || exit 1; }; \
	  PATH=$(peers)/bin:$$PATH CNI_REF=$(peers)/cni $(call run_suite,$(go_tests))

test-fuzz: ## a few seconds of each fuzz target
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=5

test-san: ## unit, netns, cni and cli suites under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory SAN=1 BUILD=build/san BIN=build/san/bin all test-unit test-golden test-netns test-cni test-cli

# test_delegate refuses itself rt_sigaction(), which valgrind itself cannot do without.
valgrind_bins := $(filter-out %/test_delegate,$(unit_bins)) $(golden_bin) $(netns_bins)
valgrind_cni  := args attach_ipam badinput bounds bpf bridge bridge_explain bridge_verbs dhcp examples explain host \
  hostile ipam isolation loopback macvlan meddle namespaces none policy privilege protocol result together verbs veth
test-valgrind: all $(valgrind_bins) ## unit, golden, netns and a part of the cni suite under valgrind
	$(call apt_install,$(deps_valgrind))
	@BUILD=$(BUILD) test/valgrind.sh $(valgrind_bins) $(valgrind_cni:%=test/cni/%.sh)

mutation: ## break the code in chosen places, one by one: do the tests notice? (half an hour; MUTATIONS=REGEX)
	@test/mutation/run.sh '$(MUTATIONS)'

# Not those where somebody is killed, refused a write, or cannot see build/: they leave no counts, or half of
# them. Tests that fail here are told, and the report is of what they have run.
uncounted := crash kills faults badhost limits
coverage: ## lines and branches that the suites reach: a table, and each line in build/cov/coverage
	$(call apt_install,$(deps_coverage))
	@find build/cov -name '*.gcda' -delete 2>/dev/null || :
	@$(MAKE) --no-print-directory -k COV=1 BUILD=build/cov BIN=build/cov/bin \
	  cni_tests='$(filter-out $(uncounted:%=test/cni/%.sh),$(cni_tests))' \
	  all test-unit test-golden test-netns test-cni test-cli || echo "coverage: not all tests passed"
	@BUILD=build/cov test/coverage/report.sh

-include $(shell find $(BUILD)/obj $(BUILD)/fuzz/obj -name '*.d' 2>/dev/null)

# ---- install -----------------------------------------------------------------------------------
# Each file is replaced by rename: a runtime never sees half of one, nor "text file busy".
dest := $(DESTDIR)$(CNI_BIN_DIR)
doc  := $(DESTDIR)$(PREFIX)/share/doc/taskvpc
command := $(DESTDIR)$(PREFIX)/bin/taskvpc
manual  := $(DESTDIR)$(PREFIX)/share/man/man1/taskvpc.1
completion := $(DESTDIR)$(PREFIX)/share/bash-completion/completions/taskvpc
networkd := $(DESTDIR)$(PREFIX)/lib/systemd/network/10-taskvpc.network
# NetworkManager looks nowhere below /usr/local.
nm_conf := $(DESTDIR)/usr/lib/NetworkManager/conf.d/10-taskvpc.conf
loopback_is_ours = env -i $(dest)/loopback --help </dev/null 2>/dev/null | grep -q taskvpc

install: all ## plugins into CNI_BIN_DIR (default /opt/cni/bin), taskvpc, manual, examples into PREFIX
	install -d $(dest) $(doc)/examples $(doc)/docs
	@# loopback belongs to the reference plugins: theirs stays.
	@for p in $(PLUGINS); do \
	  if [ $$p = loopback ] && [ -e $(dest)/$$p ] && ! $(loopback_is_ours); then \
	    echo "kept $(dest)/$$p"; continue; fi; \
	  $(INSTALL) -s -m 755 $(BUILD)/bin/$$p $(dest)/.$$p.new && mv -f $(dest)/.$$p.new $(dest)/$$p || exit 1; \
	  echo "installed $(dest)/$$p"; done
	$(INSTALL) -D -s -m 755 $(BUILD)/bin/taskvpc $(command).new && mv -f $(command).new $(command)
	install -D -m 644 man/taskvpc.1 $(manual)
	install -D -m 644 cli/taskvpc.bash $(completion)
	install -D -m 644 etc/10-taskvpc.network $(networkd)
	install -D -m 644 etc/10-taskvpc.conf $(nm_conf)
	install -m 644 netconf-examples/* $(doc)/examples
	cp -r --no-preserve=all docs/. $(doc)/docs
	install -m 644 README.md LICENSE $(doc)

uninstall: ## remove what install put there; a foreign loopback stays
	rm -f $(addprefix $(dest)/,$(filter-out loopback,$(PLUGINS)))
	@if $(loopback_is_ours); then rm -f $(dest)/loopback; fi
	rm -f $(command) $(manual) $(completion) $(networkd) $(nm_conf)
	rm -rf $(doc)

# ---- what a bare Debian needs ------------------------------------------------------------------
deps_build := gcc make pkgconf libnl-3-dev libcjson-dev uuid-dev libnftables-dev
deps_demo  := iproute2 nftables iputils-ping jq busybox-static
deps_test  := $(deps_demo) libcmocka-dev clang libclang-rt-dev iptables strace tcpdump procps util-linux \
  e2fsprogs conntrack groff-base containernetworking-plugins containerd runc podman curl libxml2-utils
deps_fresh := debootstrap debian-archive-keyring git
deps_kernel := debootstrap debian-archive-keyring git qemu-system-x86 e2fsprogs
deps_guest := $(deps_build) $(filter-out clang libclang-rt-dev containerd runc podman,$(deps_test)) kmod \
  initramfs-tools zstd linux-image-amd64
deps_deb   := build-essential debhelper libcmocka-dev lintian
deps_coverage := gcovr
deps_valgrind := valgrind libc6-dbg
deps_lint  := libcmocka-dev clang clang-tidy clang-format cppcheck shellcheck codespell

# Asks dpkg first: where all is there, no network is needed.
define apt_install
	@missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | \
	  grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then echo "installing:" $$missing; apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing \
	  >/dev/null; fi
endef

deps: ## install with apt what building, the demo and the tests need
	$(call apt_install,$(deps_build) $(deps_test))

deps-build: ## install with apt what building needs, no more
	$(call apt_install,$(deps_build))

deps-demo: ## install with apt what building and the demo need
	$(call apt_install,$(deps_build) $(deps_demo))

deps-lint: ## install with apt what lint needs
	$(call apt_install,$(deps_build) $(deps_lint))

# Packed where it disturbs nothing: dpkg-buildpackage writes into its tree and beside it.
deb: ## a Debian package of this tree, judged by lintian, in build/deb
	$(call apt_install,$(deps_build) $(deps_deb))
	rm -rf build/deb && mkdir -p build/deb/taskvpc
	tar -c --exclude=./build --exclude=./.git . | tar -x -C build/deb/taskvpc
	cd build/deb/taskvpc && dpkg-buildpackage --unsigned-source --unsigned-changes
	@# Each Debian's lintian knows another newest version of the policy.
	lintian --display-info --fail-on error,warning,info --suppress-tags newer-standards-version,out-of-date-standards-version build/deb/taskvpc_$(VERSION)_*.changes

test-package: ## make deb twice on one fresh Debian, its package used on another (as root)
	$(call apt_install,$(deps_fresh))
	@test/package.sh

fresh: ## make demo and make test, each on a fresh Debian made by debootstrap (as root)
	$(call apt_install,$(deps_fresh))
	@test/fresh.sh

KERNEL ?= bookworm
test-kernel: ## the suites that look at the kernel, on that of KERNEL=bookworm|trixie, in QEMU (as root)
	$(call apt_install,$(deps_kernel))
	@SUITE=$(KERNEL) test/kernel.sh $(deps_guest)

demo: deps-demo ## a lab VPC with two tasks, in namespaces of its own, explained
	@$(MAKE) --no-print-directory -s all
	@test/demo.sh

# ---- keeping it clean --------------------------------------------------------------------------
c_files := $(wildcard lib/*/*.c lib/*/*.h include/*/*.h plugins/*/*.c plugins/*/*.h cli/*.c cli/*.h \
  test/unit/*.c test/unit/*.h test/netns/*.c test/netns/*.h test/golden/*.c test/bench/*.c test/bench/*.h \
  test/fuzz/*.c test/fuzz/*.h test/coverage/*.c test/*.c test/*.h)
sh_files := $(wildcard test/*.sh test/cni/*.sh test/cli/*.sh test/e2e/*.sh test/go/*.sh test/bench/*.sh test/fuzz/*.sh test/coverage/*.sh test/mutation/*.sh) cli/taskvpc.bash .ci/run

layers: ## fail on an include that points upward
	@test/layers.sh

lint: deps-lint layers ## gcc and clang with -Werror, clang-tidy, cppcheck, shellcheck, codespell
	@$(MAKE) --no-print-directory WERROR=1 BUILD=build/lint-gcc all tests
	@$(MAKE) --no-print-directory WERROR=1 BUILD=build/lint-clang CC=$(CLANG) all tests
	$(call say,TIDY,'lib plugins cli')
	$(Q)set -o pipefail; printf '%s\n' $(filter lib/%.c plugins/%.c cli/%.c,$(c_files)) | xargs -P "$$(nproc)" -I{} \
	  clang-tidy --quiet {} -- $(filter-out -f%,$(CFLAGS)) -Iplugins 2>&1 | \
	  sed '/warnings\{0,1\} generated/d;/Suppressed/d;/Use -header-filter/d'
	cppcheck --quiet --enable=warning,style,performance,portability --inline-suppr \
	  --suppressions-list=.cppcheck --error-exitcode=1 -Iinclude -Ilib -Iplugins lib plugins cli
	shellcheck -x $(sh_files)
	codespell -q 3 -L statics,iif,isnt,allocat,nd,tha,fo,padd,falg,bridg,dum lib include plugins cli man test docs netconf-examples *.md

# ---- fuzzing ------------------------------------------------------------------------------------
FUZZ_SECONDS ?= 60
fuzz_names := $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz_obj   := $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(lib_src) $(filter-out %/main.c,$(wildcard plugins/*/*.c)) test/fuzz/fuzz.c)

$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(filter-out -f% -D_FORTIFY% -O2 -Wduplicated% -Wlogical% -Wimplicit%,$(CFLAGS)) -O1 \
	  $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -Iplugins -Itest/fuzz -MMD -MP -c $< -o $@
$(BUILD)/fuzz/%: $(BUILD)/fuzz/obj/test/fuzz/fuzz_%.o $(fuzz_obj)
	$(call say,LD,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(if $(findstring netlink,$@),-Wl$(comma)--wrap=sendto$(comma)--wrap=recvfrom) $(LIBS)

fuzz: $(fuzz_names:%=$(BUILD)/fuzz/%) ## each fuzz target for FUZZ_SECONDS (60), from the corpus in test/fuzz
	@BUILD=$(BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) test/fuzz/run.sh $(fuzz_names)

# ---- benchmarks --------------------------------------------------------------------------------
bench_bins := $(addprefix $(BUILD)/test/,bench_cni bench_store bench_net empty)
bench_cni_src := $(filter-out %/bench_store.c %/bench_net.c %/empty.c,$(wildcard test/bench/*.c))

$(BUILD)/obj/test/bench/%.o: CFLAGS_EXTRA += -Itest/bench
$(BUILD)/test/bench_cni: $(bench_cni_src:%.c=$(BUILD)/obj/%.o) $(lib)
$(BUILD)/test/bench_store: $(BUILD)/obj/test/bench/bench_store.o $(BUILD)/obj/test/bench/samples.o $(lib)
$(BUILD)/test/bench_net: $(BUILD)/obj/test/bench/bench_net.o
$(BUILD)/test/empty: $(BUILD)/obj/test/bench/empty.o
$(bench_bins):
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) $(LDFLAGS) -o $@ $^ $(LIBS) -pthread

bench: deps ## measure against the reference plugins and the kernel's floor: tables, charts (5 minutes)
	@$(MAKE) --no-print-directory -s all $(bench_bins)
	@test/bench/run.sh

tests: $(unit_bins) $(netns_bins) $(golden_bin) $(soak_bin) $(disturb_bin) $(bench_bins) # every test program, not run

fmt: ## format every C file (clang-format)
	clang-format -i $(c_files)

docs: all ## write the configuration reference of the README from the field tables
	test/docs.sh --write

clean: ## remove build/
	rm -rf $(BUILD)
