# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# `make help` lists the targets. Everything that is built goes to $(B).
#
#   bpf/*.bpf.c ─clang─▶ .bpf.o ─bpftool gen object─▶ ipclens.bpf.o ─gen skeleton─▶ gen/ipclens.skel.h
#   viz/**/*.c (but main.c) ─▶ libviz.a       viz/main.c + libviz.a ─▶ ipclens-view (no libbpf)
#   user/**/*.c + skeleton + libviz.a + libbpf ─▶ ipclens

VERSION = 0.1.0

B      ?= build
PREFIX ?= /usr/local
bindir  = $(PREFIX)/bin
compdir = $(PREFIX)/share/bash-completion/completions

ifneq ($(filter undefined default,$(origin CC)),)
CC := gcc
endif
ifneq ($(filter undefined default,$(origin AR)),)
AR := ar
endif
BPF_CLANG  ?= clang
FUZZ_CLANG ?= clang
# Debian puts bpftool into /usr/sbin, which is not in every user's PATH.
BPFTOOL    ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)

# Warnings are errors in CI only: a newer compiler's new warning must not stop a user's build.
WERROR ?= $(if $(CI),1)

CFLAGS  ?= -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LDFLAGS ?= -Wl,-z,relro,-z,now

WARNINGS = -Wall -Wextra -Wshadow -Wmissing-prototypes $(if $(filter 1,$(WERROR)),-Werror)
DEFINES  = -D_GNU_SOURCE -DIPCLENS_VERSION='"$(VERSION)"'
BASE     = -std=c11 $(DEFINES) $(WARNINGS) -I.
DEPFLAGS = -MMD -MP

HOST_CFLAGS  = $(BASE) -fPIE $(CFLAGS)
# The skeleton is not our code: as a system header it is not held to our warnings.
USER_CFLAGS  = $(HOST_CFLAGS) -isystem $(B)/gen
HOST_LDFLAGS = -pie $(LDFLAGS)
SAN          = -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_CFLAGS   = $(BASE) -O1 -g -fno-omit-frame-pointer $(SAN)
FUZZ_CFLAGS  = $(BASE) -O1 -g -fno-omit-frame-pointer $(SAN) -fsanitize=fuzzer-no-link

VIZ_LIBS = -lcjson -lz
BPF_LIBS = -lbpf -lelf -lz

MACHINE    := $(shell uname -m)
BPF_ARCH   := $(or $(patsubst %,x86,$(filter x86_64,$(MACHINE))),\
		   $(patsubst %,arm64,$(filter aarch64,$(MACHINE))),$(MACHINE))
# A hook has the parameters that its tracepoint has, needed or not.
BPF_CFLAGS  = -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter -Werror \
	      -D__TARGET_ARCH_$(strip $(BPF_ARCH)) -I. -idirafter /usr/include/$(MACHINE)-linux-gnu

# --- sources -----------------------------------------------------------------------------------

VIZ_MAIN := viz/main.c
VIZ_SRC  := $(filter-out $(VIZ_MAIN),$(wildcard viz/*.c viz/*/*.c))
USER_SRC := $(wildcard user/*.c user/*/*.c)
BPF_SRC  := $(wildcard bpf/*.bpf.c)
LAB_SRC  := $(wildcard tests/labs/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_AUX := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
GEN_SRC  := $(wildcard tests/truthgen/*.c)
ALL_C    := $(VIZ_SRC) $(VIZ_MAIN) $(USER_SRC) $(BPF_SRC) $(LAB_SRC) $(wildcard tests/*/*.c)
ALL_H    := $(wildcard viz/*.h viz/*/*.h user/*.h user/*/*.h bpf/*.h tests/*/*.h)

