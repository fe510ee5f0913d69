# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# `make help` lists the targets. Everything that is built goes to $(B).
#
#   bpf/*.bpf.c ─clang─▶ .bpf.o ─bpftool gen object─▶ ipclens.bpf.o ─gen skeleton─▶ gen/ipclens.skel.h
#   bpf/*.bpf.c -DDIRECT_READS ─the same way─▶ gen/direct.skel.h (see bpf/core/kernel_access.bpf.h)
#   bpf/top/*.bpf.c ─the same way─▶ gen/top.skel.h (ipclens top)
#   viz/**/*.c (but main.c) ─▶ libviz.a       viz/main.c + libviz.a ─▶ ipclens-view (no libbpf)
#   what viz/library/viz.h needs of libviz.a ─▶ libipclens.a, for other programs
#   user/**/*.c + skeleton + libviz.a + libbpf ─▶ ipclens

VERSION = 0.1.0

# For which machine: make ARCH=arm64 builds for that one on any, into build/arm64/, with a compiler
# of Debian's (gcc-aarch64-linux-gnu) and with libraries that it unpacks there (needs Debian and a
# network; SYSROOT= says where there are others, CROSS_COMPILE= how the compiler's name begins).
MACHINE_amd64 = x86_64
MACHINE_arm64 = aarch64
BPF_ARCH_x86_64  = x86
BPF_ARCH_aarch64 = arm64
HERE    := $(shell uname -m)
MACHINE := $(if $(ARCH),$(MACHINE_$(ARCH)),$(HERE))
ifeq ($(MACHINE),)
$(error ARCH is amd64 or arm64)
endif
ifneq ($(MACHINE),$(HERE))
B             ?= build/$(ARCH)
CROSS_COMPILE ?= $(MACHINE)-linux-gnu-
SYSROOT       ?= $(B)/sysroot
endif

B      ?= build
PREFIX ?= /usr/local
bindir  = $(PREFIX)/bin
compdir = $(PREFIX)/share/bash-completion/completions
fishdir = $(PREFIX)/share/fish/vendor_completions.d
zshdir  = $(PREFIX)/share/zsh/site-functions
mandir  = $(PREFIX)/share/man
libdir  = $(PREFIX)/lib
incdir  = $(PREFIX)/include/ipclens
docdir  = $(PREFIX)/share/doc/ipclens
labdir  = $(PREFIX)/lib/ipclens/labs

ifneq ($(filter undefined default,$(origin CC)),)
CC := $(CROSS_COMPILE)gcc
endif
ifneq ($(filter undefined default,$(origin AR)),)
AR := $(CROSS_COMPILE)ar
endif
OBJCOPY    ?= $(CROSS_COMPILE)objcopy
BPF_CLANG  ?= clang
FUZZ_CLANG ?= clang
# Debian puts bpftool into /usr/sbin, which is not in every user's PATH.
BPFTOOL    ?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)

# Warnings are errors in CI only: a newer compiler's new warning must not stop a user's build.
WERROR ?= $(if $(CI),1)

CFLAGS  ?= -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LDFLAGS ?= -Wl,-z,relro,-z,now
# Both programs are optimized as a whole when they are linked, which saves a tenth of their time. It
# takes half a minute: `make LTO=` does without. Clang would need another linker for it.
LTO     ?= $(if $(findstring clang,$(CC)),,-flto=auto)

WARNINGS = -Wall -Wextra -Wshadow -Wmissing-prototypes $(if $(filter 1,$(WERROR)),-Werror)
DEFINES  = -D_GNU_SOURCE -DIPCLENS_VERSION='"$(VERSION)"'
# A product is the same bytes, whatever folder it was built in.
BASE     = -std=c11 $(FROM_SYSROOT) $(DEFINES) $(CPPFLAGS) $(WARNINGS) -I. -ffile-prefix-map=$(CURDIR)=.
FROM_SYSROOT = $(if $(SYSROOT),--sysroot=$(SYSROOT))
DEPFLAGS = -MMD -MP

HOST_CFLAGS  = $(BASE) -fPIE $(CFLAGS)
# Of libviz.a: it may become part of a shared object, which exports what viz/library/viz.h marks.
VIZ_CFLAGS   = $(BASE) -fPIC -fvisibility=hidden $(CFLAGS)
# The skeleton is not our code: as a system header it is not held to our warnings.
USER_CFLAGS  = $(HOST_CFLAGS) -isystem $(B)/gen
HOST_LDFLAGS = -pie $(LDFLAGS)
SAN          = -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_CFLAGS   = $(BASE) -O1 -g -fno-omit-frame-pointer $(SAN)
FUZZ_CFLAGS  = $(BASE) -O1 -g -fno-omit-frame-pointer $(SAN) -fsanitize=fuzzer-no-link

