# make | make check | make test | make test-foreign | make fuzz | make soak | make bench | make peers | make demo | make install | make uninstall | make deb | make deps | make clean | make SAN=address,undefined test
# make ARCH=i386 library: for the 32-bit programs of a 64-bit system
comma   := ,
CXX     ?= g++
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
SAN     ?=
VERSION := 0.1.0
ARCH    ?=
BUILD   := build$(if $(ARCH),/$(ARCH))$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
machine := $(if $(filter i386,$(ARCH)),-m32,$(if $(ARCH),$(error ARCH=$(ARCH): only i386 is known)))

CXXFLAGS ?= -O2 -g
flags    := $(machine) -std=c++20 -Wall -Wextra -Wshadow -Wpedantic -Werror -Ishim -Itools -DVERSION='"$(VERSION)"' \
            -MMD -MP $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=undefined)
# What is installed is hardened, as distributions do it; tests/integration/meta/hardening.sh looks. Sanitizers do without.
x86      := $(filter x86_64-% i%86-%,$(shell $(CXX) -dumpmachine))
hardening := $(if $(SAN),,-Wp,-D_FORTIFY_SOURCE=2 -Wno-error=cpp -fstack-protector-strong -fstack-clash-protection $(if $(x86),-fcf-protection))
$(BUILD)/shim/%.o $(BUILD)/tools/%.o: flags += $(hardening)
link      = $(CXX) $(machine) $(LDFLAGS) -Wl,-z,relro -Wl,-z,now $(if $(SAN),-fsanitize=$(SAN)) -Wl,--as-needed -o $@ $(filter %.o,$^)
object    = $(patsubst %.cc,$(BUILD)/%.o,$(wildcard $(1)))
shared   := $(patsubst %,shim/base/%.cc,socks4 address format network unix_address)

# Programs that the launcher runs.
helpers  := $(patsubst %,$(BUILD)/%,socksify-exec with-server socksify-check)

# The headers of libstdc++, fmt and doctest take most of the time of these files: a third less if they are read once. The
# shim's files read few of them.
define precompiled
$(patsubst %.cc,$(BUILD)/%.o,$(shell find $(1) -name '*.cc' ! -path tests/unit/main.cc)): flags += -Winvalid-pch -include $(BUILD)/$(1)/system.h
$(patsubst %.cc,$(BUILD)/%.o,$(shell find $(1) -name '*.cc' ! -path tests/unit/main.cc)): | $(BUILD)/$(1)/system.h.gch
$(BUILD)/$(1)/system.h.gch: flags += $(2)
$(BUILD)/$(1)/system.h:
	@mkdir -p $$(@D)
	@grep -rhE '^#include <' $(1) | sort -u | grep -vE '<(linux/|netinet/tcp|resolv)' >$$@
endef
$(eval $(call precompiled,tools,$$(hardening)))
$(eval $(call precompiled,tests/unit))

all: $(BUILD)/libsocksify.so $(BUILD)/socks4d $(BUILD)/socksify $(helpers)

# The shim lives inside other people's programs: no exceptions, no libstdc++, nothing exported but the hooks.
$(BUILD)/shim/%.o: flags += -fPIC -fvisibility=hidden -ffunction-sections -fdata-sections -fno-exceptions -fno-rtti \
  -DFMT_HEADER_ONLY
$(BUILD)/libsocksify.so: $(call object,shim/*/*.cc shim/*/*/*.cc) shim/hooks/exports.map
	$(link) -shared -Wl,-z,defs -Wl,--gc-sections -Wl,--version-script=shim/hooks/exports.map \
	  $(if $(SAN),,-nodefaultlibs -lc -lgcc)

$(BUILD)/socks4d: $(call object,tools/socks4d/*.cc tools/socks4d/*/*.cc $(shared))
	$(link) -pthread -lfmt

$(BUILD)/with-server: $(call object,tools/with_server/*.cc shim/base/address.cc shim/base/format.cc)
	$(link) -lfmt

$(BUILD)/socksify-check: $(call object,tools/check/*.cc shim/base/*.cc shim/base/*/*.cc)
	$(link) -lfmt