VIZ_OBJ   := $(VIZ_SRC:%.c=$(B)/%.o)
USER_OBJ  := $(USER_SRC:%.c=$(B)/%.o)
BPF_OBJ   := $(BPF_SRC:%.c=$(B)/%.o)
SAN_OBJ   := $(VIZ_SRC:%.c=$(B)/san/%.o)
AUX_OBJ   := $(UNIT_AUX:%.c=$(B)/san/%.o)
FUZZ_OBJ  := $(VIZ_SRC:%.c=$(B)/fuzz/obj/%.o)
BENCH     := $(B)/bench/talk $(B)/bench/empty $(B)/bench/empty.bpf.o
LABS      := $(LAB_SRC:tests/labs/%.c=$(B)/labs/%)
TOOLS     := $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))
GEN_OBJ   := $(GEN_SRC:%.c=$(B)/%.o)
GENERATOR := $(B)/truthgen
UNITS     := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
FUZZERS   := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)

SKELETON := $(B)/gen/ipclens.skel.h

# --- manner ------------------------------------------------------------------------------------

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
.SUFFIXES:
.DELETE_ON_ERROR:
# Only a chain of pattern rules names these: keep them all the same.
.PRECIOUS: $(B)/san/%.o $(B)/fuzz/obj/%.o

ifeq ($(V),1)
Q   :=
msg :=
else
Q   := @
msg  = @printf '  %-7s %s\n' '$(1)' '$(patsubst $(B)/%,%,$(2))';
endif

.PHONY: all
all: $(B)/ipclens $(B)/ipclens-view labs ## build the tracer, the viewer and the labs (default)

# A change of compiler or flags rebuilds: the stamp is rewritten only when its text differs.
FLAGS_TEXT = $(CC) $(AR) $(BPF_CLANG) $(BPFTOOL) | $(USER_CFLAGS) | $(HOST_LDFLAGS) | $(BPF_CFLAGS) | $(SAN_CFLAGS)
$(B)/flags: FORCE
	$(shell mkdir -p $(@D))$(file >$@.new,$(FLAGS_TEXT))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
.PHONY: FORCE
FORCE:

# --- what is needed, by the Debian package that has it -------------------------------------------

PACKAGES      = bpftool clang gcc libbpf-dev libc6-dev libcjson-dev libelf-dev make zlib1g-dev
TEST_PACKAGES = busybox-static chromium clang-format clang-tidy cpio cppcheck curl graphviz \
		libclang-rt-14-dev libcmocka-dev librsvg2-bin libxml2-utils plantuml \
		python3 python3-jsonschema qemu-system-x86 shellcheck sudo tshark \
		$(if $(shell command -v npm),,nodejs npm)
# What the scenarios of servers and remote procedures trace.
TRACED_PACKAGES = apache2-bin apache2-utils dbus git iproute2 memcached nginx openssh-client \
		  postgresql procps python3-grpcio python3-zmq redis-server redis-tools rpcbind rt-tests tmux

.PHONY: packages test-packages
packages: ## install what the build needs (Debian, root)
	apt-get install -y --no-install-recommends $(PACKAGES)

test-packages: ## install what build and tests need (Debian, root)
	apt-get install -y --no-install-recommends $(PACKAGES) $(TEST_PACKAGES) $(TRACED_PACKAGES)

# $(call need_program,name,package) $(call need_header,"names",package), then $(report_missing)
need_program = command -v $(1) >/dev/null || missing="$$missing $(2)";
need_header  = printf '%cinclude <%s>\n' $(foreach h,$(1),'\#' $h) \
	| $(CC) -E -x c - >/dev/null 2>&1 || missing="$$missing $(2)";
report_missing = if [ -n "$$missing" ]; then \
	echo "make: missing:$$missing; on Debian: apt-get install$$missing" >&2; exit 1; fi; \
	mkdir -p $(@D) && touch $@

$(B)/has/viewer: Makefile
	@missing=; $(call need_program,$(CC),gcc) $(call need_program,$(AR),binutils) \
	if [ -z "$$missing" ]; then \
		$(call need_header,stdlib.h,libc6-dev) $(call need_header,cjson/cJSON.h,libcjson-dev) \
		$(call need_header,zlib.h,zlib1g-dev) \
	fi; $(report_missing)

$(B)/has/tracer: Makefile $(B)/has/viewer
	@missing=; $(call need_program,$(BPF_CLANG),clang) $(call need_program,$(BPFTOOL),bpftool) \
	$(call need_header,bpf/libbpf.h,libbpf-dev) $(call need_header,gelf.h,libelf-dev) \
	$(report_missing)