VIZ_LIBS = -lcjson -lz -lzstd
BPF_LIBS = -lbpf -lelf -lz
# The full-screen table of `ipclens top`.
SCREEN_LIBS = -lncursesw

BPF_ARCH = $(or $(BPF_ARCH_$(MACHINE)),$(MACHINE))
# A hook has the parameters that its tracepoint has, needed or not.
BPF_CFLAGS  = -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter -Werror \
	      -ffile-prefix-map=$(CURDIR)=. -D__TARGET_ARCH_$(BPF_ARCH) -I. \
	      -idirafter $(SYSROOT)/usr/include/$(MACHINE)-linux-gnu

# --- sources -----------------------------------------------------------------------------------

VIZ_MAIN := viz/main.c
VIZ_SRC  := $(sort $(filter-out $(VIZ_MAIN),$(wildcard viz/*/*.c viz/*/*/*.c)))
USER_SRC := $(sort $(wildcard user/*.c user/*/*.c))
BPF_SRC  := $(sort $(wildcard bpf/*.bpf.c))
TOP_SRC  := $(sort $(wildcard bpf/top/*.bpf.c))
LAB_SRC  := $(wildcard tests/labs/*.c)
UNIT_SRC := $(wildcard tests/unit/*/test_*.c)
UNIT_AUX := $(filter-out $(UNIT_SRC),$(wildcard tests/unit/*.c))
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
GEN_SRC  := $(wildcard tests/truthgen/*.c)
ALL_C    := $(VIZ_SRC) $(VIZ_MAIN) $(USER_SRC) $(BPF_SRC) $(TOP_SRC) $(LAB_SRC) $(wildcard tests/*/*.c tests/*/*/*.c)
ALL_H    := $(wildcard viz/*/*.h viz/*/*/*.h user/*/*.h bpf/*/*.h tests/*/*.h)

VIZ_OBJ   := $(VIZ_SRC:%.c=$(B)/%.o)
# What the programs are linked with. The symbols of assets.c are the assembler's, of which the
# compiler does not know, and revision.c is compiled once for each commit.
VIZ_PLAIN := $(B)/viz/render/html/assets.o $(B)/viz/cli/revision.o
VIZ_LTO   := $(patsubst $(B)/%,$(B)/lto/%,$(filter-out $(VIZ_PLAIN),$(VIZ_OBJ)))
VIZ_LINKED := $(if $(LTO),$(VIZ_LTO) $(VIZ_PLAIN),$(B)/libviz.a)
USER_OBJ  := $(USER_SRC:%.c=$(B)/%.o)
BPF_OBJ   := $(BPF_SRC:%.c=$(B)/%.o)
DIRECT_OBJ := $(BPF_SRC:bpf/%.c=$(B)/bpf/direct/%.o)
TOP_OBJ   := $(TOP_SRC:%.c=$(B)/%.o)
SAN_OBJ   := $(VIZ_SRC:%.c=$(B)/san/%.o)
AUX_OBJ   := $(UNIT_AUX:%.c=$(B)/san/%.o)
FUZZ_OBJ  := $(VIZ_SRC:%.c=$(B)/fuzz/obj/%.o)
BENCH     := $(B)/bench/talk $(B)/bench/empty $(B)/bench/empty.bpf.o
LABS      := $(LAB_SRC:tests/labs/%.c=$(B)/labs/%)
TOOLS     := $(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/*.c))
GEN_OBJ   := $(GEN_SRC:%.c=$(B)/%.o)
GENERATOR := $(B)/truthgen
MATRIX    := $(B)/truthmatrix
MATRIX_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/truthmatrix/*.c)) \
		$(addprefix $(B)/tests/truthgen/,gen_log.o gen_options.o gen_stage.o)
UNITS     := $(UNIT_SRC:tests/unit/%.c=$(B)/unit/%)
FUZZERS   := $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/%)

SKELETON := $(B)/gen/ipclens.skel.h $(B)/gen/direct.skel.h $(B)/gen/top.skel.h

# --- manner ------------------------------------------------------------------------------------

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
# All processors build, unless -j says how many. `make clean all` goes one after the other.
ifeq ($(MAKELEVEL)$(filter clean,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
.SUFFIXES:
.DELETE_ON_ERROR:
# Only a chain of pattern rules names these: keep them all the same.
.PRECIOUS: $(B)/san/%.o $(B)/fuzz/obj/%.o $(B)/gen/%.skel.h

ifeq ($(V),1)
Q   :=
msg :=
else
Q   := @
msg  = @printf '  %-7s %s\n' '$(1)' '$(patsubst $(B)/%,%,$(2))';
endif

.PHONY: all
all: $(B)/ipclens $(B)/ipclens-view $(B)/libipclens.a labs ## build tracer, viewer, library and labs (default)

# A change of compiler or flags rebuilds: the stamp is rewritten only when its text differs.
FLAGS_TEXT = $(CC) $(AR) $(BPF_CLANG) $(BPFTOOL) | $(USER_CFLAGS) | $(VIZ_CFLAGS) | $(HOST_LDFLAGS) | $(LTO) | $(BPF_CFLAGS) | $(SAN_CFLAGS)
$(B)/flags: FORCE
	$(shell mkdir -p $(@D))$(file >$@.new,$(FLAGS_TEXT))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
.PHONY: FORCE
FORCE:

# The commit, which --version says: only where this folder itself is git's, and not one above it.
# All its digits would do; the first 12 do in any clone, while --short counts what a clone holds.
# sudo make install reads a user's tree as root, which git refuses without being told.
GIT = git -c safe.directory='*'
REVISION_TEXT = $(shell [ -e .git ] && revision=$$($(GIT) rev-parse HEAD 2>/dev/null | cut -c 1-12) && \
	[ -n "$$revision" ] && changed=$$($(GIT) diff --quiet HEAD || echo ', changed') && \
	echo "(git $$revision$$changed)")
$(B)/revision: FORCE
	$(shell mkdir -p $(@D))$(file >$@.new,$(REVISION_TEXT))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
REVISION_OBJ = $(addsuffix /viz/cli/revision.o,$(B) $(B)/san $(B)/fuzz/obj)
$(REVISION_OBJ): $(B)/revision
$(REVISION_OBJ): private DEFINES += -DIPCLENS_REVISION='"$(file <$(B)/revision)"'

# --- what is needed, by the Debian package that has it -------------------------------------------

# To add a distribution: its name in ID or ID_LIKE of os-release, how it installs, and its packages.
DISTRIBUTIONS    = debian fedora arch suse
INSTALL_debian   = apt-get install -y --no-install-recommends
PACKAGES_debian  = bpftool clang gcc libbpf-dev libc6-dev libcjson-dev libelf-dev libncurses-dev \
		   libzstd-dev make zlib1g-dev
INSTALL_fedora   = dnf install -y
PACKAGES_fedora  = bpftool cjson-devel clang elfutils-libelf-devel gawk gcc glibc-devel \
		   libbpf-devel libzstd-devel make ncurses-devel zlib-devel
INSTALL_arch     = pacman -S --needed --noconfirm
PACKAGES_arch    = bpf cjson clang gawk gcc glibc libbpf libelf linux-api-headers make ncurses zlib \
		   zstd
INSTALL_suse     = zypper --non-interactive install
PACKAGES_suse    = bpftool cJSON-devel clang gawk gcc glibc-devel libbpf-devel libelf-devel \
		   libzstd-devel make ncurses-devel zlib-devel
OS_RELEASE      ?= /etc/os-release
DISTRIBUTION    ?= $(firstword $(filter $(DISTRIBUTIONS),$(shell . $(OS_RELEASE) && echo $$ID $$ID_LIKE)))

TEST_PACKAGES = busybox-static chromium clang-format clang-tidy cpio cppcheck curl debhelper e2fsprogs expect \
		fish g++ \
		gcc-aarch64-linux-gnu graphviz jq \
		groff-base less libcap2-bin libclang-rt-14-dev libcmocka-dev libglib2.0-bin \
		librsvg2-bin libxml2-utils pkg-config plantuml python3 python3-jsonschema python3-pandas \
		qemu-system-arm qemu-system-x86 shellcheck strace sudo systemd tshark valgrind \
		zsh zstd \
		$(if $(shell command -v npm),,nodejs npm)
# What the scenarios of servers, databases and remote procedures trace.
TRACED_PACKAGES = apache2-bin apache2-utils bind9-dnsutils dbus dnsmasq-base git golang-go iproute2 \
		  memcached mosquitto mosquitto-clients netcat-openbsd nftables nginx \
		  openjdk-17-jdk-headless openssh-client openssh-server openssl postgresql procps \
		  prometheus prometheus-node-exporter \
		  python3-grpcio python3-zmq redis-server redis-tools rpcbind rsync rt-tests sqlite3 tmux

.PHONY: packages test-packages
packages: ## install what the build needs (Debian, Fedora, Arch, openSUSE; root)
ifneq ($(DISTRIBUTION),)
	$(INSTALL_$(DISTRIBUTION)) $(PACKAGES_$(DISTRIBUTION))
else
	@echo "make: $(OS_RELEASE) names no distribution that is known here. The packages of others:"; \
	$(foreach d,$(DISTRIBUTIONS),echo "  $(d): $(INSTALL_$(d)) $(PACKAGES_$(d))";) exit 1
endif

test-packages: ## install what build and tests need (Debian, root)
	$(INSTALL_debian) $(PACKAGES_debian) $(TEST_PACKAGES) $(TRACED_PACKAGES)

# $(call need_program,name,package) $(call need_header,"names",package), then $(report_missing)
need_program = command -v $(1) >/dev/null || missing="$$missing $(2)";
need_header  = printf '%cinclude <%s>\n' $(foreach h,$(1),'\#' $h) \
	| $(CC) $(FROM_SYSROOT) -E -x c - >/dev/null 2>&1 || missing="$$missing $(2)";
report_missing = if [ -n "$$missing" ]; then \
	echo "make: missing:$$missing; on Debian: apt-get install$$missing; elsewhere: make packages" >&2; \
	exit 1; fi; \
	mkdir -p $(@D) && touch $@

# The libraries of another machine; none of it is installed.
$(B)/sysroot/done: tests/kernels/sysroot tests/kernels/archive.py
	$(call msg,SYSROOT,$@)
	$(Q)tests/kernels/sysroot $(ARCH) $(@D) $(filter %-dev,$(PACKAGES_debian))

CC_PACKAGE = gcc$(addprefix -,$(CROSS_COMPILE:-=))
AR_PACKAGE = binutils$(addprefix -,$(CROSS_COMPILE:-=))
$(B)/has/viewer: Makefile $(if $(filter $(B)/sysroot,$(SYSROOT)),$(B)/sysroot/done)
	@missing=; $(call need_program,$(CC),$(CC_PACKAGE)) $(call need_program,$(AR),$(AR_PACKAGE)) \
	if [ -z "$$missing" ]; then \
		$(call need_header,stdlib.h,libc6-dev) $(call need_header,cjson/cJSON.h,libcjson-dev) \
		$(call need_header,zlib.h,zlib1g-dev) $(call need_header,zstd.h,libzstd-dev) \
	fi; $(report_missing)

$(B)/has/tracer: Makefile $(B)/has/viewer
	@missing=; $(call need_program,$(BPF_CLANG),clang) $(call need_program,$(BPFTOOL),bpftool) \
	$(call need_header,bpf/libbpf.h,libbpf-dev) $(call need_header,gelf.h,libelf-dev) \
	$(call need_header,ncurses.h,libncurses-dev) \
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
	$(Q)$(CC) $(VIZ_CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/libviz.a: $(VIZ_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

# One object of all that viz/library/viz.c needs, in which no other name is left that could clash with
# one of the program that it becomes part of.
$(B)/libipclens.o: $(B)/viz/library/viz.o $(B)/libviz.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -r -nostdlib $^ -o $@
	$(Q)$(OBJCOPY) --wildcard --keep-global-symbol='ipclens_*' $@

$(B)/libipclens.a: $(B)/libipclens.o
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

# The same for the two programs, in the compiler's own form.
$(B)/lto/viz/%.o: viz/%.c $(B)/flags | $(B)/has/viewer
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -fvisibility=hidden $(LTO) $(DEPFLAGS) -c $< -o $@

$(B)/ipclens-view: $(VIZ_MAIN:%.c=$(B)/%.o) $(VIZ_LINKED)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(LTO) $(HOST_LDFLAGS) $^ $(VIZ_LIBS) -o $@

# What an HTML page has beside its data. Modules are joined in the order of their list: what runs
# when the page is read (constants, tables) stands behind what it needs.
PAGE     := $(B)/gen/page
PAGE_JS  := $(addprefix viz/render/html/page/,$(shell sed 's/\#.*//' viz/render/html/page/modules))
PAGE_CSS := $(sort $(wildcard viz/render/html/page/*.css))
PAGE_FILES := $(addprefix $(PAGE)/,page.js page.css body.html page.js.sha256 page.css.sha256)

$(PAGE)/page.js: $(PAGE_JS) viz/render/html/page/modules viz/render/html/page/join.awk
	@mkdir -p $(@D)
	$(Q)awk -f viz/render/html/page/join.awk $(PAGE_JS) >$@

$(PAGE)/page.css: $(PAGE_CSS)
	@mkdir -p $(@D)
	$(Q)cat $(PAGE_CSS) >$@

$(PAGE)/body.html: viz/render/html/page/body.html
	@mkdir -p $(@D)
	$(Q)cat $< >$@

$(PAGE)/%.sha256: $(PAGE)/%
	$(Q)sha256sum $< | cut -c 1-64 | tr a-f A-F | basenc --base16 -d | base64 -w 0 >$@

$(B)/viz/render/html/assets.o $(B)/san/viz/render/html/assets.o $(B)/fuzz/obj/viz/render/html/assets.o: $(PAGE_FILES)
$(B)/viz/render/html/assets.o $(B)/san/viz/render/html/assets.o $(B)/fuzz/obj/viz/render/html/assets.o: \
	DEFINES += -DPAGE_DIR='"$(PAGE)"'

# --- the tracer --------------------------------------------------------------------------------

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/flags | $(B)/has/tracer
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(BPF_CLANG) $(BPF_CFLAGS) $(DEPFLAGS) -c $< -o $@

# The same with reads that ask for nothing, see bpf/core/kernel_access.bpf.h.
$(B)/bpf/direct/%.bpf.o: bpf/%.bpf.c $(B)/flags | $(B)/has/tracer
	$(call msg,BPF,$@)
	@mkdir -p $(@D)
	$(Q)$(BPF_CLANG) $(BPF_CFLAGS) -DDIRECT_READS $(DEPFLAGS) -c $< -o $@

# Linking also drops the DWARF: the object goes into the program, 700 KB would become 76 KB.
$(B)/gen/ipclens.bpf.o: $(BPF_OBJ)
	$(call msg,BPFLINK,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/gen/direct.bpf.o: $(DIRECT_OBJ)
	$(call msg,BPFLINK,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $^

# What `ipclens top` counts with: an object of its own.
$(B)/gen/top.bpf.o: $(TOP_OBJ)
	$(call msg,BPFLINK,$@)
	@mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $@ $^

$(B)/gen/%.skel.h: $(B)/gen/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf >$@

$(B)/user/%.o: user/%.c $(B)/flags $(SKELETON) | $(B)/has/tracer
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) $(LTO) $(DEPFLAGS) -c $< -o $@

$(B)/ipclens: $(USER_OBJ) $(VIZ_LINKED)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(LTO) $(HOST_LDFLAGS) $^ $(BPF_LIBS) $(SCREEN_LIBS) $(VIZ_LIBS) -o $@

# --- labs, units, fuzzers ----------------------------------------------------------------------

.PHONY: labs generators units fuzzers
labs: $(LABS) ## build the workloads of tests/labs (build/labs/connect and others)
generators: $(GENERATOR) $(MATRIX) $(TOOLS)
units: $(UNITS) generators
fuzzers: $(FUZZERS)
labs generators units fuzzers: ; @:

# A lab waits more than it computes; there are many, and a new user waits for them.
LAB_CFLAGS = $(filter-out -O2 -g,$(HOST_CFLAGS)) -O1
$(B)/labs/%: tests/labs/%.c $(B)/flags | $(B)/has/viewer
	$(call msg,LAB,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LAB_CFLAGS) $(DEPFLAGS) $(HOST_LDFLAGS) -pthread $< -o $@

$(B)/tools/%: tests/tools/%.c $(VIZ_OBJ) $(B)/flags | $(B)/has/viewer
	$(call msg,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(DEPFLAGS) $(HOST_LDFLAGS) $< $(VIZ_OBJ) $(VIZ_LIBS) -o $@

$(B)/tests/truthgen/%.o: tests/truthgen/%.c $(B)/flags | $(B)/has/viewer
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -pthread $(DEPFLAGS) -c $< -o $@

$(B)/tests/truthmatrix/%.o: tests/truthmatrix/%.c $(B)/flags | $(B)/has/viewer
	$(call msg,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -pthread $(DEPFLAGS) -c $< -o $@

$(MATRIX): $(MATRIX_OBJ)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(HOST_CFLAGS) $(HOST_LDFLAGS) -pthread $^ -o $@

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
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

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
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

$(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/%.o $(B)/fuzz/libviz.a
	$(call msg,LINK,$@)
	$(Q)$(FUZZ_CLANG) $(SAN) -fsanitize=fuzzer $^ $(VIZ_LIBS) -o $@

# --- what people type --------------------------------------------------------------------------

.PHONY: demo check unit truth truth-matrix fuzz fuzz-slow bench lint format check-all readme-picture
demo: all ## trace a real pipeline and draw it (root)
	@if [ "$$(id -u)" != 0 ]; then echo "Tracing needs root; type: sudo make demo" >&2; exit 1; fi
	@echo "$(B)/ipclens run -- sh -c 'ls | wc'"
	$(Q)$(B)/ipclens run -- sh -c 'ls | wc'

unit: units ## build and run the unit tests, under ASAN and UBSAN
	@tests/run --build $(B) unit

# What drives a browser in tests/scenarios/test_html_page.py and test_formats_accepted.py, and the
# schema of test_opentelemetry.py, as its lock file says.
BROWSER := $(B)/browser/node_modules/.package-lock.json
# npm trusts what the machine trusts, also where sudo has dropped what the environment says of it.
# Twice, as a registry may fail for a moment.
CA_CERTS = NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
NPM_CI   = $(CA_CERTS) npm ci --no-audit --no-fund --loglevel=error --prefix $(B)/browser
.PHONY: browser
browser: $(BROWSER) ## install what the tests of HTML pages, Mermaid and OTLP need (npm, 200 MB into build/)
$(BROWSER): tests/browser/package.json tests/browser/package-lock.json
	@mkdir -p $(B)/browser && cp $^ $(B)/browser
	$(Q)$(NPM_CI) || $(NPM_CI)
	@touch $@

# Not by a lock file: that would have to name the libraries for all systems.
DUCKDB = $(B)/duckdb/node_modules/.package-lock.json
DUCKDB_INSTALL = $(CA_CERTS) npm install --no-save --no-audit --no-fund --loglevel=error \
		 --prefix $(B)/duckdb @duckdb/node-api@1.5.6-r.1
.PHONY: duckdb
duckdb: $(DUCKDB) ## install what the test of docs/analysis.md needs (npm, 70 MB into build/)
$(DUCKDB): Makefile
	@mkdir -p $(@D)
	$(Q)$(DUCKDB_INSTALL) || $(DUCKDB_INSTALL)
	@touch $@

check: all units ## unit tests and scenarios on the live kernel (root; else these skip)
	@tests/run --build $(B) unit scenarios

SEEDS    ?= 20
MESSAGES ?= 50000
truth: all generators ## compare each pair of random traffic with what its processes logged (root; SEEDS=20 MESSAGES=50000)
	$(Q)IPCLENS_BUILD=$(B) tests/truthgen/run --seeds $(SEEDS) --messages $(MESSAGES)

CONDITION ?= quiet
truth-matrix: all generators ## the cross product of calls, mechanisms and sharing (root; SEEDS=20 CONDITION=all CELL='udp*' DOCUMENT=docs/fidelity.md)
	$(Q)IPCLENS_BUILD=$(B) tests/truthmatrix/run --seeds $(SEEDS) --condition $(CONDITION) \
		$(if $(CELL),--cell '$(CELL)') $(if $(DOCUMENT),--document $(DOCUMENT))

# What the loads of a soak are, beside what the scenarios trace.
SOAK_PACKAGES = linux-perf stress-ng
SOAK_MINUTES ?= 30
.PHONY: soak soak-packages
soak-packages: ## install what make soak needs beside what the tests do (Debian, root)
	$(INSTALL_debian) $(SOAK_PACKAGES)

soak: all generators ## half an hour of IPC at full load under one tracer (root; SOAK_MINUTES=30 DOCUMENT=docs/soak.md)
	$(Q)tests/soak/run --build $(B) --minutes $(SOAK_MINUTES) $(if $(DOCUMENT),--document $(DOCUMENT))

# What tests/kernels/run boots on the other machine.
.PHONY: cross
cross: ## build for arm64, too, into build/arm64/ (Debian's cross compiler, network)
ifeq ($(HERE),x86_64)
	+$(Q)$(MAKE) ARCH=arm64 B=$(B)/arm64 CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar
endif

check-all: all units fuzzers browser duckdb cross ## all that CI runs (root)
	@tests/run --build $(B) all

.PHONY: check-kernels
check-kernels: all cross ## boot every kernel that Debian has, in QEMU; writes the table of docs/kernels.md (an hour)
	@tests/kernels/run --all --document docs/kernels.md

.PHONY: check-merge-guests
check-merge-guests: all $(B)/tools/apart ## two virtual machines talk, and `ipclens merge` joins their traces (QEMU)
	@tests/run --build $(B) apart

FUZZ_SECONDS ?= 60
fuzz: fuzzers ## look for traces that break reader, stats or pictures (FUZZ_SECONDS=60)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run --build $(B) fuzz

fuzz-slow: $(B)/ipclens-view ## look for traces that take too long or too much memory (FUZZ_SECONDS=60)
	@IPCLENS_BUILD=$(B) tests/growth/search --seconds $(FUZZ_SECONDS)

# WAYS="pipe bulk" measures these alone; BENCH_TIMES=15 takes the medians of more.
BENCH_TIMES ?= 7
bench: all $(BENCH) ## what tracing costs, as ratios to untraced (root)
	@tests/bench/run --build $(B) --times $(BENCH_TIMES) --bar pipe=1.7 --bar top=1.5 $(WAYS)

READ_MESSAGES ?= 1000000
.PHONY: bench-read
bench-read: all $(BENCH) ## what reading a trace costs, with the goals (root; READ_MESSAGES=1000000, or TRACE=FILE)
	@tests/bench/read --build $(B) --messages $(READ_MESSAGES) $(if $(TRACE),--trace $(TRACE))

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
findings-doc: $(B)/ipclens-view ## write docs/findings.md from viz/diagnose/core/findings.def
	$(Q)$(B)/ipclens-view explain --lang en --markdown >docs/findings.md

.PHONY: install install-viewer install-library uninstall clean help compile_commands.json
install: $(B)/ipclens manuals install-library install-docs ## install program, manuals, completions, docs, labs, library (PREFIX=/usr/local, DESTDIR=)
	$(Q)install -D -m 755 $(B)/ipclens $(DESTDIR)$(bindir)/ipclens
	$(Q)install -d $(DESTDIR)$(mandir)/man1 $(DESTDIR)$(mandir)/man5
	$(Q)install -m 644 $(B)/man/*.1 $(DESTDIR)$(mandir)/man1
	$(Q)install -m 644 $(B)/man/*.5 $(DESTDIR)$(mandir)/man5
	$(Q)install -D -m 644 completions/ipclens $(DESTDIR)$(compdir)/ipclens
	$(Q)install -D -m 644 $(B)/man/ipclens.fish $(DESTDIR)$(fishdir)/ipclens.fish
	$(Q)install -D -m 644 $(B)/man/_ipclens $(DESTDIR)$(zshdir)/_ipclens

# The texts with the folders that their links name, and the labs with their sources beside the texts.
DOCS = README.md CHANGELOG.md CONTRIBUTING.md LICENSE $(wildcard LICENSES/*) \
	$(filter-out docs/man/%,$(wildcard docs/*.md docs/*/*))
LAB_FILES = $(LAB_SRC) $(wildcard tests/labs/*.h)
.PHONY: install-docs
install-docs: labs
	$(Q)for file in $(DOCS); do \
		install -D -m 644 $$file $(DESTDIR)$(docdir)/$$file || exit 1; done
	$(Q)install -d $(DESTDIR)$(labdir) $(DESTDIR)$(docdir)/labs
	$(Q)install -m 644 $(LAB_FILES) $(DESTDIR)$(docdir)/labs
	$(Q)install -m 755 $(LABS) $(DESTDIR)$(labdir)

# What --help is made of, in other forms: the program itself tells it (viz/cli/describe.h).
MAN_INPUT = docs/man/page docs/man/trace-page $(wildcard docs/man/*.roff) completions/generate
.PHONY: manuals
manuals: $(B)/man/done ## make man pages, and completions for zsh and fish, of what --help is made of
$(B)/man/done: $(B)/ipclens $(MAN_INPUT)
	$(Q)mkdir -p $(@D)
	$(Q)$(B)/ipclens --describe | awk -v name=ipclens -v version=$(VERSION) \
		-v about=docs/man/ipclens.roff -f docs/man/page >$(@D)/ipclens.1
	$(Q)$(B)/ipclens --describe | while IFS="$$(printf '\t')" read -r _ command line; do \
		$(B)/ipclens "$$command" --describe | awk -v name="ipclens $$command" -v line="$$line" \
			-v version=$(VERSION) -f docs/man/page >"$(@D)/ipclens-$$command.1" || exit 1; done
	$(Q)$(B)/ipclens schema --keys | awk -v version=$(VERSION) -f docs/man/trace-page >$(@D)/ipclens-trace.5
	$(Q)completions/generate $(B)/ipclens fish >$(@D)/ipclens.fish
	$(Q)completions/generate $(B)/ipclens zsh >$(@D)/_ipclens
	$(Q)touch $@

install-viewer: $(B)/ipclens-view ## install only the viewer, for machines without BPF
	$(Q)install -D -m 755 $(B)/ipclens-view $(DESTDIR)$(bindir)/ipclens-view

# docs/library.md says how to use it.
$(B)/ipclens.pc: Makefile FORCE
	$(file >$@.new,$(PC_TEXT))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
define PC_TEXT
prefix=$(PREFIX)
libdir=$(libdir:$(PREFIX)/%=$${prefix}/%)
includedir=$${prefix}/include

Name: ipclens
Description: Reads a trace of ipclens: its messages, and what is wrong in it
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lipclens -lcjson -lzstd
endef

install-library: $(B)/libipclens.a $(B)/ipclens.pc ## install only the library: viz.h, libipclens.a, ipclens.pc
	$(Q)install -D -m 644 viz/library/viz.h $(DESTDIR)$(incdir)/viz.h
	$(Q)install -D -m 644 $(B)/libipclens.a $(DESTDIR)$(libdir)/libipclens.a
	$(Q)install -D -m 644 $(B)/ipclens.pc $(DESTDIR)$(libdir)/pkgconfig/ipclens.pc

uninstall: ## remove what install, install-viewer and install-library put there
	$(Q)rm -f $(DESTDIR)$(bindir)/ipclens $(DESTDIR)$(bindir)/ipclens-view \
		$(DESTDIR)$(mandir)/man1/ipclens.1 $(DESTDIR)$(mandir)/man1/ipclens-*.1 \
		$(DESTDIR)$(mandir)/man5/ipclens-trace.5 $(DESTDIR)$(fishdir)/ipclens.fish \
		$(DESTDIR)$(zshdir)/_ipclens $(DESTDIR)$(compdir)/ipclens $(DESTDIR)$(incdir)/viz.h \
		$(DESTDIR)$(libdir)/libipclens.a $(DESTDIR)$(libdir)/pkgconfig/ipclens.pc
	$(Q)rm -rf $(DESTDIR)$(docdir) $(DESTDIR)$(labdir)

# What lies in the folder, without what a build or a user has put there.
ifneq ($(wildcard .git),)
SOURCE_FILES = $(GIT) ls-files -z --cached --others --exclude-standard | \
	       while IFS= read -r -d '' file; do [ ! -e "$$file" ] || printf '%s\0' "$$file"; done
else
SOURCE_FILES = find . \( -path ./build -o -path ./$(B) \) -prune -o ! -type d -print0
endif
DIST = $(B)/ipclens-$(VERSION).tar.gz
.PHONY: dist deb check-deb check-distributions
dist: ## the source of the last commit, as build/ipclens-VERSION.tar.gz
	@mkdir -p $(B)
	$(Q)$(GIT) -c tar.umask=0022 archive --format=tar --prefix=ipclens-$(VERSION)/ HEAD >$(DIST:.gz=)
	$(Q)gzip -9nf $(DIST:.gz=)
	@echo $(DIST)

# Built beside, in a copy of the folder, because Debian's tools write into it and above it. Modes of
# files go into the packages, so they are the same for every umask.
DEB      = $(B)/deb
DEB_TREE = $(DEB)/ipclens-$(VERSION)
deb: SHELL = /bin/bash
deb: ## Debian packages of what lies here, in build/deb/ (ipclens, ipclens-view, libipclens-dev)
	@umask 022 && mkdir -p $(B) && rm -rf $(DEB) && mkdir -p $(DEB_TREE)
	$(Q)umask 022 && $(SOURCE_FILES) | tar -c --mode=u+rw,go=rX --null -T - | tar -x -C $(DEB_TREE)
	$(Q)cd $(DEB_TREE) && MAKEFLAGS= DEB_BUILD_OPTIONS="nocheck parallel=$$(nproc) $$DEB_BUILD_OPTIONS" \
		dpkg-buildpackage --no-sign --build=$(or $(DEB_BUILD),binary)
	@rm -rf $(DEB_TREE) && ls $(DEB)/*.deb

RELEASES = trixie sid
check-distributions: ## build and trace with the compilers and libraries of RELEASES of Debian (root)
	@tests/check-distributions $(RELEASES)

check-deb: ## build the packages twice, lintian, install and test them in a Debian of their own (root)
	@tests/check-deb

# For clangd, which looks into build/, and for clang-tidy.
compile_commands.json: $(B)/compile_commands.json ## build/compile_commands.json for editors
COMPILED := $(sort $(VIZ_SRC) $(VIZ_MAIN) $(USER_SRC) $(LAB_SRC) \
		  $(filter-out %.bpf.c,$(wildcard tests/*/*.c tests/*/*/*.c)))
$(B)/compile_commands.json: Makefile $(B)/flags $(COMPILED) $(BPF_SRC) $(TOP_SRC)
	$(shell mkdir -p $(@D))$(file >$@.user,$(CC) $(USER_CFLAGS))$(file >$@.bpf,$(BPF_CLANG) $(BPF_CFLAGS))
	@entries() { flags=$$(sed 's/[\\"]/\\&/g' "$$1"); shift; \
		for f; do printf '%s{"directory":"%s","file":"%s","command":"%s -c %s"}\n' \
			"$$comma" '$(CURDIR)' "$$f" "$$flags" "$$f"; comma=,; done; }; \
	comma=; { echo [; entries $@.user $(COMPILED); entries $@.bpf $(BPF_SRC) $(TOP_SRC); echo ]; } >$@
	@rm -f $@.user $@.bpf

clean: ## remove build/
	$(Q)rm -rf $(B)

help: ## this list
	@awk -F':.*## ' '/^[a-z_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo "  variables: V=1 WERROR=1 CC=clang CFLAGS=… LTO= B=build PREFIX=/usr/local DESTDIR="
	@echo "  another machine:   ARCH=arm64 (SYSROOT= CROSS_COMPILE=)"

DEPS := $(VIZ_OBJ:.o=.d) $(VIZ_LTO:.o=.d) $(VIZ_MAIN:%.c=$(B)/%.d) $(USER_OBJ:.o=.d) $(BPF_OBJ:.o=.d) $(DIRECT_OBJ:.o=.d) $(TOP_OBJ:.o=.d) $(SAN_OBJ:.o=.d) \
	$(AUX_OBJ:.o=.d) $(UNIT_SRC:%.c=$(B)/san/%.d) $(FUZZ_OBJ:.o=.d) \
	$(FUZZ_SRC:%.c=$(B)/fuzz/obj/%.d) $(LABS:=.d) $(GEN_OBJ:.o=.d) $(MATRIX_OBJ:.o=.d)
-include $(DEPS)