# Static, because it starts before every program: a dynamic one would load libstdc++ each time. The sanitizers need the
# dynamic linker.
$(BUILD)/socksify-exec: $(call object,tools/launcher/*.cc tools/launcher/*/*.cc shim/base/*.cc shim/base/*/*.cc)
	$(link) $(if $(SAN),,-static-pie)

$(BUILD)/socksify: tools/socksify
	@mkdir -p $(@D)
	install -m 755 $< $@

$(BUILD)/unit: $(call object,tests/unit/*.cc tests/unit/*/*.cc $(filter-out shim/hooks/%,$(wildcard shim/*/*.cc shim/*/*/*.cc)) \
  $(patsubst %,tools/%.cc,$(addprefix socks4d/,session/bind_calls session/ident session/request_reader policy/policy policy/policy_file policy/statement \
  access_log net/loop net/tcp net/free_port) launcher/options launcher/settings/settings_text))
	$(link) -lfmt

# They run once: compiling costs more than running.
$(BUILD)/tests/unit/%: CXXFLAGS := -O0 -g

# A program is one file, or all files of one folder, below tests/programs/FEATURE. Only _FORTIFY_SOURCE needs optimization.
headers := $(wildcard tests/programs/*.h tests/programs/*/*.h tests/programs/*/*/*.h)
.SECONDEXPANSION:
$(BUILD)/programs/%: $$(wildcard tests/programs/*/$$*.c tests/programs/*/$$*/*.c) $(headers)
	@mkdir -p $(@D)
	$(CC) -Wall -Wextra -Werror $(if $(filter ready,$*),-O1,-O0) -g -D_GNU_SOURCE $(machine) $(if $(machine),-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64) -Itests/programs -o $@ $(filter %.c,$^) -pthread

# Preloaded into programs under test.
$(BUILD)/preload/%.so: tests/preload/%.c $(wildcard tests/preload/*.h) $(headers)
	@mkdir -p $(@D)
	$(CC) -Wall -Wextra -Werror -O1 -g -D_GNU_SOURCE $(machine) -Itests/programs -shared -fPIC -o $@ $<

# Without sanitizers, like the programs: those are for the shim.
$(BUILD)/differential/player: $(wildcard tests/differential/*.cc tests/differential/*.h)
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -Wall -Wextra -Wshadow -Wpedantic -Werror -O1 -g -o $@ $(filter %.cc,$^) -pthread

$(BUILD)/bench/%: tests/bench/%.c tests/bench/socks.h
	@mkdir -p $(@D)
	$(CC) -Wall -Wextra -Werror -O2 -g -o $@ $< -pthread

$(BUILD)/bench/%.so: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) -Wall -Wextra -Werror -O2 -shared -fPIC -o $@ $<

# clang's libFuzzer: a target is a file of tests/fuzz. The linker takes from the archive what the target uses, and drops
# functions that it does not call, so a few files of the shim are enough.
fuzz_targets := $(patsubst tests/fuzz/%.cc,%,$(wildcard tests/fuzz/*.cc))
fuzz_parts   := $(wildcard shim/base/*.cc shim/base/*/*.cc shim/kernel/*.cc) \
  $(patsubst %,shim/%.cc,config/no_proxy config/route handshake/handshake names/name_map names/shared_store) \
  $(patsubst %,tools/%.cc,$(addprefix socks4d/,policy/policy policy/policy_file policy/statement access_log session/ident \
  net/loop net/tcp net/free_port) launcher/settings/settings_text)
fuzz_flags   := -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
$(BUILD)/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(BUILD)/fuzz/parts.a
	clang++ $(fuzz_flags) -Wl,--gc-sections -o $@ $^ -lfmt
$(BUILD)/fuzz/parts.a: $(patsubst %.cc,$(BUILD)/fuzz/%.o,$(fuzz_parts))
	$(RM) $@ && ar qcs $@ $^

$(BUILD)/fuzz/%.o: %.cc
	@mkdir -p $(@D)
	clang++ $(flags) -ffunction-sections -fdata-sections -O1 $(fuzz_flags) -c -o $@ $<
.PRECIOUS: $(BUILD)/fuzz/%.o

$(BUILD)/%.h.gch: $(BUILD)/%.h
	$(CXX) $(CPPFLAGS) $(flags) $(filter-out -fsyntax-only,$(CXXFLAGS)) -x c++-header -o $@ $<

$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(flags) $(CXXFLAGS) -c -o $@ $<

deps:
	@tests/deps all

# As many jobs as cores, unless -j says otherwise.
build = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

# For 32 bits, only those that word-size.sh and symbols.sh run.
ifeq ($(ARCH),)
program_sources := $(wildcard tests/programs/*/*.c tests/programs/*/*/*.c)
programs := $(patsubst tests/preload/%.c,$(BUILD)/preload/%.so,$(wildcard tests/preload/*.c)) $(BUILD)/differential/player \
  $(addprefix $(BUILD)/programs/,$(sort $(foreach path,$(program_sources:tests/programs/%.c=%),$(word 2,$(subst /, ,$(path))))))
else
programs := $(addprefix $(BUILD)/programs/,connect listen processes ready time)
endif

# The inner loop: unit tests, connections, calls and names.
check:
	@tests/deps build clients servers asynchronous
	@$(build) all $(BUILD)/unit programs
	@BUILD=$(BUILD) tests/run unit connect async bind names

test: deps
	@$(build) all $(BUILD)/unit programs $(if $(SAN),,fuzzers)
	@[ $(BUILD) != build ] || [ "$$(uname -m)" != x86_64 ] || $(build) ARCH=i386 library programs
	@BUILD=$(BUILD) tests/run

# Programs and test suites of others, which take long and are large.
test-foreign:
	@tests/deps build servers clients checks programs asynchronous foreign
	@BUILD=$(BUILD) tests/foreign/packages
	@$(build) all $(BUILD)/unit
	@BUILD=$(BUILD) SCRIPTS=tests/foreign tests/run

placing  := PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' SYSCONFDIR='$(SYSCONFDIR)' BUILD='$(BUILD)'
debian    = $(shell dpkg --print-architecture 2>/dev/null)

programs: $(programs)

fuzzers: $(fuzz_targets:%=$(BUILD)/fuzz/%)

# Inputs that reach new code are kept in $(BUILD)/fuzz for the next run.
fuzz: fuzzers
	@for target in $(fuzz_targets); do BUILD=$(BUILD) tests/fuzz/run $$target -max_total_time=$(or $(FUZZ_SECONDS),60) || exit; done

library: $(BUILD)/libsocksify.so

# For hours what "make test" does for seconds: SOAK_SEEDS, SOAK_FIRST, SOAK_TRANSFERS, SOAK_CYCLES,
# SOAK_SECONDS.
soak: deps
	@$(build) all $(BUILD)/unit programs
	@for script in tests/soak/*.sh; do BUILD=$(BUILD) $$script || exit; done

demo:
	@tests/deps demo
	@$(build) all
	@BUILD=$(BUILD) tests/demo/demo.sh

# Installs the programs that bench compares us with.
peers:
	@BUILD=$(BUILD) tests/bench/peers

bench: all $(patsubst %,$(BUILD)/bench/%,server concurrent blocking transfer open calls startup nothing empty.so minimal destination load)
	@BUILD=$(BUILD) tests/bench/run
	@BUILD=$(BUILD) tests/bench/run-server

install: all
	@$(placing) tools/install/install.sh install

uninstall:
	@$(placing) tools/install/install.sh uninstall

deb:
	@tests/deps g++ make libfmt-dev debhelper dpkg-dev lintian $(if $(filter amd64,$(debian)),gcc-multilib g++-multilib)
	@$(build) all
	@[ "$(debian)" != amd64 ] || $(build) ARCH=i386 library
	@BUILD=$(BUILD) OUT=$(BUILD) VERSION=$(VERSION) tools/install/debian/build

clean:
	$(RM) -r build

.PHONY: all library bench peers check test test-foreign programs fuzzers fuzz soak demo deps install uninstall deb clean
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