# cmocka.h wants the other four before it.
$(B)/has/unit: Makefile $(B)/has/viewer
	@missing=; $(call need_header,stdarg.h stddef.h stdint.h setjmp.h cmocka.h,libcmocka-dev) \
	$(report_missing)

$(B)/has/fuzz: Makefile $(B)/has/viewer
	@missing=; $(call need_program,$(FUZZ_CLANG),clang) \
	ls "$$($(FUZZ_CLANG) -print-runtime-dir)"/libclang_rt.fuzzer* >/dev/null 2>&1 \
		|| missing="$$missing libclang-rt-14-dev"; $(report_missing)

# --- the viewer's library: no libbpf, no root ---------------------------------------------------

$(B)/viz/%.o: viz/%.c $(B)/flags | $(B)/has/viewer
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/libviz.a: $(VIZ_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/ipclens-view: $(VIZ_MAIN:%.c=$(B)/%.o) $(B)/libviz.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) $^ $(VIZ_LIBS) -o $@

# What an HTML page has beside its data. Modules are joined in the order of their list: what runs
# when the page is read (constants, tables) stands behind what it needs.
PAGE     := $(B)/gen/page
PAGE_JS  := $(addprefix viz/page/,$(shell sed 's/\#.*//' viz/page/modules))
PAGE_CSS := $(sort $(wildcard viz/page/*.css))
PAGE_FILES := $(addprefix $(PAGE)/,page.js page.css body.html page.js.sha256 page.css.sha256)

$(PAGE)/page.js: $(PAGE_JS) viz/page/modules viz/page/join.awk
	@mkdir -p $(@D)
	$(Q)awk -f viz/page/join.awk $(PAGE_JS) >$@

$(PAGE)/page.css: $(PAGE_CSS)
	@mkdir -p $(@D)
	$(Q)cat $(PAGE_CSS) >$@

$(PAGE)/body.html: viz/page/body.html
	@mkdir -p $(@D)
	$(Q)cat $< >$@

$(PAGE)/%.sha256: $(PAGE)/%
	$(Q)sha256sum $< | cut -c 1-64 | tr a-f A-F | basenc --base16 -d | base64 -w 0 >$@

$(B)/viz/page_assets.o $(B)/san/viz/page_assets.o $(B)/fuzz/obj/viz/page_assets.o: $(PAGE_FILES)
$(B)/viz/page_assets.o $(B)/san/viz/page_assets.o $(B)/fuzz/obj/viz/page_assets.o: \
	DEFINES += -DPAGE_DIR='"$(PAGE)"'

# --- the tracer --------------------------------------------------------------------------------

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/flags | $(B)/has/tracer
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(BPF_CLANG) $(BPF_CFLAGS) $(DEPFLAGS) -c $< -o $@

# Linking also drops the DWARF: the object goes into the program, 700 KB would become 76 KB.
$(B)/gen/ipclens.bpf.o: $(BPF_OBJ)
	$(call msg,BPFLINK,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $^

$(SKELETON): $(B)/gen/ipclens.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name ipclens_bpf >$@

$(B)/user/%.o: user/%.c $(B)/flags $(SKELETON) | $(B)/has/tracer
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/ipclens: $(USER_OBJ) $(B)/libviz.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) $^ $(BPF_LIBS) $(VIZ_LIBS) -o $@

# --- labs, units, fuzzers ----------------------------------------------------------------------

.PHONY: labs units fuzzers
labs: $(LABS) $(GENERATOR) $(TOOLS) ## build the workloads of tests/labs (build/labs/connect and others)
units: $(UNITS)
fuzzers: $(FUZZERS)
labs units fuzzers: ; @:

$(B)/labs/%: tests/labs/%.c $(B)/flags | $(B)/has/viewer
	$(call msg,LAB,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(DEPFLAGS) $(HOST_LDFLAGS) -pthread $< -o $@

$(B)/tools/%: tests/tools/%.c $(VIZ_OBJ) $(B)/flags | $(B)/has/viewer
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(DEPFLAGS) $(HOST_LDFLAGS) $< $(VIZ_OBJ) $(VIZ_LIBS) -o $@

$(B)/tests/truthgen/%.o: tests/truthgen/%.c $(B)/flags | $(B)/has/viewer
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -pthread $(DEPFLAGS) -c $< -o $@

$(GENERATOR): $(GEN_OBJ)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -pthread $^ -o $@
$(B)/bench/talk: tests/bench/talk.c $(B)/flags | $(B)/has/viewer
	$(call msg,LAB,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(DEPFLAGS) $(HOST_LDFLAGS) $< -o $@

$(B)/bench/empty: tests/bench/empty.c $(B)/flags | $(B)/has/tracer
	$(call msg,LAB,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(DEPFLAGS) $(HOST_LDFLAGS) $< $(BPF_LIBS) -o $@

$(B)/bench/empty.bpf.o: tests/bench/empty.bpf.c $(B)/flags | $(B)/has/tracer
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(BPF_CLANG) $(BPF_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/san/%.o: %.c $(B)/flags | $(B)/has/unit
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/san/libviz.a: $(SAN_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/unit/%: $(B)/san/tests/unit/%.o $(AUX_OBJ) $(B)/san/libviz.a
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAN) $^ -lcmocka $(VIZ_LIBS) -o $@

$(B)/fuzz/obj/%.o: %.c $(B)/flags | $(B)/has/fuzz
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CLANG) $(FUZZ_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/fuzz/libviz.a: $(FUZZ_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/%.o $(B)/fuzz/libviz.a
	$(call msg,LINK,$@)
	$(Q)$(FUZZ_CLANG) $(SAN) -fsanitize=fuzzer $^ $(VIZ_LIBS) -o $@

# --- what people type --------------------------------------------------------------------------

.PHONY: demo check unit truth fuzz lint format check-all readme-picture
.PHONY: demo check unit fuzz bench lint format check-all readme-picture
demo: all ## trace a real pipeline and draw it (root)
	@if [ "$$(id -u)" != 0 ]; then echo "Tracing needs root; type: sudo make demo" >&2; exit 1; fi
	@echo "$(B)/ipclens run -- sh -c 'ls | wc'"
	$(Q)$(B)/ipclens run -- sh -c 'ls | wc'

unit: units ## build and run the unit tests, under ASAN and UBSAN
	@tests/run --build $(B) unit

# What drives a browser in tests/scenarios/test_page.py and test_formats.py, as its lock file says.
BROWSER := $(B)/browser/node_modules/.package-lock.json
.PHONY: browser
browser: $(BROWSER) ## install what the tests of HTML pages and Mermaid need (npm, 170 MB into build/)
$(BROWSER): tests/browser/package.json tests/browser/package-lock.json
	@mkdir -p $(B)/browser && cp $^ $(B)/browser
	$(Q)npm ci --no-audit --no-fund --loglevel=error --prefix $(B)/browser
	@touch $@

check: all units ## unit tests and scenarios on the live kernel (root; else these skip)
	@tests/run --build $(B) unit scenarios

SEEDS    ?= 20
MESSAGES ?= 50000
truth: all ## compare each pair of random traffic with what its processes logged (root; SEEDS=20 MESSAGES=50000)
	$(Q)IPCLENS_BUILD=$(B) tests/truthgen/run --seeds $(SEEDS) --messages $(MESSAGES)

check-all: all units fuzzers browser ## all that CI runs (root)
	@tests/run --build $(B) all

FUZZ_SECONDS ?= 60
fuzz: fuzzers ## look for traces that break reader, stats or pictures (FUZZ_SECONDS=60)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run --build $(B) fuzz

# WAYS="pipe bulk" measures these alone; BENCH_TIMES=15 takes the medians of more.
BENCH_TIMES ?= 7
bench: all $(BENCH) ## what tracing costs, as ratios to untraced (root)
	@tests/bench/run --build $(B) --times $(BENCH_TIMES) --bar pipe=1.7 $(WAYS)

PAGE_MESSAGES ?= 1000000
.PHONY: page-bench
page-bench: $(B)/tools/page browser ## what a large HTML page costs a browser (PAGE_MESSAGES=1000000)
	$(Q)$(B)/tools/page $(PAGE_MESSAGES) >$(B)/page-bench.html
	$(Q)node tests/browser/bench.mjs $(abspath $(B)/browser/node_modules) $(abspath $(B)/page-bench.html)

lint: $(B)/compile_commands.json ## format, static analysis, house rules
	@tests/run --build $(B) lint

format: ## clang-format all C files in place
	$(Q)clang-format -i $(sort $(ALL_C) $(ALL_H))

readme-picture: all ## refresh README's picture and docs' examples from the tool (root)
	$(Q)tests/readme-picture $(B)/ipclens

.PHONY: gallery goldens
gallery: all ## trace the labs anew, draw docs/gallery.md and the goldens (root)
	$(Q)tests/gallery/generate $(B) --trace

goldens: $(B)/ipclens-view ## draw docs/gallery.md and the goldens from the traces that are there
	$(Q)tests/gallery/generate $(B)

.PHONY: findings-doc
findings-doc: $(B)/ipclens-view ## write docs/findings.md from viz/findings.def
	$(Q)$(B)/ipclens-view explain --lang en --markdown >docs/findings.md

.PHONY: install install-viewer uninstall clean help compile_commands.json
install: $(B)/ipclens ## install the program and its completion (PREFIX=/usr/local, DESTDIR=)
	$(Q)install -D -m 755 $(B)/ipclens $(DESTDIR)$(bindir)/ipclens
	$(Q)install -D -m 644 completions/ipclens $(DESTDIR)$(compdir)/ipclens

install-viewer: $(B)/ipclens-view ## install only the viewer, for machines without BPF
	$(Q)install -D -m 755 $(B)/ipclens-view $(DESTDIR)$(bindir)/ipclens-view

uninstall: ## remove what install and install-viewer put there
	$(Q)rm -f $(DESTDIR)$(bindir)/ipclens $(DESTDIR)$(bindir)/ipclens-view \
		$(DESTDIR)$(compdir)/ipclens

# For clangd, which looks into build/, and for clang-tidy.
compile_commands.json: $(B)/compile_commands.json ## build/compile_commands.json for editors
COMPILED := $(sort $(VIZ_SRC) $(VIZ_MAIN) $(USER_SRC) $(LAB_SRC) $(GEN_SRC) $(UNIT_SRC) $(UNIT_AUX) \
		  $(FUZZ_SRC))
$(B)/compile_commands.json: Makefile $(B)/flags $(COMPILED) $(BPF_SRC)
	$(shell mkdir -p $(@D))$(file >$@.user,$(CC) $(USER_CFLAGS))$(file >$@.bpf,$(BPF_CLANG) $(BPF_CFLAGS))
	@entries() { flags=$$(sed 's/[\\"]/\\&/g' "$$1"); shift; \
		for f; do printf '%s{"directory":"%s","file":"%s","command":"%s -c %s"}\n' \
			"$$comma" '$(CURDIR)' "$$f" "$$flags" "$$f"; comma=,; done; }; \
	comma=; { echo [; entries $@.user $(COMPILED); entries $@.bpf $(BPF_SRC); echo ]; } >$@
	@rm -f $@.user $@.bpf

clean: ## remove build/
	$(Q)rm -rf $(B)

help: ## this list
	@awk -F':.*## ' '/^[a-z_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "  variables: V=1 WERROR=1 CC=clang CFLAGS=… B=build PREFIX=/usr/local DESTDIR="

DEPS := $(VIZ_OBJ:.o=.d) $(VIZ_MAIN:%.c=$(B)/%.d) $(USER_OBJ:.o=.d) $(BPF_OBJ:.o=.d) $(SAN_OBJ:.o=.d) \
	$(AUX_OBJ:.o=.d) $(UNIT_SRC:%.c=$(B)/san/%.d) $(FUZZ_OBJ:.o=.d) \
	$(FUZZ_SRC:%.c=$(B)/fuzz/obj/%.d) $(LABS:=.d) $(GEN_OBJ:.o=.d)
-include $(DEPS)
