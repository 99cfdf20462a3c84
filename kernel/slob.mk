# SPDX-License-Identifier: MIT
#
# The test kernels on the slob engine; the Makefile of this folder includes this.
#
#   slob-unit.elf  the slob core on the simulated machine: slob's own tests, and those of what is
#                  public in both builds (test/slob, test/public)
#   slob-bare.elf  the slob core on the bare port: bare/ but for what is slab's
#   slob-example.elf  example/example.c on it
#   libashlar-slob-bare.a  the library alone
#   seed-pools.elf  of x86-64: the slab core on the simulated machine, with the tests of pools

SLOB_CORE := $(sort $(wildcard $(addprefix $(ROOT)/,$(shell sed '/^#/d' $(ROOT)/src/slob/files))))
SLOB_FLAGS = $(FLAGS) -I $(ROOT)/src/slob $(INCLUDES)

SLOB_UNIT := $(SLOB_CORE) $(BOOT) $(ROOT)/src/port/sim/port.c $(ROOT)/test/tap.c $(OWN) \
	$(wildcard unit/*.c) $(sort $(wildcard $(ROOT)/test/public/*_test.c)) \
	$(addprefix $(ROOT)/test/slob/,slob_test.c api_test.c model_test.c nolock_test.c rcu_test.c \
		account_test.c)
SLOB_UNIT_OBJECTS := $(foreach f,$(SLOB_UNIT),$(call object,$(OUT)/slob-unit,$(f)))

SLOB_LIBRARY := $(SLOB_CORE) $(ROOT)/src/slob/face/bare/slabinfo.c \
	$(filter-out $(CORE) %/face/bare/slabinfo.c %/face/bare/zoneinfo.c,$(LIBRARY))
SLOB_LIBRARY_OBJECTS := $(foreach f,$(SLOB_LIBRARY),$(call object,$(OUT)/slob,$(f)))
SLOB_BARE := $(filter-out bare/count_case.c bare/options_case.c bare/tlb_case.c bare/zoneinfo_case.c bare/x86_64/%,$(BARE))
SLOB_BARE_OBJECTS := $(foreach f,$(SLOB_BARE),$(call object,$(OUT)/slob,$(f)))
SLOB_EXAMPLE_OBJECTS := $(foreach f,$(EXAMPLE),$(call object,$(OUT)/slob,$(f)))

all: $(OUT)/slob-unit.elf $(OUT)/slob-bare.elf $(OUT)/slob-example.elf

POOLS := $(filter-out $(TESTS),$(UNIT)) $(sort $(wildcard $(ROOT)/test/pool/*_test.c))
POOLS_OBJECTS := $(foreach f,$(POOLS),$(call object,$(OUT)/unit,$(f)))
ifeq ($(ARCH),x86_64)
all: $(OUT)/seed-pools.elf
endif

OBJECTS_seed-pools := $(POOLS_OBJECTS)
OBJECTS_slob-unit := $(SLOB_UNIT_OBJECTS)
OBJECTS_slob-bare := $(SLOB_BARE_OBJECTS) $(SLOB_LIBRARY_OBJECTS)
OBJECTS_slob-example := $(SLOB_EXAMPLE_OBJECTS)
OBJECTS_libashlar-slob-bare := $(SLOB_LIBRARY_OBJECTS)

$(OUT)/s%.elf: $(ARCH)/link.ld
	@$(CC) $(ARCH_FLAGS) -nostdlib -static -no-pie -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -T $(ARCH)/link.ld \
		-o $@ $(filter %.o %.a,$^)

$(OUT)/seed-pools.elf: $(OUT)/seed-pools.objects $(POOLS_OBJECTS)
$(OUT)/slob-unit.elf: $(OUT)/slob-unit.objects $(SLOB_UNIT_OBJECTS)
$(OUT)/slob-bare.elf: $(OUT)/slob-bare.objects $(SLOB_BARE_OBJECTS) $(SLOB_LIBRARY_OBJECTS)
$(OUT)/slob-example.elf: $(OUT)/slob-example.objects $(SLOB_EXAMPLE_OBJECTS) $(OUT)/libashlar-slob-bare.a
$(OUT)/libashlar-slob-bare.a: $(OUT)/libashlar-slob-bare.objects $(SLOB_LIBRARY_OBJECTS)

$(OUT)/slob-unit/lib/test/%.o: $(ROOT)/test/% Makefile slob.mk $(ARCH)/flags.mk
	@mkdir -p $(dir $@)
	@$(CC) $(SLOB_FLAGS) -O1 -DCONFIG_SLOB_STEPS=1 $(UNIT_INCLUDES) -c -o $@ $<
$(OUT)/slob-unit/lib/%.o: $(ROOT)/% Makefile slob.mk $(ARCH)/flags.mk
	@mkdir -p $(dir $@)
	@$(CC) $(SLOB_FLAGS) -DCONFIG_SLOB_STEPS=1 $(UNIT_INCLUDES) -c -o $@ $<
$(OUT)/slob-unit/own/%.o: % Makefile slob.mk $(ARCH)/flags.mk
	@mkdir -p $(dir $@)
	@$(CC) $(SLOB_FLAGS) -DCONFIG_SLOB_STEPS=1 $(UNIT_INCLUDES) -c -o $@ $<
$(OUT)/slob/lib/%.o: $(ROOT)/% Makefile slob.mk $(ARCH)/flags.mk
	@mkdir -p $(dir $@)
	@$(CC) $(SLOB_FLAGS) $(BARE_INCLUDES) -c -o $@ $<
$(OUT)/slob/own/%.o: % Makefile slob.mk $(ARCH)/flags.mk
	@mkdir -p $(dir $@)
	@$(CC) $(SLOB_FLAGS) $(BARE_INCLUDES) -c -o $@ $<

-include $(SLOB_UNIT_OBJECTS:.o=.d) $(SLOB_LIBRARY_OBJECTS:.o=.d) $(SLOB_BARE_OBJECTS:.o=.d) $(SLOB_EXAMPLE_OBJECTS:.o=.d)
